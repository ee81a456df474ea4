"""What a pair is taken for: positive-aware thresholds, each decision with the figures behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from ponder.errors import BadArguments
from ponder.train.pairs import Decision


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the lines are drawn.

    Attributes:
        relative: A candidate above this share of the positive's score is doubtful (NV-Retriever's
            TopK-PercPos, arXiv:2407.15831, whose .95 it is).
        margin: The same as a difference of scores: a hard negative lies at least so far below the positive.
        chance: A candidate with at least this calibrated probability is a false negative wherever the
            positive stands; 1 and above: none is.
        sure: A candidate with at most this probability is a hard negative wherever the positive stands; 0:
            none is. Without a calibration neither counts.
        copy: Two whose looks (or vectors) are at least as close as this are the same thing. Of planted
            crops and recolourings .8 finds most, .9 a half (docs/log.md).
        easy: A candidate below this share of the positive's score teaches nothing.
        suspect: A label is suspect whose figures are at least so many times likelier for a random document
            (`ponder.feedback.labels`). Were a twentieth of the labels random, one at 10 would be wrong as
            likely as not; 4 was chosen on three plantings, and held on others (docs/log.md).
    """

    relative: float = 0.95
    margin: float = 0.0
    chance: float = 0.5
    sure: float = 0.0
    copy: float = 0.8
    easy: float = 0.3
    suspect: float = 4.0

    def __post_init__(self) -> None:
        for name in ("relative", "copy"):
            if not 0 < getattr(self, name) <= 1:
                raise BadArguments(f"{getattr(self, name)}", f"--{name}", "above 0, at most 1")
        if self.margin < 0 or not self.suspect > 0:
            told = f"{self.margin}, {self.suspect}"
            raise BadArguments(told, "--margin, --suspect", "not negative; above 0")

    def fields(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scored:
    """A document as it stands for a query.

    Attributes:
        score: Of the whole cascade.
        judged: Whether a judge was asked and answered; where none is to be asked (without a budget, or of a
            kind that none is trusted with), all count as judged.
        chance: Calibrated probability; None without one.
        closest: How close it is to the closest labelled positive, a cosine.
        rank: In the retriever's ranking, from 1.
        irrelevant: Whether a label says so: a grade of 0 or below.
    """

    score: float
    judged: bool
    chance: float | None
    closest: float
    rank: int
    irrelevant: bool = False


class Told(NamedTuple):
    """What was decided.

    Attributes:
        decision: It.
        why: The rule and its figures.
        threshold: The figure that the pair's own was held against; None where there was none.
        figure: The pair's own.
    """

    decision: Decision
    why: str
    threshold: float | None = None
    figure: float | None = None


def decide(candidate: Scored, positive: Scored | None, lines: Thresholds) -> Told:
    """What a candidate that is not labelled relevant is taken for, and why.

    A label that says irrelevant is not overruled: what would be a false negative, or doubtful, is a hard
    negative then, unless it is a copy of a positive; such labels contradict each other, so it is doubtful.

    Args:
        candidate: It.
        positive: The labelled one with the best score; None if none was judged.
        lines: Thresholds.

    Example:
        >>> best = Scored(1.0, True, None, 1.0, 1)
        >>> decide(Scored(0.97, True, None, 0.2, 2), best, Thresholds()).why
        'score 0.970 above 0.95 of the positive 1.000'
        >>> decide(Scored(0.7, True, None, 0.2, 3), best, Thresholds())
        Told(decision='hard-negative', why='score 0.700 below the positive 1.000', threshold=0.95, figure=0.7)
    """
    told = _unlabelled(candidate, positive, lines)
    if not candidate.irrelevant or told.decision not in ("false-negative", "doubtful"):
        return told
    copy = candidate.closest >= lines.copy
    return told._replace(
        decision="doubtful" if copy else "hard-negative", why=f"labelled irrelevant, but {told.why}"
    )


def _unlabelled(candidate: Scored, positive: Scored | None, lines: Thresholds) -> Told:
    chance = candidate.chance
    if candidate.closest >= lines.copy:
        figures = f"closeness {candidate.closest:.3f} >= {lines.copy:g}"
        return Told("false-negative", f"a copy of the positive: {figures}", lines.copy, candidate.closest)
    if not candidate.judged:
        return Told("unjudged", "no judge was asked about it, or none answered")
    if chance is not None and lines.chance < 1 and chance >= lines.chance:
        return Told("false-negative", f"probability {chance:.3f} >= {lines.chance:g}", lines.chance, chance)
    if positive is None:
        return Told("unjudged", "no positive to compare it with: none was judged, or it is suspect")
    return _beside(candidate, positive, lines)


def _beside(candidate: Scored, positive: Scored, lines: Thresholds) -> Told:
    """What a candidate's score says beside the positive's."""
    score, told = f"score {candidate.score:.3f}", f"positive {positive.score:.3f}"
    # Taken off its size: a share of a score below 0 would lie above it.
    share = positive.score - (1 - lines.relative) * abs(positive.score)
    gap = positive.score - lines.margin
    least = min(share, gap)
    if candidate.score > least:
        # A rising curve may say 0: with no line drawn that is not below it.
        if candidate.chance is not None and lines.sure > 0 and candidate.chance <= lines.sure:
            sure = f"probability {candidate.chance:.3f} <= {lines.sure:g}, though its {score} is above"
            return Told("hard-negative", f"{sure} the {told}", lines.sure, candidate.chance)
        by = f"above {lines.relative:g} of" if share < gap else f"less than {lines.margin:g} below"
        return Told("doubtful", f"{score} {by} the {told}", least, candidate.score)
    easy = lines.easy * positive.score
    if positive.score > 0 and candidate.score < easy:
        return Told("easy", f"{score} below {lines.easy:g} of the {told}", easy, candidate.score)
    return Told("hard-negative", f"{score} below the {told}", least, candidate.score)


def doubt(positive: Scored, odds: float, lines: Thresholds) -> Told:
    """Whether a labelled document is suspect, and why.

    Args:
        positive: The labelled one.
        odds: Of `ponder.feedback.labels.odds_of`; 0 where nothing is known.
        lines: Thresholds.

    Example:
        >>> doubt(Scored(0.1, True, None, 1.0, 400), 12.0, Thresholds()).decision
        'suspect-positive'
    """
    if odds >= lines.suspect:
        figures = f"{odds:.1f} times likelier for a random document, {positive.rank - 1} are nearer"
        return Told("suspect-positive", f"labelled, but {figures}", lines.suspect, odds)
    return Told("positive", f"labelled, score {positive.score:.3f}" if positive.judged else "labelled")


def diverse(order: Sequence[int], close: Any, most: int, lines: Thresholds) -> dict[int, Told]:
    """Of hard negatives those that are too many, or copies of one that is there already.

    Args:
        order: Their places in `close`, the best score first.
        close: float32 (n, n), their closeness.
        most: How many may stay.
        lines: Thresholds.

    Returns:
        By place what is said of those that do not stay.

    Example:
        >>> import numpy as np
        >>> diverse([0, 1, 2], np.array([[1, 0.99, 0], [0.99, 1, 0], [0, 0, 1]]), 5, Thresholds())[1].why
        'of a negative that is there: closeness 0.990'
    """
    kept: list[int] = []
    out: dict[int, Told] = {}
    for place in order:
        nearest = max((float(close[place, other]) for other in kept), default=-1.0)
        if nearest >= lines.copy:
            why = f"of a negative that is there: closeness {nearest:.3f}"
            out[place] = Told("near-duplicate", why, lines.copy, nearest)
        elif len(kept) >= most:
            out[place] = Told("easy", f"{most} better ones are there")
        else:
            kept.append(place)
    return out
