"""A judge's weight by cross-validation over queries, and whether it is to be asked at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ponder.evaluate.bootstrap import SEED, Difference, paired_difference
from ponder.evaluate.calibrating.blocks import Block
from ponder.evaluate.harm import allowed
from ponder.evaluate.metrics import scores_of
from ponder.records import Kind
from ponder.rerank.fusion import centred, usable

SPREADS = tuple(2 ** (step / 2) for step in range(-6, 7))
"""Weights that are tried, in units that make the judge's deviation that of the earlier stage: an eighth to
eight times. Steps of the root of 2: between neighbours few first places change."""

FOLDS = 5

_SAME = 1e-9
"""Of the largest score: a deviation below it is rounding."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a weight is worth.

    Attributes:
        weight: Of the judge's scores; 0 where it is not to be asked.
        swing: Standard deviation of its scores over a query's candidates.
        gain: Over the earlier stage, each query with the weight that the others chose.
        queries: Number of queries with at least two candidates judged.
        why: In words.
    """

    weight: float
    swing: float
    gain: Difference
    queries: int
    why: str


def weigh(
    blocks: Mapping[str, Sequence[Block]],
    kind: Kind,
    others: Mapping[Kind, float],
    measures: Mapping[str, str],
) -> Weighed | None:
    """Fit the weight of a judge on one kind of candidate.

    Each query's figure is taken with the weight that is best on the other folds' queries, so that a judge
    of noise gains nothing by having been tried at many weights. Do no harm: the judge is not to be asked
    unless the mean gain is above 0 and its lower 95 % bound is not below 0, and no single data set loses
    more than noise lets it (`ponder.evaluate.harm`).

    Args:
        blocks: By data set.
        kind: Of the candidates.
        others: Weights of the other kinds' candidates meanwhile; those left out do not move.
        measures: Each data set's own, a name of `ponder.evaluate.metrics.METRICS`.

    Returns:
        None where no query has two candidates of this kind with verdicts.
    """
    names, kept = [], []
    for name, each in blocks.items():
        for block in each:
            if sum(k == kind and usable(s) for k, s in zip(block.kinds, block.said, strict=True)) > 1:
                names.append(name)
                kept.append(block)
    if not kept:
        return None
    swing = pooled_deviation([_of_kind(block, kind) for block in kept])
    about = f"on {', '.join(dict.fromkeys(names))} ({len(kept)} queries)"
    largest = max(abs(score) for block in kept for score in _of_kind(block, kind))
    if swing <= _SAME * max(1.0, largest):
        none = Difference(0.0, 0.0, 0.0, 1.0)
        return Weighed(0.0, 0.0, none, len(kept), f"{about} it says the same of all candidates")
    unit = pooled_deviation([list(block.earlier) for block in kept]) / swing
    tried = [0.0, *(unit * spread for spread in SPREADS)]
    weights = [{**others, kind: weight} for weight in tried]
    values = np.array([figures(b, weights, measures[n]) for n, b in zip(names, kept, strict=True)])
    gains = _out_of_fold(values) - values[:, 0]
    gain = paired_difference(gains.tolist(), [0.0] * len(gains))
    told = f"{about} it gains {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    hurt = [name for name in dict.fromkeys(names) if _loses(gains[[n == name for n in names]])]
    if gain.mean <= 0 or gain.low < 0 or hurt:
        what = f"it loses on {', '.join(hurt)}" if hurt and gain.mean > 0 and gain.low >= 0 else told
        return Weighed(0.0, swing, gain, len(kept), f"no gain is certain: {what}")
    weight = tried[_best(values)]
    return Weighed(weight, swing, gain, len(kept), told)


def pooled_deviation(groups: Sequence[Sequence[float]]) -> float:
    """Standard deviation within groups; those of one count for nothing.

    Example:
        >>> pooled_deviation([[1.0, 3.0], [10.0, 12.0], [7.0]])
        1.4142135623730951
    """
    squares = freedom = 0.0
    for group in groups:
        if len(group) > 1:
            mean = math.fsum(group) / len(group)
            squares += math.fsum((value - mean) ** 2 for value in group)
            freedom += len(group) - 1
    return math.sqrt(squares / freedom) if freedom else 0.0


def stretch_of(blocks: Sequence[Block], kind: Kind) -> float | None:
    """How far a judge's scores lie apart, in units of what it told of itself; None where it told nothing.

    Args:
        blocks: Of one judge.
        kind: Of the candidates.
    """
    groups = [
        [
            said / swing
            for said, swing, k in zip(block.said, block.swings, block.kinds, strict=True)
            if k == kind and said is not None and usable(said) and swing
        ]
        for block in blocks
        if block.swings
    ]
    return pooled_deviation(groups) or None


def _of_kind(block: Block, kind: Kind) -> list[float]:
    return [
        s for s, k in zip(block.said, block.kinds, strict=True) if k == kind and s is not None and usable(s)
    ]


def figures(block: Block, weights: Sequence[Mapping[Kind, float]], measure: str) -> list[float]:
    """The query's figure with each of these weights by kind; kinds that are left out do not move."""
    said = centred(block.said, block.kinds)
    found = []
    for each in weights:
        moved = [
            None if s is None or k not in each else each[k] * s
            for s, k in zip(said, block.kinds, strict=True)
        ]
        found.append(scores_of(block.reordered(moved), block.grades)[measure])
    return found


def _best(values: NDArray[np.float64]) -> int:
    """The weight whose own and neighbours' mean is best, the least of equals: a lone peak is luck."""
    means = values.mean(axis=0)
    padded = np.concatenate([means[:1], means, means[-1:]])
    smooth = (padded[:-2] + 2 * means + padded[2:]) / 4
    return int(np.argmax(np.round(smooth, 9)))


def folds(queries: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """`FOLDS` times the queries that are held back, and the others; seeded."""
    order = np.random.default_rng(SEED).permutation(queries)
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        yield held, np.setdiff1d(order, held)


def _out_of_fold(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.empty(len(values))
    for held, rest in folds(len(values)):
        found[held] = values[held, _best(values[rest]) if len(rest) else 0]
    return found


def _loses(gains: NDArray[np.float64]) -> bool:
    return bool(gains.mean() < -allowed(len(gains)) - 1e-9)
