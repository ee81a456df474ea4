"""Teaching an adapter: what is there is lost to no bad input, and nothing stale is handed back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ponder.cli.console import progress
from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import load_beir
from ponder.index.cache import Cache
from ponder.models.lite.adapter import Adapter as AdapterOf
from ponder.presets.lite import LiteModels
from ponder.train.adapter import AdapterSettings
from ponder.train.adapter_job import AdapterJob, AdapterOutcome, train_adapter
from ponder.train.checkpoints import TrainingFolder

NAMES = ("disc", "box", "line")


def draw(folder: Path, name: str, colour: str) -> None:
    picture = Image.new("RGB", (64, 64), "white")
    pen = ImageDraw.Draw(picture)
    shape = {"disc": pen.ellipse, "box": pen.rectangle, "line": pen.line}[name]
    shape((8, 8, 56, 56), fill=colour)
    picture.save(folder / f"{name}.png")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cache]:
    with Cache(tmp_path_factory.mktemp("cache") / "cache.sqlite") as opened:
        yield opened


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Three pictures; a query of words for each, and one that is a picture."""
    folder = tmp_path / "shapes"
    (folder / "qrels").mkdir(parents=True)
    for name in NAMES:
        draw(folder, name, "red")
    Image.new("RGB", (64, 64), "blue").save(folder / "asked.png")
    rows = ({"_id": name, "image": f"{name}.png"} for name in NAMES)
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    queries = [{"_id": f"q-{name}", "text": f"a red {name}"} for name in NAMES]
    queries.append({"_id": "q-asked", "image": "asked.png"})
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    labels = [f"q-{name}\t{name}\t1" for name in NAMES] + ["q-asked\tbox\t1"]
    (folder / "qrels" / "train.tsv").write_text("\n".join(labels))
    return folder


def taught(
    shapes: Path, cache: Cache, out: Path, *, fresh: bool = False, pairs: Path | None = None
) -> AdapterOutcome:
    settings = AdapterSettings(steps=2, classes=0.0, negatives=1)
    job = AdapterJob(
        [load_beir(shapes, split="train")],
        [pairs],
        (),
        LiteModels(cache),
        cache,
        settings,
        command=("ponder",),
    )
    return train_adapter(job, TrainingFolder(out), progress, fresh=fresh)


def weights(out: Path) -> bytes:
    return (out / "model" / "adapter.safetensors").read_bytes()


def test_begun_anew_it_is_kept_until_there_is_something_to_learn_from(
    shapes: Path, cache: Cache, tmp_path: Path
) -> None:
    out = tmp_path / "taught"
    assert taught(shapes, cache, out).queries == 4
    before = weights(out)
    # Either folder names it.
    named = [LiteModels(cache, adapter=str(each)).adapter for each in (out, out / "model")]
    assert [each and each.fingerprint for each in named] == [AdapterOf(out / "model").fingerprint] * 2
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputNotFound, match="no pairs here"):
        taught(shapes, cache, out, fresh=True, pairs=tmp_path / "nothing")
    assert weights(out) == before


def test_a_query_that_cannot_be_opened_is_left_out_and_told(
    shapes: Path, cache: Cache, tmp_path: Path
) -> None:
    (shapes / "asked.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    outcome = taught(shapes, cache, tmp_path / "taught")
    assert outcome.queries == 3
    [lost] = outcome.left_out
    assert lost.uri == "query q-asked"
    assert not lost.chosen


def test_an_adapter_of_other_pictures_is_not_handed_back(shapes: Path, cache: Cache, tmp_path: Path) -> None:
    taught(shapes, cache, tmp_path / "taught")
    draw(shapes, "disc", "green")
    with pytest.raises(InputInvalid, match="media"):
        taught(shapes, cache, tmp_path / "taught")
    before = weights(tmp_path / "taught")
    taught(shapes, cache, tmp_path / "taught", fresh=True)
    assert weights(tmp_path / "taught") != before
