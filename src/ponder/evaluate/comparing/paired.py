"""What changed from one run to another, paired by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.bootstrap import Difference, mean_of_differences, paired_difference
from ponder.evaluate.comparing.runs import Part, Result, Run

_FINER = ("mrr@10", "ndcg@10", "ndcg_linear@10")
"""What tells moves apart that the counting metric has alike."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of both runs.

    Attributes:
        metric: Its name.
        before: The first run's mean over the queries that both have.
        after: The second's.
        difference: Second less first.
    """

    metric: str
    before: float
    after: float
    difference: Difference

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON."""
        d = self.difference
        return {"a": self.before, "b": self.after, "difference": d.mean, "ci95": [d.low, d.high], "p": d.p}


@dataclass(frozen=True, slots=True)
class Move:
    """A query that was won or lost.

    Attributes:
        id: The query's.
        before: The first run's result.
        after: The second's.
        gain: In the metric that counts.
    """

    id: str
    before: Result
    after: Result
    gain: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs on one data set or task.

    Attributes:
        part: Of the second run.
        metric: The one that counts.
        queries: How many both have.
        only_before: Queries that only the first run has.
        only_after: Queries that only the second has.
        figures: Of every metric that both have.
        won: Queries that got better by the metric, the most first.
        lost: Those that got worse, the worst first.
        gaps: Second less first, of each query that both have.
    """

    part: Part
    metric: str
    queries: int
    only_before: int
    only_after: int
    figures: Sequence[Figure]
    won: Sequence[Move]
    lost: Sequence[Move]
    gaps: Sequence[float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs.

    Attributes:
        before: The first run's name.
        after: The second's.
        parts: What both have.
        only_before: Data sets or tasks that only the first has.
        only_after: Those that only the second has.
        overall: The mean over `parts` of each one's own difference.
    """

    before: str
    after: str
    parts: Sequence[Compared]
    only_before: Sequence[str]
    only_after: Sequence[str]
    overall: Difference


def compare(before: Run, after: Run, metric: str | None = None) -> Comparison:
    """Pair two runs.

    Args:
        before: The first.
        after: The second.
        metric: Counts instead of each part's own.

    Raises:
        InputInvalid: They have no query in common, or hold a query against different labels.
        BadArguments: The metric is not there.
    """
    names = [name for name in before.parts if name in after.parts]
    if not names and len(before.parts) == len(after.parts) == 1:
        told = f"{next(iter(before.parts))!r} and {next(iter(after.parts))!r}"
        raise InputInvalid(f"two data sets: {told}", f"{before.name}, {after.name}", "compare runs of one")
    if not names:
        raise InputInvalid("no task in common", f"{before.name}, {after.name}", "compare runs of the same")
    parts = [_compared(before.parts[name], after.parts[name], metric) for name in names]
    return Comparison(
        before.name,
        after.name,
        parts,
        [name for name in before.parts if name not in after.parts],
        [name for name in after.parts if name not in before.parts],
        mean_of_differences([part.gaps for part in parts]),
    )


def _compared(before: Part, after: Part, metric: str | None) -> Compared:
    both = [name for name in after.results if name in before.results]
    if not both or before.split != after.split:
        raise InputInvalid("no query in common", after.name or "RUN_A, RUN_B", "compare runs of one split")
    for name in both:
        if before.labels.get(name) != after.labels.get(name):
            what = f"query {name} has other labels in the second run"
            raise InputInvalid(what, after.name, "predictions of other queries? run both on the same data")
    old, new = ([part.results[name] for name in both] for part in (before, after))
    there = [each for each in new[0].metrics if all(each in row.metrics for row in (*old, *new))]
    counting = metric or after.metric
    if counting not in there:
        raise BadArguments(f"no metric {counting}", "--metric", f"there are {', '.join(there)}")
    figures = [_figure(each, old, new) for each in there]
    gaps = [n.metrics[counting] - o.metrics[counting] for o, n in zip(old, new, strict=True)]
    moves = [Move(*row) for row in zip(both, old, new, gaps, strict=True)]
    return Compared(
        after,
        counting,
        len(both),
        len(before.results) - len(both),
        len(after.results) - len(both),
        figures,
        sorted((each for each in moves if each.gain > 0), key=_size, reverse=True),
        sorted((each for each in moves if each.gain < 0), key=_size),
        gaps,
    )


def _figure(metric: str, old: Sequence[Result], new: Sequence[Result]) -> Figure:
    before, after = ([row.metrics[metric] for row in rows] for rows in (old, new))
    count = len(before)
    found = paired_difference(after, before)
    return Figure(metric, sum(before) / count, sum(after) / count, found)


def _size(move: Move) -> tuple[float, float]:
    """By the metric that counts, then by one that sees how far down the answer went."""
    finer = next((name for name in _FINER if name in move.before.metrics and name in move.after.metrics), "")
    return move.gain, _of(move.after.metrics, finer) - _of(move.before.metrics, finer)


def _of(metrics: Mapping[str, float], name: str) -> float:
    return metrics.get(name, 0.0)
