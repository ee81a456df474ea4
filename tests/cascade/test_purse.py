"""A common budget: never exceeded, blind to the order of queries, spent where the first place is open."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_search_invariants import BREAKAGES, TEXTS, budgets, cascades, order, queries, quick, shelves

from ponder.cascade import Rerank, Retrieve, Think
from ponder.cascade.ledger import Ledger
from ponder.cascade.pacing import ALLOCATIONS, Runner, chance
from ponder.errors import BackendFailed, BadArguments, InputInvalid
from ponder.records import Judgement, Usage
from ponder.testing import BrokenReranker, FakeModels, FakeReranker, FakeShelf
from ponder.testing.words import words

batches = st.lists(queries, max_size=6)


class Priced(FakeReranker):
    """A judge that says what it costs."""

    def price(self, query, candidates):
        read = sum(1 + len(words(each.row.reasoning.text)) for each in candidates)
        return len(words(query.text)) + read


def shelf_of(texts, judge):
    models = FakeModels()
    models.rerankers["ecr"] = judge
    return FakeShelf(texts, models)


@quick
@given(cascades(), shelves(), batches, budgets, st.integers(1, 15), st.sampled_from(ALLOCATIONS))
def test_the_purse_and_the_shape_of_the_answers(cascade, shelf, asked, budget, k, allocate):
    search = cascade.on(shelf, on_fault="keep")
    found = search.batch(asked, budget=budget, k=k, allocate=allocate)
    assert [ranking.query.text for ranking in found] == asked
    assert sum(ranking.usage.spent for ranking in found) <= budget * len(asked)
    for ranking in found:
        assert ranking.usage.spent <= ranking.budget
        assert sum(ranking.by_stage.values(), Usage()) == ranking.usage
        assert min(ranking.usage.read, ranking.usage.written, ranking.usage.cached) >= 0
        assert len(set(order(ranking))) == len(ranking) == min(k, len(shelf.index))
        assert all(math.isfinite(hit.score) for hit in ranking)


@quick
@given(TEXTS, batches, budgets, st.sampled_from([-1.0, 0.0, 0.3, 1.0, 7.0, math.inf, math.nan]))
def test_a_judge_that_lies_about_its_price_breaks_no_purse(texts, asked, budget, factor):
    judge = Priced("ecr", spread=1.0)
    judge.price = lambda query, candidates: factor if factor % 1 else int(factor) * len(candidates)
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf_of(texts, judge))
    found = search.batch(asked, budget=budget)
    assert sum(ranking.usage.spent for ranking in found) <= budget * len(asked)


@quick
@given(
    cascades(),
    TEXTS,
    st.lists(queries, max_size=6, unique=True),
    budgets,
    st.randoms(),
    st.sampled_from([0.0, 0.1, 1.0, math.inf]),
)
def test_the_order_of_queries_does_not_count(cascade, texts, asked, budget, random, spread):
    models = FakeModels()
    models.rerankers = {name: FakeReranker(name, spread=spread) for name in "abc"}
    search = cascade.on(FakeShelf(texts, models))
    mixed = random.sample(asked, len(asked))
    found = {ranking.query.text: ranking for ranking in search.batch(asked, budget=budget)}
    again = {ranking.query.text: ranking for ranking in search.batch(mixed, budget=budget)}
    for name, ranking in found.items():
        assert (ranking.hits, ranking.trace) == (again[name].hits, again[name].trace)


@quick
@given(TEXTS, queries, budgets, st.sampled_from(BREAKAGES))
def test_a_query_alone_spends_no_more_than_it_has(texts, query, budget, breakage):
    shelf = shelf_of(texts, BrokenReranker("ecr", breakage=breakage))
    [found] = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf, on_fault="keep").batch([query], budget=budget)
    assert found.usage.spent <= budget


def test_what_a_safe_query_leaves_goes_to_an_open_one():
    texts = ["red kite", "steel crane", *(f"blue whale {number}" for number in range(8))]
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf_of(texts, FakeReranker("ecr", spread=0.05)))
    safe, contested = search.batch(["red kite", "blue whale"], budget=20)
    assert safe.usage.spent == 0
    assert 20 < contested.usage.spent <= 40
    assert contested.budget == 40
    alone = search("blue whale", budget=20, allocate="adaptive")
    assert sum(hit.stages[-1].score is not None for hit in alone) < sum(
        hit.stages[-1].score is not None for hit in contested
    )


def test_the_more_open_of_two_is_served_when_one_can_be():
    texts = [*(f"red kite {number}" for number in range(4)), "steel crane", "steel crane soup cello"]
    judge = Priced("ecr", spread=0.3)
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf_of(texts, judge))
    closer, wider = search.batch(["red kite", "steel crane"], budget=9)
    assert (closer.usage.spent > 0, wider.usage.spent) == (True, 0)
    assert any("purse" in event.what or "no tokens" in event.what for event in wider.trace)


def test_a_question_that_was_given_too_little_is_asked_again_with_more():
    texts = ["steel crane", *(f"red kite {number}" for number in range(8))]
    stages = Retrieve(20) >> Rerank("ecr", 8, weight=1.0)
    judge = FakeReranker("ecr", spread=0.3)
    found = stages.on(shelf_of(texts, judge)).batch(["red kite", *["steel crane"] * 9], budget=5)
    # A question costs 2 tokens and a candidate 4 or 5 more, but the judge cannot say so.
    assert sum(hit.stages[-1].score is not None for hit in found[0]) == 8
    assert sum(ranking.usage.spent for ranking in found) <= 50
    every = FakeReranker("ecr", spread=None)
    [one, *_] = stages.on(shelf_of(texts, every)).batch(["red kite", *["steel crane"] * 9], budget=1)
    assert one.usage.spent <= 10


def test_a_judge_that_spends_and_says_nothing_is_not_asked_again():
    class Mute(FakeReranker):
        def rerank(self, query, candidates, *, limit):
            self.calls += 1
            return Judgement((), Usage(read=min(limit, 3)))

    judge = Mute("ecr", spread=0.3)
    search = (Retrieve(20) >> Rerank("ecr", 8, weight=1.0)).on(shelf_of(["red kite"] * 5, judge))
    found = search.batch(["red kite"] * 4, budget=5)
    assert judge.calls == 4
    assert sum(ranking.usage.spent for ranking in found) == 12


def test_thinking_takes_no_more_than_the_mean():
    search = (Retrieve(20) >> Think(500, gate=None) >> Rerank("ecr", 10)).on(
        FakeShelf(["red kite", "blue whale"])
    )
    found = search.batch(["red kite", "blue whale"], budget=30)
    assert all(ranking.by_stage["think"].spent <= 30 for ranking in found if "think" in ranking.by_stage)
    assert any("think" in ranking.by_stage for ranking in found)


def test_uniform_gives_each_the_mean():
    texts = [f"red kite {number}" for number in range(10)]
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(FakeShelf(texts))
    asked = ["red kite", "red kite 3"]
    found = search.batch(asked, budget=25, allocate="uniform")
    assert [r.hits for r in found] == [search(query, budget=25).hits for query in asked]


def test_what_cannot_be_asked_for():
    search = Retrieve(20).on(FakeShelf(["red kite"]))
    with pytest.raises(BadArguments, match="unknown allocator"):
        search.batch(["kite"], allocate="magic")
    with pytest.raises(BadArguments, match="2 filters for 1 queries"):
        search.batch(["kite"], where=[None, None])
    with pytest.raises(BadArguments, match="too small"):
        search.batch(["kite"], budget=-1)
    assert search.batch([], budget=5) == []


def test_a_query_that_cannot_be_used_costs_nobody_anything():
    judge = FakeReranker("ecr", spread=1.0)
    search = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf_of(["red kite", "kite red"], judge))
    with pytest.raises(InputInvalid):
        search.batch(["red kite", "  "], budget=50)
    assert judge.calls == 0


def test_a_fault_ends_the_batch_unless_it_may_go_on():
    texts = [f"red kite {number}" for number in range(5)]
    stages = Retrieve(20) >> Rerank("ecr", 5)
    shelf = shelf_of(texts, BrokenReranker("ecr", breakage="raise"))
    with pytest.raises(BackendFailed):
        stages.on(shelf).batch(["red kite"], budget=50)
    [kept] = stages.on(shelf, on_fault="keep").batch(["red kite"], budget=50)
    assert any(event.failed for event in kept.trace)


def test_a_ledger_draws_on_its_purse():
    purse = Ledger(100)
    one, other = Ledger(80, purse), Ledger(80, purse)
    grant = one.reserve("ecr", 70)
    assert (one.left, other.left, purse.left) == (10, 30, 30)
    assert one.settle(grant, Usage(read=50))
    assert (one.left, other.left, purse.left) == (30, 50, 50)
    other.forfeit(other.reserve("ecr", 45))
    assert (one.left, other.left, purse.spent) == (5, 5, 95)
    with pytest.raises(ValueError, match="another ledger's"):
        other.settle(grant, Usage())


runners = st.lists(
    st.builds(Runner, st.floats(-1, 1), st.sampled_from([0.0, 0.05, 0.5, math.inf]), st.just("image")),
    min_size=2,
    max_size=8,
).map(lambda found: sorted(found, key=lambda runner: -runner.score))


@given(runners, st.data())
def test_a_chance_is_one_and_more_candidates_have_more(field, data):
    judged = data.draw(st.dictionaries(st.integers(0, len(field) - 1), st.none() | st.floats(-1, 1)))
    waiting = [place for place in range(len(field)) if place not in judged]
    some = waiting[: len(waiting) // 2]
    assert 0 <= chance(field, judged, some) <= chance(field, judged, waiting) <= 1
