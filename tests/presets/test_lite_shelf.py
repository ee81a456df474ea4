"""The whole way on the real lite models: a folder of every kind, indexed and searched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from reportlab.pdfgen.canvas import Canvas

from ponder.evaluate.shuffle import shuffled
from ponder.index import Cache
from ponder.media.content import open_content
from ponder.media.limits import Limits
from ponder.presets.lite import LiteModels
from ponder.records import Item, Query, Ranking
from ponder.shelf import Shelf, open_shelf

pytestmark = pytest.mark.lite

DEMO = Path(__file__).resolve().parents[2] / "src" / "ponder" / "demo"
BUTTERFLY, SPIDER, ROCKET = "pictures/p079.jpg", "pictures/p009.png", "clips/c02.mp4"
KINDS = {"video": 1, "image": 3, "page": 2, "text": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, three pictures, a PDF of two pages and a text."""
    folder = tmp_path_factory.mktemp("files")
    for name in (BUTTERFLY, SPIDER, "pictures/p042.jpg", ROCKET):
        shutil.copy(DEMO / "collection" / name, folder)
    canvas = Canvas(str(folder / "book.pdf"))
    for text in ("Cool a burn under running tap water for twenty minutes.", "Sourdough wants salt and time."):
        canvas.drawString(72, 760, text)
        canvas.showPage()
    canvas.save()
    (folder / "tides.txt").write_text("Spring tides come at new and full moon, neap tides between.\n")
    return folder


@pytest.fixture(scope="module")
def shelf(folder: Path, lite_models: LiteModels, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return indexed(folder, lite_models, tmp_path_factory.mktemp("shelf"))


def indexed(folder: Path, models: LiteModels, place: Path) -> Shelf:
    shelf = open_shelf(place / "shelf", models, cache=Cache(place / "cache.sqlite"))
    report = shelf.add(folder)
    assert (report.added, report.skipped) == (sum(KINDS.values()), ())
    return shelf


@pytest.fixture(scope="module")
def crop(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The middle of the butterfly, mirrored and a little smaller."""
    path = tmp_path_factory.mktemp("query") / "crop.png"
    with Image.open(folder / Path(BUTTERFLY).name) as image:
        side = ImageOps.mirror(image.convert("RGB"))
        width, height = side.size
        middle = side.crop((width // 8, height // 8, width * 7 // 8, height * 7 // 8))
        middle.resize((width // 2, height // 2)).save(path)
    return str(path)


def first(ranking: Ranking) -> str:
    return Path(ranking.hits[0].item.uri).name


def test_every_kind_is_there(shelf: Shelf) -> None:
    assert shelf.info().by_kind == KINDS


@pytest.mark.parametrize("budget", [0, 512])
@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("an orange butterfly on a leaf", "image", "p079.jpg"),
        ("what to do with a burnt hand", "page", "book.pdf#page=1"),
        ("how the moon makes a spring tide", "text", "tides.txt"),
        ("a rocket that takes off", "video", "c02.mp4"),
    ],
)
def test_words_find_every_kind_within_the_budget(
    shelf: Shelf, text: str, kind: str, name: str, budget: int
) -> None:
    ranking = shelf.search(text, k=10, budget=budget)
    assert (ranking.hits[0].item.kind, first(ranking)) == (kind, name)
    assert len({hit.item.id for hit in ranking}) == sum(KINDS.values())
    scores = [hit.score for hit in ranking]
    assert scores == sorted(scores, reverse=True)
    assert ranking.usage.spent <= budget
    assert bool(ranking.usage.spent) == bool(budget)
    assert ranking.usage.cached > 0 or budget


@pytest.mark.parametrize("budget", [0, 512])
def test_a_mirrored_crop_finds_its_picture(shelf: Shelf, crop: str, budget: int) -> None:
    ranking = shelf.search(Query(image=crop), budget=budget)
    assert first(ranking) == "p079.jpg"
    assert ranking.usage.spent == 0


@pytest.mark.parametrize("budget", [0, 512])
def test_words_beside_a_picture_move_what_is_found(shelf: Shelf, crop: str, budget: int) -> None:
    both = shelf.search(Query(image=crop, text="a venomous spider"), budget=budget)
    alone = shelf.search(Query(image=crop), budget=budget)
    assert both.usage.spent <= budget
    assert "p079.jpg" in [Path(hit.item.uri).name for hit in both.hits[:2]]
    assert rank_of(both, "p009.png") <= rank_of(alone, "p009.png")
    assert both.hits[0].score != alone.hits[0].score


def rank_of(ranking: Ranking, name: str) -> int:
    return next(hit.rank for hit in ranking if Path(hit.item.uri).name == name)


def test_a_fresh_shelf_ranks_alike(
    shelf: Shelf, folder: Path, lite_models: LiteModels, crop: str, tmp_path: Path
) -> None:
    other = indexed(folder, LiteModels(), tmp_path)
    for query in (Query("a dangerous animal"), Query("salt"), Query("a leaf", image=crop)):
        one, two = (each.search(query, k=10, budget=400) for each in (shelf, other))
        assert [(hit.item.id, hit.part) for hit in one] == [(hit.item.id, hit.part) for hit in two]
        assert [hit.score for hit in one] == pytest.approx([hit.score for hit in two], abs=1e-5)
        assert one.by_stage == two.by_stage


def test_indexing_again_loads_no_model(shelf: Shelf, folder: Path) -> None:
    """In a process of its own: neither the networks nor what runs them, though the cache is empty."""
    code = """
import sys
from pathlib import Path
from ponder.index import Cache
from ponder.shelf import open_shelf
shelf = open_shelf(sys.argv[1], "lite", cache=Cache(Path(sys.argv[3])))
report = shelf.add(sys.argv[2])
loaded = sorted({"torch", "transformers", "rapidocr", "onnxruntime"} & set(sys.modules))
print(report.added, report.updated, report.unchanged, loaded)
"""
    command = [sys.executable, "-c", code, str(shelf.path), str(folder), str(folder.parent / "empty.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"0 0 {sum(KINDS.values())} []"


def test_vectors_follow_the_reasoning(folder: Path, lite_models: LiteModels) -> None:
    """On is not off, and another's reasoning makes another vector, on pictures and clips."""
    paths = [(folder / Path(name).name, kind) for name, kind in ((SPIDER, "image"), (ROCKET, "video"))]
    items = [Item(path.name, kind, path=str(path)) for path, kind in paths]
    contents = [open_content(item, Limits()) for item in items]
    on, off = (
        lite_models.reasoner.reason(contents, role="document", tokens=tokens)
        for tokens in (lite_models.reason_tokens, 0)
    )
    vectors = {
        name: [each.vectors for each in lite_models.embedder.embed_documents(contents, reasonings)]
        for name, reasonings in {"on": on, "off": off, "shuffled": shuffled(on, seed=1)}.items()
    }
    for name in ("off", "shuffled"):
        for one, other in zip(vectors["on"], vectors[name], strict=True):
            assert one.shape == other.shape
            assert float((one[0] * other[0]).sum()) < 0.99
    again = lite_models.embedder.embed_documents(contents, on)
    for one, other in zip(vectors["on"], again, strict=True):
        np.testing.assert_array_equal(one, other.vectors)
