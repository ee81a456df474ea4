import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ponder.evaluate.bootstrap import interval, intervals, paired_difference

values = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None)
@given(values)
def test_bounds_lie_within_the_data_and_repeat(column):
    low, high = interval(column)
    assert min(column) - 1e-9 <= low <= high <= max(column) + 1e-9
    assert interval(column) == (low, high)


def test_width_is_that_of_the_normal_approximation():
    column = [1.0] * 128 + [0.0] * 192
    low, high = interval(column)
    half = 1.96 * math.sqrt(0.4 * 0.6 / 320)
    assert low == pytest.approx(0.4 - half, abs=0.005)
    assert high == pytest.approx(0.4 + half, abs=0.005)


def test_every_metric_gets_the_interval_that_it_would_get_alone():
    rng = np.random.default_rng(3)
    columns = {"a": rng.random(40).tolist(), "b": rng.random(40).tolist()}
    together = intervals(columns)
    for name, column in columns.items():
        assert together[name] == pytest.approx(interval(column))


def test_no_queries_no_interval():
    assert interval([]) == (0.0, 0.0)


def test_a_paired_difference_sees_what_two_intervals_do_not():
    rng = np.random.default_rng(7)
    theirs = rng.random(60)
    ours = theirs + 0.02 + rng.normal(0, 0.01, 60)
    found = paired_difference(ours.tolist(), theirs.tolist())
    assert 0 < found.low < found.mean < found.high
    assert found.p < 0.01
    assert interval(ours.tolist())[0] < interval(theirs.tolist())[1]


def test_the_same_system_does_not_differ():
    found = paired_difference([0.0, 1.0, 0.5], [0.0, 1.0, 0.5])
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="1 values against 2"):
        paired_difference([1.0], [1.0, 0.0])
