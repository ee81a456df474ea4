"""The least and the greatest value of each metric where the official evaluator leaves a choice open.

Two things are open. The order of candidates with one score: it is an unstable sort's. And which label gets
which grade, where labels are strings: it is a set's order. For each metric and query the extremes over all
choices are exact:

- hit, MRR, MAP: labels first, or last, among their equals. Bringing a label one place forward never lowers
  any of them.
- Precision, recall, F1: they count names once, so that of repeated names one each comes first, or those
  that are repeated most.
- nDCG with known grades: by grade (rearrangement inequality).
- nDCG with open grades: what a label is worth is the sum of its places' discounts; sorted against the sorted
  grades that is greatest one way and least the other. Names that are repeated most come first among the
  labels of one score, since such weights majorise all others (Marshall and Olkin, Inequalities, 1979, 3.C).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ponder.evaluate.mmeb.judged import Judged
from ponder.evaluate.mmeb.official import CUTS, DEEPEST, Slots, gain_of, metrics_by_query
from ponder.evaluate.mmeb.standing import Group, Standing, counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ByQuery = dict[str, NDArray[np.float64]]


def extremes(
    standings: Sequence[Standing], judged: Sequence[Judged], *, pairings: bool
) -> tuple[ByQuery, ByQuery]:
    """Every metric's least and greatest value over all orders of ties, query by query.

    Args:
        standings: The queries to look at.
        judged: Their labels.
        pairings: Also over all pairings of labels and grades where these are open.

    Returns:
        Metric → float64 (queries,), twice.
    """
    low = metrics_by_query(_slots(standings, judged, best=False))
    high = metrics_by_query(_slots(standings, judged, best=True))
    if pairings:
        for row, (standing, each) in enumerate(zip(standings, judged, strict=True)):
            if each.undefined:
                _open_grades(row, standing, each, low, best=False)
                _open_grades(row, standing, each, high, best=True)
    return low, high


def _slots(standings: Sequence[Standing], judged: Sequence[Judged], *, best: bool) -> Slots:
    """Each family's best or worst order; they need not be one order."""
    import numpy as np

    shape = (len(standings), DEEPEST)
    right, new, grade = np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(shape)
    for row, (standing, each) in enumerate(zip(standings, judged, strict=True)):
        start = 0
        for size, labels in standing.groups:
            stop = min(start + size, DEEPEST)
            if labels:
                # Past `DEEPEST` nothing counts, and groups of thousands need not be written out.
                head = _where(size, sum(labels.values()), best=best)
                for target, values in (
                    (right, [True] * sum(labels.values())),
                    (new, _once(labels, best=best)),
                    (grade, _graded(labels, each, best=best)),
                ):
                    kept = values[: max(0, stop - start - head)]
                    target[row, start + head : start + head + len(kept)] = kept
            start += size
            if start >= DEEPEST:
                break
    return Slots(right, new, grade, counts(judged), [each.grades for each in judged])


def _where(size: int, labels: int, *, best: bool) -> int:
    """Places before the first label of a group."""
    return 0 if best else size - labels


def _once(labels: Mapping[int, int], *, best: bool) -> list[bool]:
    """Which of a group's labels, in the order that is best or worst for counting names, is a new name."""
    if best:
        return [True] * len(labels) + [False] * (sum(labels.values()) - len(labels))
    return [number == 0 for count in sorted(labels.values(), reverse=True) for number in range(count)]


def _graded(labels: Mapping[int, int], judged: Judged, *, best: bool) -> list[float]:
    entries = [judged.grades[label] for label, count in labels.items() for _ in range(count)]
    return sorted(entries, reverse=best)


def _open_grades(
    row: int, standing: Standing, judged: Judged, found: Mapping[str, NDArray[np.float64]], *, best: bool
) -> None:
    """Put the extreme over pairings into nDCG's figures of one query."""
    import numpy as np

    grades = np.array(judged.grades)
    for cut in CUTS:
        discounts = np.zeros(DEEPEST)
        discounts[:cut] = 1 / np.log2(np.arange(2, cut + 2))
        weights = np.zeros(len(grades))
        each = _weights(standing.groups, discounts, best=best)
        weights[: len(each)] = each
        weights = -np.sort(-weights)
        for family in ("ndcg_linear", "ndcg_exponential"):
            gains = np.sort(gain_of(grades, family))
            ideal = float(gains[::-1][:cut] @ (1 / np.log2(np.arange(2, min(cut, len(gains)) + 2))))
            total = float((gains[::-1] if best else gains) @ weights)
            found[f"{family}@{cut}"][row] = total / ideal if ideal else 0.0


def _weights(groups: Sequence[Group], discounts: NDArray[np.float64], *, best: bool) -> list[float]:
    """Of each label, the sum of its places' discounts."""
    found = []
    start = 0
    for size, labels in groups:
        at = start + _where(size, sum(labels.values()), best=best)
        for count in sorted(labels.values(), reverse=True):
            found.append(float(discounts[at : at + count].sum()))
            at += count
        start += size
        if start >= len(discounts):
            break
    return found
