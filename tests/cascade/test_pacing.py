"""Racing: who is judged next, when it ends, and what the cascade does with it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.cascade import Rerank, Retrieve
from ponder.cascade.pacing import ROUND, Runner, check_allocation, next_round
from ponder.errors import BadArguments
from ponder.testing import BrokenReranker, FakeModels, FakeReranker, FakeShelf

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]

runners = st.lists(
    st.builds(
        Runner,
        st.floats(-1, 1),
        st.sampled_from([0.0, 0.05, 0.5, math.inf]),
        st.sampled_from(["image", "page"]),
    ),
    min_size=1,
    max_size=12,
).map(lambda found: sorted(found, key=lambda runner: -runner.score))
gains = st.lists(st.none() | st.floats(-2, 2), min_size=12, max_size=12)


def widened(field, width):
    return [replace(runner, width=width) for runner in field]


@given(runners, gains, st.floats(0, 5), st.booleans())
def test_a_race_ends_and_judges_nobody_twice(field, said, width, sits):
    judged = {}
    for _ in range(len(field) + 1):
        step = next_round(widened(field, width), judged, sits=sits)
        if not step.places:
            break
        assert not set(step.places) & judged.keys()
        assert (judged and not sits) or len(step.places) <= ROUND
        assert list(step.places) == sorted(step.places)
        judged |= {place: said[place] for place in step.places}
    else:
        pytest.fail("the race never ended")
    assert step.why


@given(runners, gains)
def test_who_is_left_out_could_not_have_led_within_the_width(field, said):
    width, judged = 1.0, {}
    while (step := next_round(widened(field, width), judged)).places:
        judged |= {place: said[place] for place in step.places}
    if not judged:
        return
    sums = [field[p].score + said[p] for p in judged if said[p] is not None]
    leader = max(sums, default=field[0].score)
    for place in set(range(len(field))) - judged.keys():
        if math.isfinite(field[place].swing):
            assert field[place].score + width * field[place].swing <= leader + 1e-9


def test_a_wide_lead_is_not_judged_and_the_trace_says_why():
    models = FakeModels()
    models.rerankers["ecr"] = FakeReranker("ecr", spread=0.01)
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(FakeShelf(["red kite", "a whale", "steel"], models))
    ranking = search("red kite", budget=500, allocate="adaptive")
    assert ranking.usage.spent == 0
    assert models.rerankers["ecr"].calls == 0
    [event] = [event for event in ranking.trace if event.stage == "ecr"]
    assert event.what.startswith("gate: not judged, the lead of ")


def test_an_open_order_is_judged_in_rounds_until_it_is_safe():
    texts = [f"red kite {word}" for word in WORDS]
    models = FakeModels()
    models.rerankers["ecr"] = FakeReranker("ecr", spread=10.0)
    search = (Retrieve(20) >> Rerank("ecr", 10, weight=1.0)).on(FakeShelf(texts, models))
    adaptive = search("red kite nine", budget=5000, allocate="adaptive", k=10)
    uniform = search("red kite nine", budget=5000, k=10)
    assert models.rerankers["ecr"].calls == 2 + 1
    assert [hit.item.id for hit in adaptive] == [hit.item.id for hit in uniform]
    assert adaptive.hits[0].item.text == "red kite nine"


def test_a_judge_that_sits_is_asked_in_rounds_of_equal_size():
    class Sitting(FakeReranker):
        def sitting(self):
            return self

    texts = [f"red kite {word}" for word in WORDS]
    models = FakeModels()
    models.rerankers["ecr"] = Sitting("ecr", spread=10.0)
    search = (Retrieve(20) >> Rerank("ecr", 10, weight=1.0)).on(FakeShelf(texts, models))
    search("red kite nine", budget=5000, allocate="adaptive")
    assert models.rerankers["ecr"].calls == math.ceil(min(10, len(texts)) / ROUND)


def test_a_judge_that_has_to_see_all_is_asked_once():
    models = FakeModels()
    models.rerankers["ecr"] = FakeReranker("ecr", spread=None)
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(FakeShelf(["red kite"] * 9, models))
    search("red kite", budget=5000, allocate="adaptive")
    assert models.rerankers["ecr"].calls == 1


def test_rounds_share_one_grant():
    texts = [f"red kite {number}" for number in range(10)]
    models = FakeModels()
    models.rerankers["ecr"] = FakeReranker("ecr", spread=10.0)
    search = (Retrieve(20) >> Rerank("ecr", 10, weight=1.0)).on(FakeShelf(texts, models))
    for budget in range(0, 80):
        ranking = search("red kite", budget=budget, allocate="adaptive")
        assert ranking.usage.spent <= budget


def test_a_fault_in_a_later_round_keeps_what_was_judged():
    class FailsLater(FakeReranker):
        def rerank(self, query, candidates, *, limit):
            if self.calls:
                raise RuntimeError("the engine is gone")
            return super().rerank(query, candidates, limit=limit)

    models = FakeModels()
    models.rerankers["ecr"] = FailsLater("ecr", spread=10.0)
    shelf = FakeShelf([f"red kite {number}" for number in range(10)], models)
    search = (Retrieve(20) >> Rerank("ecr", 10, weight=1.0)).on(shelf, on_fault="keep")
    ranking = search("red kite", budget=500, allocate="adaptive")
    assert sum(hit.stages[-1].score is not None for hit in ranking) == ROUND
    assert any(event.failed and "the engine is gone" in event.what for event in ranking.trace)


def test_verdicts_that_cannot_be_read_do_not_stop_a_race():
    models = FakeModels()
    models.rerankers["ecr"] = BrokenReranker("ecr")
    shelf = FakeShelf([f"red kite {number}" for number in range(10)], models)
    plain = Retrieve(20).on(shelf)("red kite")
    ranking = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf)("red kite", budget=5000, allocate="adaptive")
    assert [hit.item.id for hit in ranking] == [hit.item.id for hit in plain]


def test_an_unknown_allocator():
    with pytest.raises(BadArguments, match="known: uniform, adaptive"):
        check_allocation("magic")
