"""Decisions: whatever the figures, a false negative is never handed on, and every decision says why."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ponder.errors import BadArguments
from ponder.feedback.deciding import Scored, Thresholds, decide, diverse, doubt

LINES = Thresholds()
_scores = st.floats(-2, 2)
_chances = st.none() | st.floats(0, 1)
_scored = st.builds(
    Scored,
    score=_scores,
    judged=st.booleans(),
    chance=_chances,
    closest=st.floats(-1, 1),
    rank=st.integers(1, 1000),
)


@given(_scored, st.none() | _scored)
@example(Scored(1.0, True, 0.0, 0.0, 1), Scored(0.0, True, None, 1.0, 2))
def test_a_hard_negative_is_judged_unlike_and_below_the_positive(
    candidate: Scored, positive: Scored | None
) -> None:
    decision, why, _, _ = decide(candidate, positive, LINES)
    assert why
    if decision != "hard-negative":
        return
    assert positive is not None
    assert candidate.judged
    assert candidate.closest < LINES.copy
    assert candidate.score <= positive.score
    assert candidate.chance is None or candidate.chance < LINES.chance


@given(_scored, _scored, st.floats(0, 1), st.floats(0, 1))
def test_a_wider_margin_hands_on_no_more(
    candidate: Scored, positive: Scored, one: float, other: float
) -> None:
    narrow, wide = sorted((one, other))
    if decide(candidate, positive, Thresholds(margin=wide))[0] == "hard-negative":
        assert decide(candidate, positive, Thresholds(margin=narrow))[0] == "hard-negative"


@pytest.mark.parametrize(
    ("candidate", "decision"),
    [
        (Scored(0.2, True, None, 0.95, 9), "false-negative"),
        (Scored(0.2, False, None, 0.95, 9), "false-negative"),
        (Scored(0.5, False, None, 0.1, 9), "unjudged"),
        (Scored(0.5, True, 0.6, 0.1, 9), "false-negative"),
        (Scored(0.99, True, None, 0.1, 9), "doubtful"),
        (Scored(1.5, True, 0.01, 0.1, 1), "hard-negative"),
        (Scored(0.5, True, None, 0.1, 9), "hard-negative"),
        (Scored(0.1, True, None, 0.1, 9), "easy"),
    ],
)
def test_each_line_decides(candidate: Scored, decision: str) -> None:
    positive = Scored(1.0, True, 0.9, 1.0, 2)
    assert decide(candidate, positive, Thresholds(sure=0.05))[0] == decision


def test_below_zero_a_share_does_not_lie_above() -> None:
    positive = Scored(-1.0, True, None, 1.0, 2)
    assert decide(Scored(-1.01, True, None, 0.0, 9), positive, LINES)[0] == "doubtful"
    assert decide(Scored(-1.2, True, None, 0.0, 9), positive, Thresholds(easy=2.0))[0] == "hard-negative"


def test_without_a_judged_positive_nothing_is_handed_on() -> None:
    assert decide(Scored(0.5, True, None, 0.1, 3), None, LINES)[0] == "unjudged"


def test_a_label_is_suspect_by_its_odds_wherever_it_stands() -> None:
    for labelled in (Scored(0.1, True, None, 1.0, 500), Scored(0.9, False, None, 1.0, 1)):
        assert doubt(labelled, LINES.suspect, LINES)[0] == "suspect-positive"
        assert doubt(labelled, LINES.suspect - 0.1, LINES)[0] == "positive"


@given(st.integers(1, 8), st.integers(0, 8), st.integers(0, 2**31))
def test_those_that_stay_are_apart_and_not_too_many(count: int, most: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(count, 2))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    close = rows @ rows.T
    out = diverse(range(count), close, most, LINES)
    kept = [place for place in range(count) if place not in out]
    assert len(kept) <= most
    assert all(close[a, b] < LINES.copy for a in kept for b in kept if a < b)
    for place, (decision, _, _, _) in out.items():
        like = any(close[place, other] >= LINES.copy for other in kept if other < place)
        assert decision == ("near-duplicate" if like else "easy")


def test_thresholds_that_make_no_sense_are_refused() -> None:
    for wrong in ({"relative": 0.0}, {"copy": 1.5}, {"margin": -1.0}, {"suspect": 0.0}):
        with pytest.raises(BadArguments):
            Thresholds(**wrong)  # type: ignore[arg-type]


def test_at_a_chance_of_1_no_probability_makes_a_false_negative() -> None:
    positive = Scored(1.0, True, 1.0, 1.0, 1)
    assert decide(Scored(0.5, True, 1.0, 0.1, 9), positive, Thresholds(chance=1.0))[0] == "hard-negative"


@given(_scored, st.none() | _scored)
def test_a_label_that_says_irrelevant_is_not_overruled(candidate: Scored, positive: Scored | None) -> None:
    told = decide(replace(candidate, irrelevant=True), positive, LINES)
    without = decide(candidate, positive, LINES)
    assert told.decision != "false-negative"
    if without.decision in ("hard-negative", "easy", "unjudged"):
        assert told == without
    elif candidate.closest >= LINES.copy:
        assert told.decision == "doubtful"
    else:
        assert told.decision == "hard-negative"
        assert told.why == f"labelled irrelevant, but {without.why}"


@given(_scored, st.none() | _scored)
def test_the_figure_is_the_one_that_the_threshold_is_held_against(
    candidate: Scored, positive: Scored | None
) -> None:
    told = decide(candidate, positive, Thresholds(sure=0.1))
    assert (told.figure is None) == (told.threshold is None)
    if told.figure is None or told.threshold is None:
        assert told.decision == "unjudged"
    elif told.decision in ("false-negative", "doubtful"):
        assert told.figure >= told.threshold
    else:
        assert told.figure <= told.threshold
