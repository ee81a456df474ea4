import math

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG

from ponder.evaluate.metrics import METRICS, hit_at_1_ties_against, scores_of, top_ties
from ponder.records import Hit, Item

OFFICIAL = {
    "hit@1": Success @ 1,
    "hit@5": Success @ 5,
    "hit@10": Success @ 10,
    "ndcg@5": nDCG @ 5,
    "ndcg@10": nDCG @ 10,
    "mrr@10": RR @ 10,
    "recall@100": R @ 100,
}

DOCS = [f"d{n:03}" for n in range(120)]


def hits(*scored):
    return [Hit(Item(doc, "text"), rank, score) for rank, (doc, score) in enumerate(scored, 1)]


def test_a_ranking_worked_out_by_hand():
    grades = {"a": 2, "b": 1, "c": 1, "gone": 3, "bad": 0}
    ranked = ["x", "b", "bad", "a", "y", "z", "c"]
    found = scores_of(ranked, grades)
    ideal5 = 3 + 2 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)
    dcg5 = 1 / math.log2(3) + 2 / math.log2(5)
    assert found["hit@1"] == 0
    assert found["hit@5"] == 1
    assert found["mrr@10"] == 0.5
    assert found["ndcg@5"] == pytest.approx(dcg5 / ideal5)
    assert found["ndcg@10"] == pytest.approx((dcg5 + 1 / math.log2(8)) / ideal5)
    assert found["recall@100"] == 0.75


def test_nothing_relevant_is_zero_everywhere():
    assert set(scores_of(["a"], {"a": 0, "b": -1}).values()) == {0.0}
    assert set(scores_of([], {"a": 1}).values()) == {0.0}


def test_relevant_past_the_cutoff_is_a_miss():
    found = scores_of(DOCS, {DOCS[10]: 1, DOCS[100]: 1})
    assert found["hit@10"] == found["mrr@10"] == found["ndcg@10"] == 0
    assert found["recall@100"] == 0.5


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(DOCS),
    st.dictionaries(st.sampled_from([*DOCS, "unseen"]), st.integers(0, 3), min_size=1, max_size=12),
)
def test_agrees_with_ir_measures(ranked, grades):
    run = [ir_measures.ScoredDoc("q", doc, float(-rank)) for rank, doc in enumerate(ranked)]
    qrels = [ir_measures.Qrel("q", doc, grade) for doc, grade in grades.items()]
    official = ir_measures.calc_aggregate(OFFICIAL.values(), qrels, run)
    ours = scores_of(ranked, grades)
    assert tuple(ours) == METRICS
    for name, measure in OFFICIAL.items():
        assert ours[name] == pytest.approx(official[measure], abs=1e-6), name


def test_a_constant_scorer_gets_nothing_for_its_ties():
    constant = hits(("gold", 1.0), ("other", 1.0), ("third", 0.5))
    assert top_ties(constant) == ("gold", "other")
    assert hit_at_1_ties_against(constant, {"gold": 1}) == 0
    assert hit_at_1_ties_against(constant, {"gold": 1, "other": 2}) == 1


def test_a_clear_winner_has_no_ties():
    clear = hits(("gold", 1.0), ("other", 0.5))
    assert top_ties(clear) == ()
    assert hit_at_1_ties_against(clear, {"gold": 1}) == 1
    assert hit_at_1_ties_against(clear, {"other": 1}) == 0
    assert hit_at_1_ties_against([], {"other": 1}) == 0
