"""What holds for any cascade, any engines, any budget."""

import math
from functools import partial
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ponder.cascade import Cascade, Rerank, Retrieve, Think
from ponder.cascade.pacing import ALLOCATIONS
from ponder.records import Judgement, Usage
from ponder.testing import (
    BrokenReranker,
    ConstantReranker,
    FakeModels,
    FakeReasoner,
    FakeReranker,
    FakeShelf,
    GreedyReranker,
)

WORDS = ["red", "kite", "blue", "whale", "steel", "crane", "soup", "cello"]
BREAKAGES = ["none", "nan", "inf", "text", "strangers", "twice", "raise", "crash", "negative-usage"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=10)
NAMES = ["a", "b", "c"]


class NoJudgement(FakeReranker):
    def rerank(self, query, candidates, *, limit):
        return None


class WildUsage(FakeReranker):
    def rerank(self, query, candidates, *, limit):
        fair = super().rerank(query, candidates, limit=limit)
        return Judgement(fair.verdicts, Usage(math.nan, 10**30))


class BoundlessReasoner(FakeReasoner):
    def reason(self, contents, *, role, tokens):
        return super().reason(contents, role="document", tokens=tokens + 1000)


def engine(name):
    return st.one_of(
        st.builds(
            FakeReranker,
            st.just(name),
            thinks=st.booleans(),
            sign=st.sampled_from([1, -1, 10**6]),
            spread=st.sampled_from([None, 0.0, 0.1, 1.0, math.inf]),
        ),
        st.builds(ConstantReranker, st.just(name), constant=st.floats(-9, 9)),
        st.builds(GreedyReranker, st.just(name)),
        st.builds(
            BrokenReranker,
            st.just(name),
            breakage=st.sampled_from(BREAKAGES),
            every=st.integers(1, 3),
        ),
        st.builds(NoJudgement, st.just(name)),
        st.builds(WildUsage, st.just(name)),
    )


@st.composite
def cascades(draw):
    keep = k = draw(st.integers(1, 12))
    stages = [Retrieve(k)]
    if draw(st.booleans()):
        stages.append(Think(draw(st.integers(1, 100)), gate=None))
    for name in draw(st.permutations(NAMES))[: draw(st.integers(0, 3))]:
        keep = draw(st.integers(1, keep))
        stages.append(
            Rerank(
                name,
                keep,
                weight=draw(st.none() | st.floats(0, 50)),
                share=draw(st.none() | st.floats(0, 1)),
                normalise=draw(st.sampled_from(["raw", "zscore", "minmax"])),
            )
        )
    return Cascade(tuple(stages))


@st.composite
def shelves(draw):
    models = FakeModels(knowledge={"cello": "instrument", "kite": "bird"})
    models.rerankers = {name: draw(engine(name)) for name in NAMES}
    shelf = FakeShelf(draw(TEXTS), models)
    if draw(st.booleans()):
        models.reasoner = BoundlessReasoner()
    return shelf


queries = st.lists(st.sampled_from([*WORDS, "instrument"]), min_size=1, max_size=4).map(" ".join)
allocators = st.sampled_from(ALLOCATIONS)
budgets = st.integers(0, 120) | st.integers(0, 5000)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def order(ranking):
    return [hit.item.id for hit in ranking]


@quick
@given(cascades(), shelves(), queries, budgets, st.integers(1, 15), allocators)
def test_the_budget_and_the_shape_of_the_answer(cascade, shelf, query, budget, k, allocate):
    ranking = cascade.on(shelf, on_fault="keep")(query, budget=budget, k=k, allocate=allocate)
    assert ranking.usage.spent <= budget == ranking.budget
    assert sum(ranking.by_stage.values(), Usage()) == ranking.usage
    assert min(ranking.usage.read, ranking.usage.written, ranking.usage.cached) >= 0
    assert len(set(order(ranking))) == len(ranking) == min(k, len(shelf.index))
    assert [hit.rank for hit in ranking] == list(range(1, len(ranking) + 1))
    assert all(a.score >= b.score for a, b in pairwise(ranking))
    assert all(math.isfinite(hit.score) for hit in ranking)


@quick
@given(cascades(), shelves(), queries, budgets, allocators)
def test_stages_reorder_what_was_retrieved_and_nothing_below_what_they_keep(
    cascade, shelf, query, budget, allocate
):
    everything = max(1, len(shelf.index))
    plain = order(Retrieve(100).on(shelf)(query, k=everything))
    search = partial(cascade.on(shelf, on_fault="keep"), query, budget=budget, allocate=allocate)
    full = search(k=everything)
    assert sorted(order(full)) == sorted(plain)
    if len(cascade.stages) > 1 and isinstance(cascade.stages[1], Think):
        plain = [h.item.id for h in sorted(full, key=_rank_before_judging)]
    keep = max((s.keep for s in cascade.stages if isinstance(s, Rerank)), default=0)
    assert order(full)[keep:] == plain[keep:]
    untouched = [h.item.id for h in full if all(s.score is None for s in h.stages if s.name in NAMES)]
    assert untouched == [id_ for id_ in plain if id_ in untouched]
    for k in (1, 3):
        assert order(search(k=k)) == order(full)[:k]


def _rank_before_judging(hit):
    return next(s.rank for s in reversed(hit.stages) if s.name in ("retrieve", "think"))


@quick
@given(cascades(), shelves(), queries, st.integers(1, 15))
def test_no_budget_is_plain_retrieval(cascade, shelf, query, k):
    plain = Retrieve(cascade.stages[0].k).on(shelf)(query, k=k)
    cascaded = cascade.on(shelf)(query, budget=0, k=k)
    assert cascaded.hits == plain.hits
    assert cascaded.usage == plain.usage
    assert all(reranker.calls == 0 for reranker in shelf.models.rerankers.values())


@quick
@given(cascades(), shelves(), queries, budgets, allocators)
def test_the_same_again(cascade, shelf, query, budget, allocate):
    search = cascade.on(shelf, on_fault="keep")
    first, second = (search(query, budget=budget, allocate=allocate) for _ in range(2))
    assert (first.hits, first.trace, first.by_stage) == (second.hits, second.trace, second.by_stage)


@quick
@given(TEXTS, queries, budgets, st.floats(0, 50), st.floats(-9, 9), allocators)
def test_a_judge_without_opinion_changes_no_order(texts, query, budget, weight, constant, allocate):
    models = FakeModels()
    models.rerankers["ecr"] = ConstantReranker("ecr", constant=constant)
    shelf = FakeShelf(texts, models)
    cascade = Retrieve(20) >> Rerank("ecr", 10, weight=weight)
    judged = cascade.on(shelf)(query, budget=budget, allocate=allocate)
    assert order(judged) == order(Retrieve(20).on(shelf)(query))


@quick
@given(TEXTS, queries, budgets)
def test_a_judge_that_cannot_be_read_changes_nothing_but_the_trace(texts, query, budget):
    models = FakeModels()
    models.rerankers["ecr"] = BrokenReranker("ecr")
    shelf = FakeShelf(texts, models)
    plain = Retrieve(20).on(shelf)(query)
    judged = (Retrieve(20) >> Rerank("ecr", 10)).on(shelf)(query, budget=budget)
    assert [(h.item.id, h.score) for h in judged] == [(h.item.id, h.score) for h in plain]
