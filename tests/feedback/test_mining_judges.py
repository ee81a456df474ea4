"""Whatever a judge does, mining keeps its budget, hands on nothing it should not, or refuses."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mined_towns import indexed, write_towns

from ponder.errors import BackendFailed, InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.feedback.mining import MiningSettings, mine
from ponder.protocols import Reranker
from ponder.testing import (
    BrokenReranker,
    ConstantReranker,
    FakeReranker,
    GreedyReranker,
    SpoiltReranker,
)
from ponder.train.pairs import Pair, read_pairs

QUERIES = 6


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_towns(tmp_path_factory.mktemp("judges") / "towns", QUERIES)


def mined(towns: Dataset, judge: Reranker, how: MiningSettings) -> tuple[list[Pair], bool]:
    """What was written, and whether it was refused in the end."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = indexed(towns, Path(folder), judge), Path(folder) / "out"
        try:
            mine(towns, corpus, how, out)
        except InputInvalid:
            return list(read_pairs(out / "pairs")), True
        return list(read_pairs(out / "pairs")), False


_broken = st.builds(
    BrokenReranker,
    breakage=st.sampled_from(["none", "nan", "inf", "text", "strangers", "twice", "negative-usage"]),
    every=st.integers(1, 3),
)
_spoilt = st.builds(
    SpoiltReranker,
    st.builds(FakeReranker),
    st.sampled_from(["noise", "constant", "negated"]),
    st.sampled_from([0.0, 1.0, 1e6]),
)
_judges = st.one_of(
    st.builds(FakeReranker, sign=st.sampled_from([1, -1]), spread=st.sampled_from([None, 0.1])),
    st.builds(GreedyReranker),
    st.builds(ConstantReranker),
    _broken,
    _spoilt,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    judge=_judges,
    budget=st.integers(0, 400),
    first=st.integers(1, 12),
    more=st.integers(0, 40),
    stages=st.sampled_from(["ecr", "ecr:3", "ecr,query-aware", "ecr,query-aware:2"]),
    negatives=st.integers(0, 5),
)
@example(GreedyReranker(), 1, 1, 20, "ecr", 3)
@example(BrokenReranker(breakage="negative-usage"), 30, 1, 20, "ecr,query-aware", 3)
def test_no_judge_costs_more_than_the_budget_or_hands_on_a_copy(
    towns: Dataset, judge: Reranker, budget: int, first: int, more: int, stages: str, negatives: int
) -> None:
    how = MiningSettings((first, first + more), budget, negatives, stages)
    pairs, _ = mined(towns, judge, how)
    spent = dict.fromkeys((pair.query_id for pair in pairs), 0)
    hard = dict.fromkeys(spent, 0)
    for pair in pairs:
        assert pair.why
        assert pair.tokens >= 0
        spent[pair.query_id] += pair.tokens
        hard[pair.query_id] += pair.decision == "hard-negative"
        if pair.decision == "hard-negative":
            assert pair.grade == 0
            assert (pair.judge is None) == (budget == 0)
    assert len(spent) == QUERIES
    assert max(spent.values()) <= budget
    assert max(hard.values()) <= negatives
    keys = [(pair.query_id, pair.document_id) for pair in pairs]
    assert len(keys) == len(set(keys))
    answered = {pair.query_id for pair in pairs if pair.document_id == "red-crane" and pair.grade > 0}
    for pair in pairs:
        if pair.document_id == "copy" and pair.query_id in answered:
            assert pair.decision == "false-negative"


@pytest.mark.parametrize(
    "judge",
    [
        ConstantReranker("ecr"),
        SpoiltReranker(FakeReranker("ecr"), "constant"),
        *(BrokenReranker("ecr", breakage=how) for how in ("none", "nan", "inf", "text", "strangers")),
        GreedyReranker("ecr"),
    ],
    ids=["constant", "spoilt", "none", "nan", "inf", "text", "strangers", "greedy"],
)
@pytest.mark.parametrize("budget", [60, 100])
def test_a_judge_that_tells_nothing_apart_is_refused(towns: Dataset, judge: Reranker, budget: int) -> None:
    """Also where the tokens end before the last candidate: who was not asked is no other opinion.

    The greedy one needs some 140 for all that it judges at once: its verdicts are thrown away.
    """
    _, refused = mined(towns, judge, MiningSettings((1, 19), budget, 3, "ecr"))
    assert refused


def test_a_fair_judge_is_not(towns: Dataset) -> None:
    pairs, refused = mined(towns, FakeReranker("ecr"), MiningSettings((1, 19), 1000, 3, "ecr"))
    assert not refused
    assert any(pair.decision == "hard-negative" for pair in pairs)


@dataclass(eq=False)
class Failing(FakeReranker):
    """Fails when it is asked for the n-th time; otherwise and by name the judge that it was."""

    at: int = 4

    @property
    def fingerprint(self) -> str:
        return FakeReranker("ecr").fingerprint

    def rerank(self, query, candidates, *, limit):  # type: ignore[no-untyped-def]
        if self.calls + 1 == self.at:
            raise BackendFailed("the server is gone", self.name, "start it again")
        return super().rerank(query, candidates, limit=limit)


def test_a_judge_that_fails_costs_no_pair(towns: Dataset, tmp_path: Path) -> None:
    how = MiningSettings((1, 10), 200, 3, "ecr")
    whole = mine(towns, indexed(towns, tmp_path), how, tmp_path / "whole")
    with pytest.raises(BackendFailed, match="the server is gone"):
        mine(towns, indexed(towns, tmp_path, Failing("ecr")), how, tmp_path / "out")
    again = mine(towns, indexed(towns, tmp_path), how, tmp_path / "out")
    assert list(read_pairs(again.path)) == list(read_pairs(whole.path))


def test_another_judge_does_not_go_on(towns: Dataset, tmp_path: Path) -> None:
    how = MiningSettings((1, 10), 200, 3, "ecr")
    mine(towns, indexed(towns, tmp_path), how, tmp_path / "out")
    with pytest.raises(InputInvalid, match=r"judges.ecr was"):
        mine(towns, indexed(towns, tmp_path, FakeReranker("ecr", sign=-1)), how, tmp_path / "out")
