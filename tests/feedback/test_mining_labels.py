"""Labels as they come: irrelevant ones, excluded ones, and candidates that nobody was asked about."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mined_towns import HOW, indexed, write_towns

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Corpus
from ponder.feedback.mining import MiningSettings, mine
from ponder.records import Content, Skipped
from ponder.testing import FakeReranker
from ponder.train.pairs import Pair, read_pairs


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Corpus]:
    folder = tmp_path_factory.mktemp("labels")
    dataset = write_towns(folder / "towns", 8)
    return dataset, indexed(dataset, folder)


def _mined(dataset: Dataset, corpus: Corpus, how: MiningSettings, out: Path) -> dict[str, dict[str, Pair]]:
    pairs: dict[str, dict[str, Pair]] = {}
    for pair in read_pairs(mine(dataset, corpus, how, out).path):
        pairs.setdefault(pair.query_id, {})[pair.document_id] = pair
    return pairs


@pytest.mark.parametrize("grade", [0, -1])
def test_a_label_that_says_irrelevant_makes_a_hard_negative_but_not_of_a_copy(
    towns: tuple[Dataset, Corpus], tmp_path: Path, grade: int
) -> None:
    dataset, corpus = towns
    how = replace(HOW, lines=replace(HOW.lines, relative=0.01))
    before = _mined(dataset, corpus, how, tmp_path / "before")["q000"]
    doubtful = next(name for name, pair in before.items() if pair.decision == "doubtful")
    assert before["copy"].decision == "false-negative"
    first = replace(dataset.queries[0], grades={**dataset.queries[0].grades, doubtful: grade, "copy": grade})
    told = replace(dataset, queries=(first, *dataset.queries[1:]))
    after = _mined(told, corpus, how, tmp_path / "after")["q000"]
    assert (after[doubtful].decision, after[doubtful].grade) == ("hard-negative", grade)
    assert after[doubtful].why.startswith("labelled irrelevant, but score")
    assert after["copy"].decision == "doubtful"
    assert "copy of the positive" in after["copy"].why


def test_a_query_that_excludes_its_only_positive_is_left_out_and_listed(
    towns: tuple[Dataset, Corpus], tmp_path: Path
) -> None:
    dataset, corpus = towns
    first = replace(dataset.queries[0], exclude=frozenset(dataset.queries[0].grades))
    found = mine(replace(dataset, queries=(first, *dataset.queries[1:])), corpus, HOW, tmp_path / "out")
    assert found.queries == len(dataset.queries) - 1
    [lost] = found.left_out
    assert (lost.uri, lost.error) == (
        "query q000",
        "no positive in the corpus that it does not exclude itself",
    )


def test_whom_no_judge_was_asked_about_is_not_judged(towns: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = towns
    pairs = _mined(dataset, corpus, replace(HOW, budget=10_000, stages="ecr:3"), tmp_path / "out")
    for of_query in pairs.values():
        heard = [pair for pair in of_query.values() if pair.judge is not None]
        assert len(heard) == 3
        for pair in of_query.values():
            if pair not in heard and pair.decision != "false-negative":
                assert (pair.decision, pair.why) == (
                    "unjudged",
                    "no judge was asked about it, or none answered",
                )


class Watched:
    """An embedder that tells how many queries it is handed at a time."""

    def __init__(self, inner: object) -> None:
        self._inner = inner
        self.handed: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def embed_queries(self, contents: Sequence[Content], reasonings: Sequence[None]) -> object:
        self.handed.append(len(contents))
        return self._inner.embed_queries(contents, reasonings)  # type: ignore[attr-defined]


def test_not_all_queries_are_in_memory_at_a_time(tmp_path: Path) -> None:
    dataset = write_towns(tmp_path / "towns", 150)
    corpus = indexed(dataset, tmp_path, FakeReranker("ecr"))
    watched = Watched(corpus.models.embedder)
    models = replace(corpus.models, embedder=watched)
    mine(dataset, replace(corpus, models=models), HOW, tmp_path / "out")
    # Each twice: to doubt its labels, and to find its documents.
    assert sum(watched.handed) == 300
    assert max(watched.handed) <= 32


def test_without_a_budget_no_pair_has_a_judge_s_score(towns: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    """It would be the retriever's own, and be distilled from as a judge's."""
    dataset, corpus = towns
    for budget in (0, 200):
        out = tmp_path / f"out-{budget}"
        pairs = list(read_pairs(mine(dataset, corpus, replace(HOW, budget=budget), out).path))
        assert any(pair.decision == "hard-negative" for pair in pairs)
        assert any(pair.judge is not None for pair in pairs) == (budget > 0)
        assert any(pair.positive_judge is not None for pair in pairs) == (budget > 0)


def test_queries_that_cannot_be_opened_at_all_are_named(
    towns: tuple[Dataset, Corpus], tmp_path: Path
) -> None:
    dataset, corpus = towns
    lost = replace(dataset, queries=(), skipped=(Skipped("query.png", "no such file"),))
    with pytest.raises(InputInvalid, match=r"none of 1 queries can be opened.*no such file"):
        mine(lost, corpus, HOW, tmp_path / "out")


def test_one_document_is_mined_for_though_no_judge_can_tell_it_apart(tmp_path: Path) -> None:
    dataset = write_towns(tmp_path / "towns", 1)
    alone = replace(dataset, items=dataset.items[:1])
    found = mine(alone, indexed(alone, tmp_path), HOW, tmp_path / "out")
    assert found.decisions == {"positive": 1}
