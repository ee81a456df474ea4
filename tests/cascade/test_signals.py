"""Signals that cost no tokens, and the gates that look at them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.cascade import Rerank, Retrieve, Think
from ponder.cascade.signals import SIGNALS, signals
from ponder.records import Candidate, Embedded, Gate, Item, Reasoning, Row, Trust
from ponder.testing import FakeModels, FakeReranker, FakeShelf
from ponder.testing.examples import text_content

VECTOR = np.array([1.0, 0.0, 1.0, 0.0], np.float32)
BLOCKS = {"meaning": (0, 2), "words": (2, 4)}


def candidate(rank, vector, score):
    row = Row(Item(f"i{rank}", "text"), Reasoning(), Embedded(("",), np.array([vector], np.float32)), "d")
    return Candidate(row, "", score, rank)


@given(st.lists(st.floats(-1, 1), max_size=30))
def test_signals_are_in_their_ranges(scores):
    found = signals(
        text_content("a b c"),
        [candidate(n, VECTOR, score) for n, score in enumerate(sorted(scores, reverse=True))],
        VECTOR,
        BLOCKS,
    )
    assert tuple(found) == SIGNALS
    assert found["margin"] >= 0
    assert -1e-9 <= found["entropy"] <= 1 + 1e-9
    assert found["agreement"] in (0.0, 0.5, 1.0)
    assert found["words"] == 3
    assert found["pictured"] == 0


def test_a_wide_lead_has_a_large_margin_and_little_entropy():
    wide, narrow = ([candidate(n, VECTOR, s) for n, s in enumerate(scores)] for scores in
                    ((0.9, 0.1, 0.1, 0.1), (0.9, 0.8, 0.7, 0.6)))  # fmt: skip
    query = text_content("a")
    one, other = signals(query, wide, VECTOR, {}), signals(query, narrow, VECTOR, {})
    assert one["margin"] > other["margin"]
    assert one["entropy"] < other["entropy"]


@pytest.mark.parametrize(
    ("first", "second", "agreement"),
    [([1, 0, 1, 0], [0, 0, 0, 0], 1.0), ([1, 0, 0, 0], [0, 0, 1, 0], 0.5), ([0, 0, 0, 0], [1, 0, 1, 0], 0.0)],
)
def test_blocks_agree_where_each_would_put_the_same_first(first, second, agreement):
    found = signals(text_content("a"), [candidate(1, first, 0.5), candidate(2, second, 0.4)], VECTOR, BLOCKS)
    assert found["agreement"] == agreement


class Known:
    """A calibration with one gate."""

    embedder = ""
    fingerprint = "known"

    def __init__(self, gate):
        self.gate = gate

    def trust(self, stage, judge, kind):
        return Trust(1.0, 10.0, "measured", self.gate)

    def chance(self, stage, judge, kind, score, mean):
        return 0.5


@pytest.mark.parametrize("allocate", ["uniform", "adaptive"])
def test_a_shut_gate_spends_nothing_says_why_and_can_be_switched_off(allocate):
    models = FakeModels(calibration=Known(Gate("words", False, 3.0, "short queries gain nothing")))
    models.rerankers["ecr"] = FakeReranker("ecr")
    search = (Retrieve(10) >> Rerank("ecr", 5)).on(FakeShelf(["red kite", "kite kite", "whale"], models))
    shut = search("red kite", budget=500, allocate=allocate)
    assert shut.usage.spent == 0
    [gate] = [event.what for event in shut.trace if event.what.startswith("gate: no text")]
    assert "its words of 2 is below 3: short queries gain nothing" in gate
    assert search("red kite", budget=500, allocate=allocate, gates=False).usage.spent > 0
    assert search("a red kite flies", budget=500, allocate=allocate).usage.spent > 0


def test_a_calibration_says_how_likely_a_hit_is():
    models = FakeModels(calibration=Known(None))
    search = (Retrieve(10) >> Rerank("ecr", 2)).on(FakeShelf(["red kite", "kite kite", "whale"], models))
    hits = search("red kite", budget=500).hits
    assert [hit.stages[-1].chance for hit in hits] == [0.5, 0.5, None]


@pytest.mark.parametrize(("threshold", "thought"), [(1e9, True), (-1.0, False)])
def test_a_gate_says_whether_a_query_is_thought_about(threshold, thought):
    shelf = FakeShelf(["a crane of steel", "a cello"])
    shelf.models.reasoner.knowledge = {"instrument": "cello"}
    gate = Gate("margin", True, threshold, "measured")
    found, ungated = (
        (Retrieve(10) >> Think(50, gate=each)).on(shelf)("an instrument", budget=100) for each in (gate, None)
    )
    assert ("think" in found.by_stage) == thought
    if thought:
        assert found.hits == ungated.hits
    else:
        assert any("gate: not thought" in event.what and "measured" in event.what for event in found.trace)
    off = (Retrieve(10) >> Think(50, gate=gate)).on(shelf)("an instrument", budget=100, gates=False)
    assert off.by_stage == ungated.by_stage


@pytest.mark.parametrize(("kinds", "share"), [("image video", 1.0), ("image page", 0.5), ("page text", 0.0)])
def test_pictured_is_the_share_of_pictures_and_clips(kinds, share):
    found = [candidate(n, VECTOR, 0.5) for n, _ in enumerate(kinds.split())]
    shown = [replace(c, row=replace(c.row, item=Item(c.row.item.id, kind)))
             for c, kind in zip(found, kinds.split(), strict=True)]  # fmt: skip
    assert signals(text_content("a"), shown, VECTOR, BLOCKS)["pictured"] == share


def test_nobody_thinks_about_pages_unless_told():
    shelf = FakeShelf(["a crane of steel", "a cello"])
    shelf.models.reasoner.knowledge = {"instrument": "cello"}
    left_out, thought = (
        (Retrieve(10) >> stage).on(shelf)("an instrument", budget=100)
        for stage in (Think(50), Think(50, gate=None))
    )
    assert left_out.usage.spent == 0 and thought.by_stage["think"].spent > 0
