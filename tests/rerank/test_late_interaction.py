"""Pages and texts judged piece by piece, behind a quotation or a whole passage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import HashedEncoder, candidate

from ponder.records import Candidate, PartReasoning, Usage
from ponder.rerank.late_interaction import LateInteractionJudge
from ponder.testing.examples import text_content

PLENTY = 100_000
EVIDENCE = st.sampled_from(["quotation", "passage"])
WORD = st.sampled_from(["harbour", "violin", "moon", "tide", "boat", "sail", "knot", "rope"])
SENTENCE = st.lists(WORD, min_size=1, max_size=8).map(" ".join)
TEXTS = st.lists(st.lists(SENTENCE, min_size=1, max_size=3), max_size=6)


def page(id_: str, *passages: str, part: str = "") -> Candidate:
    parts = [PartReasoning(f"chars={i}-{i + 1}", text) for i, text in enumerate(passages)]
    return candidate(id_, PartReasoning("", ""), *parts, kind="page", part=part)


def judged(query: str, *pages: Candidate, evidence="quotation", limit: int = PLENTY):
    return LateInteractionJudge(HashedEncoder(), evidence).judge(text_content(query), pages, limit=limit)


def test_the_sentence_that_bears_on_the_query_is_quoted_wherever_it_stands():
    found = judged("knot holding boat", page("p", "The moon. The tide.", "A sail. The knot for a boat."))
    assert found.verdicts[0].reasoning == "It says: The knot for a boat."


def test_what_is_quoted_fits_and_stands_in_the_order_of_the_page():
    filler = " ".join(["rope"] * 30)
    text = f"The knot. {filler} knot. {filler} boat knot. A boat."
    found = judged("knot of a boat", page("p", text))
    assert found.verdicts[0].reasoning == f"It says: The knot. {filler} boat knot. A boat."


@pytest.mark.parametrize("evidence", ["quotation", "passage"])
def test_a_page_that_answers_is_judged_above_one_that_does_not(evidence):
    found = judged(
        "knot for a boat",
        page("moon", "A boat in the moon."),
        page("knot", "The knot for a boat."),
        evidence=evidence,
    )
    scores = {verdict.id: verdict.score for verdict in found.verdicts}
    assert scores["knot"] > scores["moon"]


def test_the_passage_that_retrieval_found_is_read_whole():
    passages = ("A knot and a boat.", "The moon and the tide.")
    query = "the moon and the tide"
    of_second = judged(query, page("p", *passages, part="chars=1-2"), evidence="passage")
    of_first = judged(query, page("p", *passages, part="chars=0-1"), evidence="passage")
    assert of_second.verdicts[0].score > of_first.verdicts[0].score


def test_of_a_page_found_as_a_whole_the_passage_richest_in_the_query_is_read():
    passages = ("A knot and a boat.", "The moon and the tide.")
    query = "the moon and the tide"
    whole = judged(query, page("p", *passages), evidence="passage")
    assert whole == judged(query, page("p", *passages, part="chars=1-2"), evidence="passage")


def test_a_page_without_a_word_of_the_query_is_not_quoted_and_costs_nothing():
    found = judged("violin", page("p", "The moon. The tide."))
    assert found.verdicts[0].score is None
    assert found.verdicts[0].note
    assert found.usage == Usage()


@given(query=SENTENCE, texts=TEXTS, evidence=EVIDENCE)
def test_a_page_is_judged_alike_whoever_else_is_judged(query, texts, evidence):
    pages = [page(str(i), *passages) for i, passages in enumerate(texts)]
    together = judged(query, *pages, evidence=evidence).verdicts
    assert list(together) == [judged(query, each, evidence=evidence).verdicts[0] for each in pages]


@given(texts=TEXTS, query=SENTENCE, limit=st.integers(0, 150), evidence=EVIDENCE)
def test_the_limit_is_kept_and_what_is_read_is_what_was_priced(texts, query, limit, evidence):
    encoder = HashedEncoder()
    pages = [page(str(i), *passages) for i, passages in enumerate(texts)]
    judge = LateInteractionJudge(encoder, evidence)
    judgement = judge.judge(text_content(query), pages, limit=limit)
    briefs = judge.briefs(text_content(query), pages)[: len(judgement.verdicts)]
    assert judgement.usage == Usage(read=encoder.read)
    assert judgement.usage.spent == sum(brief.cost for brief in briefs) <= limit
    assert [v.id for v in judgement.verdicts] == [str(i) for i in range(len(judgement.verdicts))]
