import math

import pytest

from ponder.cascade import Rerank, Retrieve, Think, default_cascade
from ponder.cascade.judging import Wants, planned
from ponder.errors import BackendFailed, BadArguments, InputInvalid, MissingDependency
from ponder.records import Event, Query, Usage
from ponder.testing import BrokenReranker, FakeModels, FakeReranker, FakeShelf, GreedyReranker
from ponder.testing.examples import clip_content, text_content

TEXTS = ["kite kite kite whale", "kite soup", "red kite", "red red crane", "whale"]
JUDGED = Retrieve(10) >> Rerank("ecr", 3, weight=1.0)


@pytest.fixture
def shelf():
    return FakeShelf(TEXTS)


def with_judge(judge):
    models = FakeModels()
    models.rerankers["ecr"] = judge
    return FakeShelf(TEXTS, models)


def order(ranking):
    return [hit.item.id for hit in ranking]


def told(ranking, stage="ecr"):
    return [event.what for event in ranking.trace if event.stage == stage]


def test_the_judge_moves_what_it_prefers_and_the_trace_says_so(shelf):
    plain = Retrieve(10).on(shelf)("red kite")
    shelf.models.rerankers["ecr"] = FakeReranker("ecr", sign=-1)
    judged = JUDGED.on(shelf)("red kite", budget=1000)
    assert order(plain)[:2] == ["2", "0"]
    assert order(judged)[2] == "2"
    move = next(e for e in judged.trace if e.item == "2")
    assert (move.stage, move.before, move.after, move.score) == ("ecr", 1, 3, -1.0)
    assert move.what.startswith("moved 1 -> 3: score -1")
    assert told(judged)[0].startswith("judged 3 of 3 within ")
    last = judged.hits[2].stages
    assert [(s.name, s.score, s.rank) for s in last[1:]] == [("ecr", -1.0, 3)]
    assert last[0].rank == 1


def test_keep_limits_what_is_judged_not_what_is_returned(shelf):
    ranking = JUDGED.on(shelf)("red kite", budget=1000)
    assert len(ranking) == 5
    assert [hit.stages[-1].score is None for hit in ranking] == [False, False, False, True, True]
    assert ranking.hits[2].score == ranking.hits[3].score


def test_more_hits_than_retrieve_asks_for(shelf):
    ranking = Retrieve(2).on(shelf)("red kite", k=4)
    assert order(ranking) == order(Retrieve(10).on(shelf)("red kite"))[:4]


def test_a_budget_too_small_for_all_judges_the_first(shelf):
    ranking = JUDGED.on(shelf)("red kite", budget=6)
    assert told(ranking)[0] == "judged 1 of 3 within 5 of 6 tokens"
    assert [hit.stages[-1].score for hit in ranking] == [1.0, None, None, None, None]
    assert order(ranking) == order(Retrieve(10).on(shelf)("red kite"))


def test_a_judge_of_your_own(shelf):
    mine = FakeReranker("mine", sign=-1)
    ranking = (Retrieve(10) >> Rerank("mine", 3, weight=1.0, reranker=mine)).on(shelf)(
        "red kite", budget=1000
    )
    assert mine.calls == 1
    assert order(ranking)[2] == order(Retrieve(10).on(shelf)("red kite"))[0]


def test_stages_share_the_budget_and_pass_on_what_they_leave(shelf):
    ranking = default_cascade().on(FakeShelf(["kite"] * 30))("kite", budget=30)
    granted = {e.stage: e.what for e in ranking.trace if e.what.startswith("judged")}
    # 1 of the query, then 2 a candidate; the next stage writes 1 more a candidate.
    assert granted["ecr"] == "judged 8 of 20 within 17 of 18 tokens"
    assert granted["query-aware"] == "judged 4 of 10 within 13 of 13 tokens"
    assert ranking.by_stage["ecr"] == Usage(9, 8)
    assert list(ranking.by_stage) == ["retrieve", "ecr", "query-aware"]
    assert ranking.usage.spent == 30


@pytest.mark.parametrize(
    ("share", "later", "tokens"),
    [
        (None, Wants(None), 60),
        (None, Wants(), 100),
        (None, Wants(30), 70),
        (None, Wants(90), 60),
        (None, Wants(90, least=40), 60),
        # Too little for the next stage is better spent on this one.
        (None, Wants(90, least=41), 100),
        (0.25, Wants(), 25),
        (0, Wants(None), 0),
    ],
)
def test_the_plan(share, later, tokens):
    assert planned(Rerank("ecr", share=share), 100, later) == tokens


def test_a_stage_without_a_share_is_skipped(shelf):
    ranking = (Retrieve(10) >> Rerank("ecr", 3, share=0)).on(shelf)("red kite", budget=100)
    assert told(ranking) == ["skipped: no tokens for it, 100 left in all"]
    assert shelf.models.rerankers["ecr"].calls == 0


def test_an_engine_over_its_limit_is_charged_and_not_heard():
    shelf = with_judge(GreedyReranker("ecr", sign=-1))
    ranking = JUDGED.on(shelf)("red kite", budget=8)
    assert order(ranking) == order(Retrieve(10).on(shelf)("red kite"))
    assert ranking.usage.spent == 8
    assert told(ranking)[0].startswith("over its limit of 8 tokens, verdicts discarded")
    assert "over its limit" in ranking.hits[0].stages[-1].note
    heard = JUDGED.on(shelf)("red kite", budget=1000)
    assert order(heard) != order(ranking)


@pytest.mark.parametrize("breakage", ["none", "nan", "inf", "text"])
def test_verdicts_that_cannot_be_read_keep_their_place_and_are_flagged(breakage):
    ranking = JUDGED.on(with_judge(BrokenReranker("ecr", breakage=breakage, every=2)))("red kite", budget=99)
    flagged = [e for e in ranking.trace if "keeps its place" in e.what]
    assert [(e.before, e.after) for e in flagged] == [(1, 1), (3, 3)]
    assert "no verdict could be read: not parseable" in flagged[0].what
    assert [hit.stages[-1].score is None for hit in ranking][:3] == [True, False, True]
    assert all(s.score is None or math.isfinite(s.score) for hit in ranking for s in hit.stages)


@pytest.mark.parametrize(
    ("breakage", "why"),
    [("strangers", "was not asked about"), ("twice", "the item has one already")],
)
def test_verdicts_that_nobody_asked_for_are_ignored(breakage, why):
    ranking = JUDGED.on(with_judge(BrokenReranker("ecr", breakage=breakage)))("red kite", budget=99)
    fair = JUDGED.on(with_judge(FakeReranker("ecr")))("red kite", budget=99)
    assert sum(why in what for what in told(ranking)) == 3
    if breakage == "twice":
        assert ranking.hits == fair.hits


@pytest.mark.parametrize("breakage", ["raise", "crash"])
def test_a_failing_engine_is_an_error_unless_told_otherwise(breakage):
    shelf = with_judge(BrokenReranker("ecr", breakage=breakage))
    with pytest.raises(BackendFailed, match="the judge has"):
        JUDGED.on(shelf)("red kite", budget=99)
    kept = JUDGED.on(shelf, on_fault="keep")("red kite", budget=99)
    assert order(kept) == order(Retrieve(10).on(shelf)("red kite"))
    assert told(kept)[0].startswith("failed, order kept: ")
    assert next(event for event in kept.trace if event.stage == "ecr").failed
    assert kept.usage.spent == 99


def test_what_a_person_can_put_right_is_never_swallowed():
    class NotInstalled(FakeReranker):
        def rerank(self, query, candidates, *, limit):
            raise MissingDependency("no weights", "model x", "ponder models pull x")

    with pytest.raises(MissingDependency):
        JUDGED.on(with_judge(NotInstalled("ecr")), on_fault="keep")("red kite", budget=99)


def test_cached_counts_what_was_retrieved_and_not_read(shelf):
    tokens = {str(i): row.reasoning.tokens for i, row in enumerate(shelf.index.get(list("01234")))}
    assert Retrieve(10).on(shelf)("red kite").usage == Usage(cached=sum(tokens.values()))
    judged = JUDGED.on(shelf)("red kite", budget=1000)
    unread = sum(tokens[id_] for id_ in order(judged)[3:])
    assert judged.by_stage["retrieve"] == Usage(cached=unread)
    two = Retrieve(2).on(shelf)("red kite", k=5)
    assert two.usage.cached == sum(tokens[id_] for id_ in order(two)[:2])


def test_thinking_finds_what_the_words_do_not_say():
    shelf = FakeShelf(["a crane of steel", "a cello"])
    shelf.models.reasoner.knowledge = {"instrument": "cello"}
    cascade = Retrieve(10) >> Think(50, gate=None)
    assert order(cascade.on(shelf)("an instrument")) == ["0", "1"]
    ranking = cascade.on(shelf)("an instrument", budget=100)
    assert order(ranking) == ["1", "0"]
    # The reasoner reads 2 and writes 3; the embedder reads the query and the thought.
    assert ranking.by_stage["think"] == Usage(2 + 5, 3)
    assert told(ranking, "think")[0] == "thought: an instrument cello"
    assert [s.name for s in ranking.hits[0].stages] == ["retrieve", "think"]


def test_thinking_beyond_its_limit_is_not_heard():
    shelf = FakeShelf(["a crane of steel", "a cello"])

    def boundless(contents, *, role, tokens):
        return FakeModels(knowledge={"instrument": "cello"}).reasoner.reason(
            contents, role="document", tokens=10**6
        )

    shelf.models.reasoner.reason = boundless
    ranking = (Retrieve(10) >> Think(4, gate=None)).on(shelf)("an instrument", budget=100)
    assert order(ranking) == ["0", "1"]
    assert ranking.by_stage["think"].spent == 4
    assert "over its limit of 4 tokens" in told(ranking, "think")[0]


def test_a_thought_leaves_room_for_its_embedding():
    shelf = FakeShelf(["a crane of steel", "a cello"])
    shelf.models.reasoner.knowledge = {"instrument": "cello viola violin"}
    ranking = (Retrieve(10) >> Think(50, gate=None)).on(shelf)("an instrument", budget=13)
    assert order(ranking) == ["1", "0"]
    assert ranking.by_stage["think"] == Usage(2 + 2 + 3, 3)


def test_a_thought_that_cannot_be_embedded_within_the_budget_is_not_used():
    shelf = FakeShelf(["a crane of steel", "a cello"])
    shelf.models.reasoner.knowledge = {"instrument": "cello"}
    shelf.models.embedder.query_tokens = lambda content, reasoning: 90 if reasoning else 2
    ranking = (Retrieve(10) >> Think(50, gate=None)).on(shelf)("an instrument", budget=80)
    assert order(ranking) == ["0", "1"]
    assert ranking.usage.spent == 5
    assert "embedding the thought costs 90 tokens, 75 are left" in told(ranking, "think")[0]


def test_a_hit_shows_the_passage_and_the_reasoning_that_found_it():
    text = "one two three four five six seven eight nine ten eleven twelve kite"
    shelf = FakeShelf()
    shelf.add([text_content(text), clip_content((220, 20, 20), (20, 20, 220))])
    plain = Retrieve(5).on(shelf)("kite").hits[0]
    start = text.index("kite")
    assert (plain.part, plain.passage) == (f"chars={start}-{start + 4}", "kite")
    assert plain.reason == shelf.index.get(["0"])[0].reasoning.text
    moment = Retrieve(5).on(shelf)("blue").hits[0]
    assert (moment.part, moment.passage, moment.reason) == ("t=2,4", "blue blue", "blue blue")
    aware = (Retrieve(5) >> Rerank("query-aware", 1)).on(shelf)("kite", budget=99).hits[0]
    assert aware.reason == "kite"


def test_a_filter_goes_to_the_index():
    shelf = FakeShelf(["red"])
    shelf.add([clip_content((220, 20, 20))])
    assert [hit.item.kind for hit in Retrieve(5).on(shelf)("red", where="kind = 'video'")] == ["video"]


def test_an_empty_shelf_has_no_hits():
    ranking = default_cascade().on(FakeShelf())("red kite", budget=99)
    assert (len(ranking), ranking.usage) == (0, Usage())
    assert Event("ecr", "skipped: nothing to judge") in ranking.trace


def test_an_item_that_goes_while_we_look_is_left_out(shelf):
    found = shelf.index.get
    shelf.index.get = lambda ids: [row for row in found(ids) if row.item.id != "2"]
    assert "2" not in order(JUDGED.on(shelf)("red kite", budget=99))


@pytest.mark.parametrize(
    "arguments",
    [
        {"budget": -1},
        {"budget": 1.5},
        {"budget": math.nan},
        {"budget": True},
        {"budget": "64"},
        {"k": 0},
        {"k": 2.0},
        {"where": "colour of money"},
    ],
)
def test_arguments_that_cannot_be_used(shelf, arguments):
    with pytest.raises(BadArguments):
        Retrieve(10).on(shelf)("red kite", **arguments)


@pytest.mark.parametrize("query", ["", "  \n", Query()])
def test_an_empty_query_is_refused(shelf, query):
    with pytest.raises(InputInvalid):
        Retrieve(10).on(shelf)(query)


def test_a_query_that_is_neither_text_nor_query_is_refused(shelf):
    with pytest.raises(BadArguments, match="a query is text or a Query, not int"):
        Retrieve(10).on(shelf)(5)


class Priced(FakeReranker):
    """Says what it will cost, or fails to."""

    def __init__(self, name, cost, **how):
        super().__init__(name, **how)
        self.cost = cost

    def price(self, query, candidates):
        if isinstance(self.cost, Exception):
            raise self.cost
        return self.cost if self.cost is None or len(candidates) > 2 else min(self.cost, 2)


@pytest.mark.parametrize(
    ("cost", "granted"), [(None, 18), (10, 20), (25, 18), (BackendFailed("down", "stage"), 18)]
)
def test_what_the_next_stage_says_it_cannot_use_goes_to_the_first(cost, granted):
    models = FakeModels()
    models.rerankers["query-aware"] = Priced("query-aware", cost)
    ranking = default_cascade().on(FakeShelf(["kite"] * 30, models))("kite", budget=30)
    assert told(ranking)[0].endswith(f"of {granted} tokens")


@pytest.mark.parametrize("broken", ["reasoner", "embedder"])
def test_a_thought_that_fails_leaves_the_plain_search_if_that_is_allowed(broken):
    shelf = FakeShelf(["a crane of steel", "a cello"])
    plain = Retrieve(10).on(shelf)("an instrument")
    embed = shelf.models.embedder.embed_queries

    def failing(contents, reasonings=None, **_):
        if reasonings == [None]:
            return embed(contents, reasonings)
        raise RuntimeError("out of memory")

    if broken == "reasoner":
        shelf.models.reasoner.reason = failing
    else:
        shelf.models.embedder.embed_queries = failing
    cascade = Retrieve(10) >> Think(50, gate=None)
    with pytest.raises(BackendFailed, match=r"out of memory.*stage think"):
        cascade.on(shelf)("an instrument", budget=100)
    kept = cascade.on(shelf, on_fault="keep")("an instrument", budget=100)
    assert order(kept) == order(plain)
    assert [event.stage for event in kept.trace if event.failed] == ["think"]
    assert 0 < kept.usage.spent <= 100
