"""Mining keeps its budget, goes on where it stopped, and refuses a judge that says nothing."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset, load_beir
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.settings import Settings
from ponder.feedback import mining
from ponder.feedback.deciding import Thresholds
from ponder.feedback.mining import MiningSettings, mine
from ponder.index.cache import Cache
from ponder.models.registry import load
from ponder.train.pairs import Pair, made_of, read_pairs

KINDS = ["crane", "kite", "whale", "cello", "harbour", "violin", "letter", "bridge"]
COLOURS = ["red", "blue", "green", "white"]
QUERIES = 70  # more than two blocks


def write_texts(folder: Path) -> Path:
    """A text for each colour and kind, one of them twice; queries for many, a few others as dev."""
    (folder / "qrels").mkdir(parents=True)
    texts = {f"{colour}-{kind}": f"a {colour} {kind}" for colour in COLOURS for kind in KINDS}
    rows = [{"_id": name, "text": text} for name, text in texts.items()]
    rows.append({"_id": "copy", "text": texts["red-crane"]})
    names = list(texts)
    asked = [(f"q{n:02}", texts[names[n % len(names)]], names[n % len(names)]) for n in range(QUERIES)]
    asked += [("lost", "a yellow submarine", "nowhere")]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    others = [(f"d{n:02}", f"{texts[name]} at noon", name) for n, name in enumerate(names[:8])]
    queries = ({"_id": name, "text": text} for name, text, _ in [*asked, *others])
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    for split, some in (("train", asked), ("dev", others)):
        labels = "".join(f"{name}\t{document}\t1\n" for name, _, document in some)
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + labels)
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dataset, Corpus]]:
    folder = write_texts(tmp_path_factory.mktemp("mining") / "texts")
    dataset = load_beir(folder, split="train")
    with Cache(folder / "cache.sqlite") as cache:
        yield dataset, build_corpus(dataset.items, load("fake", cache=cache), cache, Settings())


SETTINGS = MiningSettings(ranks=(1, 10), budget=200, negatives=3)


class Stop(Exception):
    """An interruption."""


def stop(done: int, of: int) -> None:
    if done > mining.BLOCK:
        raise Stop


def _of(pairs: list[Pair], query: str) -> dict[str, Pair]:
    return {pair.document_id: pair for pair in pairs if pair.query_id == query}


def test_a_copy_is_found_and_the_rest_is_handed_on(texts: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = texts
    found = mine(dataset, corpus, SETTINGS, tmp_path / "out")
    pairs = list(read_pairs(found.path))
    first = _of(pairs, "q00")
    assert first["red-crane"].decision == "positive"
    assert first["copy"].decision == "false-negative"
    assert "a copy of the positive" in first["copy"].why
    hard = [pair for pair in pairs if pair.decision == "hard-negative"]
    assert hard
    for pair in hard:
        assert pair.judge is not None
        assert pair.positive_judge is not None
        assert pair.judge < pair.positive_judge
        assert pair.grade == 0
    assert max(found.negatives) <= 3
    assert found.queries == QUERIES
    assert [each.uri for each in found.left_out] == ["query lost"]
    assert made_of(found.path)["dataset"] == "texts"


@pytest.mark.parametrize("budget", [0, 20, 50, 200])
def test_no_query_costs_more_than_its_budget(
    texts: tuple[Dataset, Corpus], tmp_path: Path, budget: int
) -> None:
    dataset, corpus = texts
    settings = dataclasses.replace(SETTINGS, budget=budget)
    spent: dict[str, int] = {}
    for pair in read_pairs(mine(dataset, corpus, settings, tmp_path / "out").path):
        spent[pair.query_id] = spent.get(pair.query_id, 0) + pair.tokens
    assert max(spent.values()) <= budget
    if not budget:
        assert set(spent.values()) == {0}


def test_without_a_budget_the_retriever_decides(texts: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = texts
    found = mine(dataset, corpus, dataclasses.replace(SETTINGS, budget=0), tmp_path / "out")
    assert found.decisions["hard-negative"] > 0
    assert "unjudged" not in found.decisions


def test_what_was_interrupted_goes_on_to_the_same_pairs(
    texts: tuple[Dataset, Corpus], tmp_path: Path
) -> None:
    dataset, corpus = texts
    whole = list(read_pairs(mine(dataset, corpus, SETTINGS, tmp_path / "whole").path))

    with pytest.raises(Stop):
        mine(dataset, corpus, SETTINGS, tmp_path / "out", stop)
    parts = sorted((tmp_path / "out" / "pairs").iterdir())
    kept = {part.name: part.stat().st_mtime_ns for part in parts}
    assert len(kept) == 2
    found = mine(dataset, corpus, SETTINGS, tmp_path / "out")
    assert list(read_pairs(found.path)) == whole
    assert {part.name: part.stat().st_mtime_ns for part in parts} == kept


def test_other_settings_are_refused_with_what_differs(texts: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = texts
    mine(dataset, corpus, SETTINGS, tmp_path / "out")
    other = dataclasses.replace(SETTINGS, lines=Thresholds(relative=0.9))
    with pytest.raises(InputInvalid, match=r"settings.lines.relative was 0.95, is 0.9"):
        mine(dataset, corpus, other, tmp_path / "out")
    found = mine(dataset, corpus, other, tmp_path / "out", fresh=True)
    assert made_of(found.path)["settings"]["lines"]["relative"] == 0.9


def test_a_judge_without_an_opinion_is_refused(texts: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = texts
    silent = dataclasses.replace(SETTINGS, budget=1)
    with pytest.raises(InputInvalid, match="says the same of everything, or nothing"):
        mine(dataset, corpus, silent, tmp_path / "out")


def test_no_query_with_a_positive_is_refused(texts: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = texts
    lost = dataclasses.replace(dataset, queries=dataset.queries[-1:])
    with pytest.raises(InputInvalid, match="no query has a positive"):
        mine(lost, corpus, SETTINGS, tmp_path / "out")


def test_more_candidates_than_documents_are_all_of_them(
    texts: tuple[Dataset, Corpus], tmp_path: Path
) -> None:
    dataset, corpus = texts
    few = dataclasses.replace(dataset, queries=dataset.queries[:2])
    found = mine(few, corpus, dataclasses.replace(SETTINGS, ranks=(1, 500)), tmp_path / "out")
    assert sum(found.decisions.values()) == 2 * len(corpus.index)
