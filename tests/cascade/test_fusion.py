import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.rerank.fusion import LARGEST, fuse, usable

scores = st.lists(st.floats(-1, 1), min_size=1, max_size=12).map(lambda s: sorted(s, reverse=True))
verdicts = st.floats(-30, 30) | st.sampled_from([None, math.nan, math.inf, -math.inf, 1e300, "yes", True])
normalise = st.sampled_from(["raw", "zscore", "minmax"])


@given(scores, st.lists(verdicts, min_size=12, max_size=12), st.floats(0, 10), normalise, st.data())
def test_invariants(earlier, judged, weight, how, data):
    judged = judged[: len(earlier)]
    floor = data.draw(st.none() | st.floats(-2, earlier[-1]))
    fused = fuse(earlier, judged, weight, normalise=how, floor=floor)
    assert sorted(fused.order) == list(range(len(earlier)))
    shown = [*fused.scores] + ([] if floor is None else [floor])
    assert all(a >= b for a, b in itertools.pairwise(shown))
    assert all(math.isfinite(score) for score in fused.scores)
    for place, verdict in enumerate(judged):
        if not usable(verdict):
            assert fused.order[place] == place
            assert fused.sums[place] is None
    sums = [fused.sums[i] for i in fused.order if fused.sums[i] is not None]
    assert sums == sorted(sums, reverse=True)


@given(scores, st.floats(-30, 30), st.floats(0, 10), normalise)
def test_a_judge_that_says_the_same_of_all_changes_no_order(earlier, same, weight, how):
    # Sums of unlike scores may round to a tie, never past one another.
    fused = fuse(earlier, [same] * len(earlier), weight, normalise=how)
    assert fused.order == tuple(range(len(earlier)))


@given(scores, st.lists(st.floats(-30, 30), min_size=12, max_size=12))
def test_without_weight_the_judge_has_no_say(earlier, judged):
    assert fuse(earlier, judged[: len(earlier)], 0.0).order == tuple(range(len(earlier)))


def test_the_sum_decides():
    assert fuse([0.5, 0.4, 0.3], [-2.0, -1.0, -3.0], 0.2).order == (1, 0, 2)
    assert fuse([0.5, 0.4, 0.3], [-2.0, -1.9, -3.0], 0.2).order == (0, 1, 2)


def test_the_block_ends_at_the_next_score_and_keeps_its_differences():
    fused = fuse([0.9, 0.8, 0.7], [0.0, 1.0, 0.5], 1.0, floor=0.6)
    assert fused.order == (1, 2, 0)
    assert fused.scores == pytest.approx((1.5, 0.9, 0.6))
    assert fused.sums == pytest.approx((0.9, 1.8, 1.2))


def test_a_block_judged_in_part_ends_at_the_first_unjudged():
    fused = fuse([0.9, 0.8, 0.7, 0.6], [0.0, 1.0, None, None], 1.0, floor=0.1)
    assert fused.order == (1, 0, 2, 3)
    assert fused.scores == pytest.approx((1.6, 0.7, 0.7, 0.6))


def test_what_was_not_judged_between_the_judged_keeps_its_absolute_place():
    fused = fuse([0.9, 0.8, 0.7, 0.6], [0.0, math.nan, 9.0, None], 1.0)
    assert fused.order == (2, 1, 0, 3)
    assert fused.scores[0] > fused.scores[1] > fused.scores[2]


def test_raw_scores_keep_a_small_difference_small_and_zscores_do_not():
    earlier, judged = [0.50, 0.49, 0.40], [0.500, 0.501, 0.502]
    assert fuse(earlier, judged, 1.0).order == (0, 1, 2)
    assert fuse(earlier, judged, 1.0, normalise="zscore").order == (2, 1, 0)
    assert fuse(earlier, judged, 1.0, normalise="minmax").order == (2, 1, 0)


@pytest.mark.parametrize("score", [None, math.nan, -math.inf, LARGEST * 2, 10**400, "5", False, [1]])
def test_nothing_judged_nothing_changed(score):
    fused = fuse([0.9, 0.2], [score, score], 1.0, floor=0.1)
    assert (fused.order, fused.scores) == ((0, 1), (0.9, 0.2))


def test_a_lead_over_the_unjudged_is_not_erased():
    """One judged, the rest not: the budget sufficed for one, which must not cost it its lead."""
    assert fuse([0.30, 0.12], [-4.0, None], 1.0).scores == pytest.approx((0.30, 0.12))
