import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ponder.adapters.rank import Ranker
from ponder.errors import BadArguments, InputInvalid
from ponder.index.cache import Cache
from ponder.testing import FakeModels

TEXTS = ["the blue whale sings", "a red kite", "green tea in a pot"]


def test_rank_is_as_a_cross_encoders():
    ranker = Ranker("fake", budget=200)
    found = ranker.rank("red kite", TEXTS, return_documents=True)
    assert found[0]["corpus_id"] == 1
    assert found[0]["text"] == found[0]["document"] == "a red kite"
    assert [each["score"] for each in found] == sorted((each["score"] for each in found), reverse=True)
    [best] = ranker.rank("red kite", TEXTS, top_k=1)
    assert (best["corpus_id"], "text" in best) == (1, False)


def test_pictures_paths_bytes_and_ids_pass_through(tmp_path):
    purple = Image.new("RGB", (16, 16), (140, 20, 160))
    Image.new("RGB", (16, 16), (20, 160, 20)).save(tmp_path / "meadow.png")
    (tmp_path / "tea.txt").write_text("yellow tea", "utf-8")
    documents = [
        purple,
        tmp_path / "meadow.png",
        (tmp_path / "meadow.png").read_bytes(),
        tmp_path / "tea.txt",
        {"id": "both", "text": "a red thing", "image": purple},
    ]
    ranker = Ranker("fake", budget=500)
    assert ranker.rank("purple", documents)[0]["corpus_id"] == 0
    assert {each["corpus_id"] for each in ranker.rank("green", documents, top_k=2)} == {1, 2}
    assert ranker.rank("yellow", documents)[0]["corpus_id"] == 3
    assert ranker.rank("red", documents, return_documents=True)[0] == {
        **ranker.rank("red", documents)[0],
        "corpus_id": 4,
        "id": "both",
        "document": documents[4],
    }
    assert ranker.rank(purple, documents)[0]["corpus_id"] == 0
    assert ranker.rank({"text": "thing", "image": purple}, documents)[0]["corpus_id"] == 4


def test_a_string_is_never_a_path(tmp_path):
    path = tmp_path / "kite.txt"
    path.write_text("a red kite", "utf-8")
    found = Ranker("fake").rank("red", [str(path), "red"])
    assert found[0]["corpus_id"] == 1


def test_what_cannot_be_opened_comes_last_and_says_why(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    documents = ["", tmp_path / "broken.png", tmp_path / "nosuch.png", tmp_path / "a.xyz", "a kite", b""]
    found = Ranker("fake").rank("kite", documents)
    assert [each["corpus_id"] for each in found] == [4, 0, 1, 2, 3, 5]
    assert [each["score"] is None for each in found] == [False] + [True] * 5
    for each, why in zip(found[1:], ["empty", "readable", "no such file", "type", "bytes"], strict=True):
        assert why in each["note"]
    scores = Ranker("fake").predict([("kite", each) for each in documents])
    assert np.isnan(scores).tolist() == [True, True, True, True, False, True]
    assert len(Ranker("fake").rank("kite", ["", " "])) == 2
    assert Ranker("fake").rank("kite", []) == []


@pytest.mark.parametrize(
    ("query", "documents", "kind"),
    [
        ("", ["a"], InputInvalid),
        ("a", [3], BadArguments),
        ("a", [{"image": 3}], BadArguments),
        ("a", [{"image": "a.png", "video": "b.mp4"}], BadArguments),
        ("a", [{"text": 3}], BadArguments),
        ("a", [{"page": "a.pdf"}], BadArguments),
    ],
)
def test_what_is_of_no_known_form_is_refused(query, documents, kind):
    with pytest.raises(kind):
        Ranker("fake").rank(query, documents)


def test_a_pdf_is_told_by_its_page(tmp_path):
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "two.pdf"))
    for words in ("harbour cranes lift heavy loads", "spring tides follow the new moon"):
        canvas.drawString(72, 700, words)
        canvas.showPage()
    canvas.save()
    pages = [{"page": (tmp_path / "two.pdf", number)} for number in (1, 2)]
    assert Ranker("fake").rank("spring tides", pages)[0]["corpus_id"] == 1
    with pytest.raises(BadArguments, match="which page"):
        Ranker("fake").rank("spring tides", [tmp_path / "two.pdf"])


def test_predict_keeps_the_pairs_order():
    ranker = Ranker("fake", budget=200)
    pairs = [("red kite", TEXTS[0]), ("green tea", TEXTS[2]), ("red kite", TEXTS[1]), ("green tea", TEXTS[0])]
    scores = ranker.predict(pairs)
    assert (scores.shape, scores.dtype) == ((4,), np.float32)
    assert scores[2] > scores[0] and scores[1] > scores[3]
    assert ranker.predict([]).shape == (0,)


WORDS = st.lists(st.sampled_from(["red", "kite", "blue", "whale", "tea", ""]), max_size=6).map(" ".join)


@given(documents=st.lists(WORDS, max_size=30), budget=st.integers(0, 300))
def test_every_document_is_ranked_once_within_the_budget(documents, budget, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    with Cache(folder / "ranked.sqlite") as cache:
        ranked = Ranker(FakeModels(), budget=budget, cache=cache).ranked("red kite", documents)
    assert sorted([*ranked.places, *ranked.unread]) == list(range(len(documents)))
    assert all(not documents[place].strip() for place in ranked.unread)
    assert ranked.ranking.usage.spent <= budget


def test_more_than_a_hundred_are_all_ranked():
    texts = ["a blue whale"] * 227 + ["a red kite"] + ["a blue whale"] * 2
    found = Ranker("fake", budget=0).rank("red kite", texts)
    assert [each["corpus_id"] for each in found] == [227, *range(227), 228, 229]


def test_pictures_from_memory_leave_no_files_behind(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Ranker("fake").rank("red", [Image.new("RGB", (8, 8), "red")])
    assert [each for each in tmp_path.iterdir() if each.name.startswith("ponder-")] == []


FRAMEWORKS = {
    "langchain": ("langchain_core", "langchain"),
    "llama_index": ("llama_index", "llama-index"),
    "haystack": ("haystack", "haystack"),
    "mcp": ("mcp", "mcp"),
}


@pytest.mark.parametrize("module", FRAMEWORKS)
def test_without_its_framework_an_adapter_says_what_to_install(module):
    package, extra = FRAMEWORKS[module]
    # None in sys.modules is Python's own way to say that a package is not there.
    program = f"import sys; sys.modules[{package!r}] = None; import ponder.adapters.{module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f'pip install "ponder[{extra}]"' in done.stderr.splitlines()[-1]
    assert "MissingDependency" in done.stderr


def test_the_room_itself_is_light():
    program = "import ponder.adapters.rank, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {package for package, _ in FRAMEWORKS.values()} | {"numpy", "torch", "lancedb", "PIL"}
    assert not heavy & set(done.stdout.split())
