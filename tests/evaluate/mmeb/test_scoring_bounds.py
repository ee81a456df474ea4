"""What the official evaluator leaves open, against every order of ties and every pairing of grades."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_cases import every_outcome, judged, plain

from ponder.evaluate.mmeb.official import METRICS
from ponder.evaluate.mmeb.ranking import Vectors, rank_global, rank_local, rank_scored
from ponder.evaluate.mmeb.score import score

pytestmark = pytest.mark.filterwarnings("error")


@st.composite
def tied(draw):
    """A few candidates, few different scores, names that may be repeated."""
    count = draw(st.integers(1, 6))
    pool = [f"c{n}" for n in range(count)]
    score_of = {name: draw(st.sampled_from([0.0, 0.25, 0.5])) for name in pool}
    own = draw(st.permutations(pool + draw(st.lists(st.sampled_from(pool), max_size=7 - count))))
    labels = draw(st.lists(st.sampled_from([*pool, "elsewhere"]), unique=True, max_size=4))
    grades = draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)))
    return own, score_of, labels, grades


def scored(own, score_of, labels, grades):
    """Through embeddings of one value."""
    names = list(score_of)
    vectors = Vectors(
        np.ones((1, 1), np.float32), np.array([[score_of[n]] for n in names], np.float32), names
    )
    told = [judged(labels, grades)]
    return score(rank_local(vectors, told, [own]), told)


@st.composite
def crowded(draw):
    """A tie that reaches past the last place that metrics look at, with few labels in it."""
    count = draw(st.integers(9, 13))
    pool = [f"c{n}" for n in range(count)]
    before = draw(st.integers(0, 3))
    score_of = {name: 1.0 if n < before else 0.5 for n, name in enumerate(pool)}
    labels = draw(st.lists(st.sampled_from(pool), unique=True, min_size=1, max_size=2))
    own = draw(st.permutations(pool + draw(st.lists(st.sampled_from(labels), max_size=1))))
    grades = draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)))
    return own, score_of, labels, grades


@settings(max_examples=100)
@given(st.one_of(tied(), crowded()))
def test_the_bounds_are_the_extremes_over_all_orders_and_pairings(case):
    own, score_of, labels, grades = case
    found = scored(*case)
    outcomes = every_outcome(own, [score_of[n] for n in own], labels, grades, pairings=True)
    against = every_outcome(own, [score_of[n] for n in own], labels, grades, pairings=False)
    spans = {each.metric: each for each in found.ambiguous}
    for metric in METRICS:
        values = [each[metric] for each in outcomes]
        least, greatest = min(values), max(values)
        if metric in spans:
            assert spans[metric].least == pytest.approx(least, abs=1e-12)
            assert spans[metric].greatest == pytest.approx(greatest, abs=1e-12)
        else:
            assert greatest == pytest.approx(least, abs=1e-12)
            assert found.metrics[metric] == pytest.approx(least, abs=1e-12)
        assert least - 1e-12 <= found.metrics[metric] <= greatest + 1e-12
        assert found.ties_against[metric] == pytest.approx(min(each[metric] for each in against), abs=1e-12)


@given(tied())
def test_official_values_are_those_of_a_sort_that_keeps_the_candidates_order(case):
    own, score_of, labels, grades = case
    ranked = sorted(own, key=lambda name: -score_of[name])
    wanted = plain(ranked, labels, dict(zip(labels, grades, strict=True)))
    assert scored(*case).metrics == pytest.approx(wanted, abs=1e-12)


@given(tied())
def test_a_ranking_that_came_with_scores_has_the_same_figures(case):
    own, score_of, labels, grades = case
    once = sorted(dict.fromkeys(own), key=lambda name: -score_of[name])
    told = [judged(labels, grades)]
    ranked = rank_scored([(once, [score_of[n] for n in once])], told, [own])
    found, wanted = score(ranked, told), scored(*case)
    assert found.ties_against == pytest.approx(wanted.ties_against)
    for side in ("least", "greatest"):
        spans = ({e.metric: getattr(e, side) for e in each.ambiguous} for each in (found, wanted))
        assert next(spans) == pytest.approx(next(spans))


def test_why_a_metric_is_open_is_told_metric_by_metric():
    vectors = Vectors(np.ones((2, 1)), np.array([[1.0], [1.0], [0.5]]), ["a", "b", "c"])
    told = [judged(["a"]), judged(["b", "c"], [1, 2])]
    reasons = {each.metric: each.why for each in score(rank_global(vectors, told), told).ambiguous}
    assert "PYTHONHASHSEED" not in reasons["hit@1"]
    assert "one score" in reasons["hit@1"]
    assert "PYTHONHASHSEED" in reasons["ndcg_linear@5"]
    assert "recall@10" not in reasons


def test_a_constant_scorer_gets_all_officially_and_nothing_with_ties_against():
    vectors = Vectors(np.ones((1, 4)), np.ones((40, 4)), list(range(40)))
    told = [judged([0])]
    for ranked in (rank_global(vectors, told), rank_local(vectors, told, [list(range(40))])):
        found = score(ranked, told)
        assert found.metrics["hit@1"] == found.metrics["ndcg_linear@5"] == 1.0
        assert found.ties_against["hit@10"] == 0.0
        assert {each.metric for each in found.ambiguous} == set(METRICS)


def test_integers_are_paired_in_the_order_of_their_set_and_the_textbook_is_told():
    vectors = Vectors(np.ones((1, 1)), np.array([[2.0], [1.0]]), [8, 3])
    told = [judged([3, 8], [1, 3])]
    assert list({3, 8}) == [8, 3]
    found = score(rank_global(vectors, told), told)
    assert found.ambiguous == []
    assert found.textbook["ndcg_linear@1"] == pytest.approx(3 / 3)
    assert found.metrics["ndcg_linear@1"] == pytest.approx(1 / 3)


def test_the_textbook_ranks_a_name_once_and_leaves_queries_without_labels_out():
    vectors = Vectors(np.ones((2, 1)), np.array([[2.0], [1.0]]), ["a", "b"])
    told = [judged(["a"]), judged([])]
    found = score(rank_local(vectors, told, [["a", "a", "b"], ["b"]]), told)
    assert found.metrics["ndcg_linear@5"] == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert found.textbook["ndcg_linear@5"] == 1.0
    assert found.metrics["recall@1"] == 1.0
    assert found.metrics["hit@1"] == 0.5
    assert found.textbook["hit@1"] == 1.0
