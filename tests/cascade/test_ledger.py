import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.cascade.ledger import Ledger
from ponder.errors import BadArguments
from ponder.records import Usage

reports = st.builds(
    Usage,
    st.integers(-50, 500) | st.sampled_from([True, 2.5, math.nan, None, "many"]),
    st.integers(-50, 500),
    st.integers(0, 50),
)


@given(
    st.integers(0, 1000),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 700), reports, st.booleans()), max_size=12),
)
def test_no_report_and_no_order_of_calls_breaks_the_cap(budget, calls):
    ledger = Ledger(budget)
    open_grants = []
    for stage, tokens, report, at_once in calls:
        grant = ledger.reserve(stage, tokens)
        assert grant.tokens <= tokens
        open_grants.append((grant, report))
        if at_once:
            ledger.settle(*open_grants.pop(0))
        assert ledger.spent + sum(grant.tokens for grant, _ in open_grants) + ledger.left == budget
        assert ledger.left >= 0
    for grant, report in open_grants:
        ledger.settle(grant, report)
    assert 0 <= ledger.spent <= budget
    assert sum(ledger.by_stage.values(), Usage()) == ledger.usage


def test_what_is_not_spent_goes_back():
    ledger = Ledger(100)
    assert ledger.settle(ledger.reserve("ecr", 60), Usage(20, 5, 7))
    assert (ledger.left, ledger.by_stage["ecr"]) == (75, Usage(20, 5, 7))
    assert ledger.reserve("query-aware", 1000).tokens == 75


@pytest.mark.parametrize(
    ("report", "charged"),
    [
        (Usage(61), Usage(60)),
        (Usage(30, 31), Usage(30, 30)),
        (Usage(0, 10**12), Usage(0, 60)),
        (Usage(-5, 3), Usage(60)),
        (Usage(math.nan, 0), Usage(60)),
        (None, Usage(60)),
    ],
)
def test_a_false_report_is_charged_as_the_whole_grant(report, charged):
    ledger = Ledger(100)
    assert not ledger.settle(ledger.reserve("ecr", 60), report)
    assert ledger.by_stage["ecr"] == charged


def test_a_failed_engine_is_charged_its_grant():
    ledger = Ledger(100)
    ledger.forfeit(ledger.reserve("ecr", 60))
    assert ledger.left == 40


def test_a_grant_is_settled_once():
    ledger = Ledger(10)
    grant = ledger.reserve("ecr", 5)
    ledger.settle(grant, Usage(1))
    with pytest.raises(ValueError, match="settled already"):
        ledger.settle(grant, Usage(1))
    with pytest.raises(ValueError, match="another ledger"):
        Ledger(10).forfeit(Ledger(10).reserve("ecr", 5))


@pytest.mark.parametrize("budget", [-1, 1.0, 2.5, math.nan, math.inf, True, "64", None])
def test_a_budget_is_a_whole_number(budget):
    with pytest.raises(BadArguments, match="budget"):
        Ledger(budget)


def test_numpy_counts_are_counts_and_leave_as_ints():
    ledger = Ledger(np.int64(100))
    assert ledger.settle(ledger.reserve("ecr", np.int32(60)), Usage(np.int64(10), np.int64(2)))
    assert type(ledger.usage.read) is type(ledger.budget) is int


def test_the_view_by_stage_cannot_be_written():
    with pytest.raises(TypeError):
        Ledger(1).by_stage["ecr"] = Usage()
