"""The stage that shares candidates of all kinds out to their judges, and what a limit pays for."""

from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import HashedEncoder, WordLanguage, candidate

from ponder.records import Candidate, Kind, PartReasoning
from ponder.rerank.briefs import Brief, affordable
from ponder.rerank.by_kind import JudgeByKind
from ponder.rerank.events import EventsJudge
from ponder.rerank.late_interaction import LateInteractionJudge
from ponder.rerank.likelihood import LikelihoodJudge
from ponder.rerank.naming import NamingJudge
from ponder.testing.examples import text_content

PLENTY = 100_000
WORD = st.sampled_from(["harbour", "violin", "moon", "tide", "boat", "sail", "knot", "rope"])
SENTENCE = st.lists(WORD, min_size=1, max_size=8).map(" ".join)


def page(id_: str, *passages: str, kind: Kind = "page") -> Candidate:
    parts = [PartReasoning(f"chars={i}-{i + 1}", text) for i, text in enumerate(passages)]
    return candidate(id_, PartReasoning("", ""), *parts, kind=kind)


def picture(id_: str, name: str) -> Candidate:
    facts = {"claims": [[name, "", 1.0, name]], "things": [[name, 1.0, -5.0]]}
    return candidate(id_, PartReasoning("", name, facts))


@given(costs=st.lists(st.integers(0, 50), max_size=10), limit=st.integers(0, 200))
def test_the_affordable_are_the_longest_beginning_within_the_limit(costs, limit):
    briefs = [Brief(picture(str(i), "koala"), cost, None) for i, cost in enumerate(costs)]
    taken = affordable(briefs, limit)
    assert taken == briefs[: len(taken)]
    assert sum(brief.cost for brief in taken) <= limit
    assert len(taken) == len(briefs) or sum(brief.cost for brief in briefs[: len(taken) + 1]) > limit


def stage(language: WordLanguage) -> JudgeByKind:
    encoder = HashedEncoder()
    passages = LateInteractionJudge(encoder, "passage")
    judges = {"image": NamingJudge(language), "page": passages, "text": passages}
    return JudgeByKind("query-aware", "words", judges, EventsJudge(language, encoder, lambda vector: vector))


MIXED = st.lists(st.tuples(st.sampled_from(["image", "page", "text", "video"]), SENTENCE), max_size=6).map(
    lambda drawn: [
        picture(str(i), text) if kind == "image" else page(str(i), text, kind=kind)
        for i, (kind, text) in enumerate(drawn)
    ]
)


@given(found=MIXED, query=SENTENCE, limit=st.integers(0, 150))
def test_kinds_together_keep_one_limit_and_the_first_are_judged_first(found, query, limit):
    judgement = stage(WordLanguage()).rerank(text_content(query), found, limit=limit)
    assert judgement.usage.spent <= limit
    assert [v.id for v in judgement.verdicts] == [c.row.item.id for c in found][: len(judgement.verdicts)]


def test_each_kind_gets_the_score_that_its_judge_would_give_it_alone():
    query, koala, knot = text_content("knot for a boat"), picture("koala", "koala"), page("knot", "A knot.")
    together = {
        v.id: v.score for v in stage(WordLanguage()).rerank(query, [koala, knot], limit=PLENTY).verdicts
    }
    assert together == {
        "koala": NamingJudge(WordLanguage()).judge(query, [koala], limit=PLENTY).verdicts[0].score,
        "knot": LateInteractionJudge(HashedEncoder(), "passage")
        .judge(query, [knot], limit=PLENTY)
        .verdicts[0]
        .score,
    }


def test_a_kind_without_a_judge_is_said_to_have_none():
    clip = page("clip", "a boat", kind="video")
    found = stage(WordLanguage()).rerank(text_content("boat"), [clip, page("p", "a boat")], limit=PLENTY)
    assert found.verdicts[0].score is None
    assert "no judge" in found.verdicts[0].note


def test_clips_of_a_query_without_events_are_judged_by_the_judge_of_their_kind():
    kept = LikelihoodJudge(WordLanguage())
    judge = JudgeByKind(
        "ecr", "words", {"video": kept}, EventsJudge(WordLanguage(), HashedEncoder(), lambda vector: vector)
    )
    clip = candidate("clip", PartReasoning("", "a boat"), kind="video")
    assert judge.rerank(text_content("boat"), [clip], limit=PLENTY) == kept.rerank(
        text_content("boat"), [clip], limit=PLENTY
    )


def test_a_query_too_long_for_the_judges_is_left_alone_and_costs_nothing():
    language = WordLanguage()
    found = [picture("koala", "koala"), page("p", "a boat")]
    query = text_content("boat " * 2000)
    judgement = stage(language).rerank(query, found, limit=10**9)
    assert [(v.score, "longer" in v.note) for v in judgement.verdicts] == [(None, True)] * 2
    assert judgement.usage.spent == language.read == stage(language).price(query, found) == 0


@given(found=MIXED, query=SENTENCE)
def test_the_price_is_what_judging_all_costs(found, query):
    price = stage(WordLanguage()).price(text_content(query), found)
    if price is not None:
        judgement = stage(WordLanguage()).rerank(text_content(query), found, limit=price)
        assert judgement.usage.spent == price
        assert len(judgement.verdicts) == len(found)
