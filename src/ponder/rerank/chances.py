"""From a judge's score to the probability that a candidate is relevant."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_STEEPEST = 500.0
"""Beyond it exp overflows; the chance is 0 or 1 long before."""


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve (Platt, 1999): few judgements suffice.

    Attributes:
        slope: Of the log odds over the score.
        intercept: Log odds at score 0.

    Example:
        >>> Platt(2.0, 0.0).chance(0.0)
        0.5
    """

    slope: float
    intercept: float

    def chance(self, score: float) -> float:
        """Probability of relevance, 0 to 1."""
        odds = max(-_STEEPEST, min(_STEEPEST, self.slope * score + self.intercept))
        return 1.0 / (1.0 + math.exp(-odds))

    def fields(self) -> dict[str, Any]:
        """For a file."""
        return {"slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising curve of any form (Zadrozny and Elkan, 2002), straight between its knots.

    Attributes:
        scores: Of the knots, rising.
        chances: At the knots, never falling.

    Example:
        >>> Isotonic((0.0, 1.0), (0.2, 0.6)).chance(0.5), Isotonic((0.0, 1.0), (0.2, 0.6)).chance(9.0)
        (0.4, 0.6)
    """

    scores: tuple[float, ...]
    chances: tuple[float, ...]

    def chance(self, score: float) -> float:
        """Probability of relevance, 0 to 1; outside the knots that of the nearest."""
        above = bisect_right(self.scores, score)
        if above in (0, len(self.scores)):
            return self.chances[min(above, len(self.scores) - 1)]
        low, high = self.scores[above - 1], self.scores[above]
        share = (score - low) / (high - low)
        return self.chances[above - 1] * (1 - share) + self.chances[above] * share

    def fields(self) -> dict[str, Any]:
        """For a file."""
        return {"scores": list(self.scores), "chances": list(self.chances)}


Curve = Platt | Isotonic


def curve_from(fields: Mapping[str, Any]) -> Curve:
    """The curve that `fields` describe.

    Raises:
        ValueError: Neither kind's fields, or knots that do not rise.

    Example:
        >>> curve_from({"slope": 1.0, "intercept": 0.0})
        Platt(slope=1.0, intercept=0.0)
    """
    if set(fields) == {"slope", "intercept"}:
        slope, intercept = float(fields["slope"]), float(fields["intercept"])
        if not (math.isfinite(slope) and math.isfinite(intercept)):
            raise ValueError("a slope or an intercept is no number")
        return Platt(slope, intercept)
    if set(fields) != {"scores", "chances"}:
        raise ValueError(f"no curve has the fields {', '.join(sorted(fields))}")
    scores = tuple(float(score) for score in fields["scores"])
    chances = tuple(float(chance) for chance in fields["chances"])
    rises = all(a < b for a, b in pairwise(scores))
    grows = all(a <= b for a, b in pairwise(chances))
    if not scores or len(scores) != len(chances) or not rises or not grows:
        raise ValueError("knots must rise, one chance a score")
    if chances[0] < 0 or chances[-1] > 1:
        raise ValueError("a chance lies outside of 0 to 1")
    return Isotonic(scores, chances)
