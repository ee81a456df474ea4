"""Intervals by resampling queries (percentile bootstrap; Efron, 1979), seeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
"""Enough for the second decimal of a 95 % bound to stand still between seeds."""

SEED = 20_260_223


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference of two systems over the same queries.

    Attributes:
        mean: Mean of ``ours - theirs``.
        low: Lower 95 % bound.
        high: Upper 95 % bound.
        p: Two-sided: twice the smaller share of resamples on either side of 0, at most 1.
    """

    mean: float
    low: float
    high: float
    p: float


def interval(values: Sequence[float], *, level: float = 0.95, seed: int = SEED) -> tuple[float, float]:
    """The percentile interval of the mean of `values`, one value a query.

    Args:
        values: One number a query.
        level: Share of the resamples between the bounds.
        seed: The same seed and values give the same bounds.

    Returns:
        ``(low, high)``; ``(0.0, 0.0)`` without values.

    Example:
        >>> interval([1.0, 1.0, 1.0])
        (1.0, 1.0)
    """
    return intervals({"": values}, level=level, seed=seed)[""]


def intervals(
    columns: Mapping[str, Sequence[float]], *, level: float = 0.95, seed: int = SEED
) -> dict[str, tuple[float, float]]:
    """As `interval`, for several metrics of the same queries, resampled once for all of them.

    Args:
        columns: Metric name → one number a query, the queries in the same order.
        level: As in `interval`.
        seed: As in `interval`.

    Returns:
        Metric name → ``(low, high)``.
    """
    values = np.array(list(columns.values()), dtype=np.float64).T
    if not values.size:
        return dict.fromkeys(columns, (0.0, 0.0))
    low, high = np.quantile(_resampled_means(values, seed), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(columns)}


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], *, level: float = 0.95, seed: int = SEED
) -> Difference:
    """Compare two systems query by query: far tighter than comparing two intervals.

    Args:
        ours: One value a query.
        theirs: The other system's, of the same queries in the same order.
        level: As in `interval`.
        seed: As in `interval`.

    Raises:
        ValueError: The two differ in length.

    Example:
        >>> paired_difference([1.0, 1.0], [0.0, 0.0]).low
        1.0
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} values against {len(theirs)}")
    if not len(ours):
        return Difference(0.0, 0.0, 0.0, 1.0)
    gaps = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    return _difference(float(gaps.mean()), _resampled_means(gaps[:, None], seed)[:, 0], level)


def mean_of_differences(
    groups: Sequence[Sequence[float]], *, level: float = 0.95, seed: int = SEED
) -> Difference:
    """The mean over groups of the mean difference within each, as a benchmark of many tasks has it.

    Args:
        groups: Of each group that has any, ``ours - theirs`` of its queries. Queries are resampled within
            their group; groups are not.
        level: As in `interval`.
        seed: As in `interval`.

    Example:
        >>> mean_of_differences([[1.0, 1.0], [0.0]]).mean
        0.5
    """
    columns = [np.asarray(group, dtype=np.float64) for group in groups if len(group)]
    if not columns:
        return Difference(0.0, 0.0, 0.0, 1.0)
    # Each group has draws of its own: with the same ones, groups of one size would move together.
    means = np.mean(
        [_resampled_means(gaps[:, None], seed + place)[:, 0] for place, gaps in enumerate(columns)], axis=0
    )
    return _difference(float(np.mean([gaps.mean() for gaps in columns])), means, level)


def _difference(mean: float, means: NDArray[np.float64], level: float) -> Difference:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    p = min(1.0, 2 * min(float(np.mean(means <= 0)), float(np.mean(means >= 0))))
    return Difference(mean, float(low), float(high), p)


def _resampled_means(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Means of `RESAMPLES` resamples of (queries, metrics): a float64 array of (RESAMPLES, metrics).

    A resample is the counts of a multinomial draw: one matrix product instead of gathering
    RESAMPLES x queries values, and no index matrix in memory.
    """
    n = len(values)
    rng = np.random.default_rng(seed)
    means = np.empty((RESAMPLES, values.shape[1]))
    step = max(1, 2_000_000 // n)
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        counts = rng.multinomial(n, np.full(n, 1 / n), size=rows)
        means[start : start + rows] = counts @ values / n
    return means
