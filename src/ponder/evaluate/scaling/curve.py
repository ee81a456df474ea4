"""From runs to a curve: each point with its interval, its gain, and where the queries went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean
from typing import Any

from ponder.evaluate.bootstrap import Difference, interval, paired_difference
from ponder.evaluate.harm import harmless
from ponder.evaluate.scaling.kept import Kept, Way
from ponder.evaluate.scaling.ladder import Refused
from ponder.evaluate.scaling.moves import Move, by_query, moves


@dataclass(frozen=True, slots=True)
class Point:
    """One way at one budget.

    Attributes:
        budget: The cap a query.
        value: Mean of the main measure.
        ci95: Of `value`.
        tokens: Means of ``read``, ``written`` and ``cached``, and the ``max`` that a query spent.
        spent: Mean of read + written: where the point stands in the picture.
        seconds: A query, the mean.
        against_zero: Paired difference to the way at budget 0; None there, and where 0 was not run.
        against_before: Paired difference to the budget before; None for the first.
        no_harm: Not below the budget before by more than .005 or one query, whichever is more.
        gained: Queries that stand better than at budget 0.
        lost: Queries that stand worse.
    """

    budget: int
    value: float
    ci95: tuple[float, float]
    tokens: dict[str, float]
    spent: float
    seconds: float
    against_zero: Difference | None
    against_before: Difference | None
    no_harm: bool
    gained: tuple[Move, ...]
    lost: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A way with its points, in the order of budgets."""

    way: Way
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Thinking:
    """What thinking about the query gained: paired, at equal budgets."""

    way: Way
    budget: int
    gain: Difference


@dataclass(frozen=True, slots=True)
class Curve:
    """All of a picture.

    Attributes:
        dataset: Name.
        split: Of the judgements.
        models: Preset.
        metric: The main measure.
        queries: How many.
        series: The lines.
        thinking: For each way that thinks about the query, what that gained over the same way without.
        refused: Runs that a model refused.
        about: What made the figures, as in `Runs.about`.
    """

    dataset: str
    split: str
    models: str
    metric: str
    queries: int
    series: tuple[Series, ...]
    thinking: tuple[Thinking, ...] = ()
    refused: tuple[Refused, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokens_to_best(self) -> dict[str, float | None] | None:
        """Where adaptive reaches uniform's best figure: tokens of both, and theirs over ours.

        Returns:
            None where one of the two was not run. ``adaptive`` and ``ratio`` are None where adaptive
            never reaches it.
        """
        lines = {each.way.name: each.points for each in self.series}
        if not {"on-uniform", "on-adaptive"} <= lines.keys():
            return None
        best = max(point.value for point in lines["on-uniform"])
        uniform = min(point.spent for point in lines["on-uniform"] if point.value >= best)
        reached = [point.spent for point in lines["on-adaptive"] if point.value >= best - 1e-9]
        ours = min(reached) if reached else None
        return {
            "best": best,
            "uniform": uniform,
            "adaptive": ours,
            "ratio": None if ours is None or not ours else uniform / ours,
        }

    def fields(self) -> dict[str, Any]:
        """As it is written to ``curve.json``."""
        return {
            **{name: getattr(self, name) for name in ("dataset", "split", "models", "metric", "queries")},
            **self.about,
            "tokens_to_best": self.tokens_to_best,
            "thinking": [
                {"name": each.way.name, "budget": each.budget, "gain": asdict(each.gain)}
                for each in self.thinking
            ],
            "refused": [
                {"name": each.way.name, "budget": each.budget, "error": each.error} for each in self.refused
            ],
            "series": [
                {
                    "name": each.way.name,
                    **asdict(each.way),
                    "points": [asdict(point) for point in each.points],
                }
                for each in self.series
            ],
        }


def curve_of(
    runs: Iterable[Kept],
    metric: str,
    refused: Sequence[Refused] = (),
    about: Mapping[str, Any] | None = None,
) -> Curve:
    """Sum runs up.

    Args:
        runs: Of each way its budgets, in any order.
        metric: One of ``ponder evaluate``'s.
        refused: Runs that there are none of.
        about: As in `Curve`.

    Raises:
        ValueError: There is no run.
    """
    by_way: dict[Way, list[Kept]] = {}
    for run in runs:
        by_way.setdefault(run.way, []).append(run)
    if not by_way:
        raise ValueError("no run")
    series = tuple(
        Series(way, _points(sorted(kept, key=lambda run: run.budget), metric)) for way, kept in by_way.items()
    )
    report = next(iter(by_way.values()))[0].report
    return Curve(
        dataset=report["dataset"],
        split=report["split"],
        models=report["models"],
        metric=metric,
        queries=int(report["queries"]),
        series=series,
        thinking=tuple(_thinking(by_way, metric)),
        refused=tuple(refused),
        about=about or {},
    )


def _thinking(by_way: Mapping[Way, Sequence[Kept]], metric: str) -> Iterator[Thinking]:
    for way, runs in by_way.items():
        plain = {run.budget: run for run in by_way.get(replace(way, think=0), ())} if way.think else {}
        for run in sorted(runs, key=lambda run: run.budget):
            # With a budget of 0 nobody thinks.
            if run.budget and run.budget in plain:
                found = _paired(by_query(run, metric), by_query(plain[run.budget], metric))
                if found is not None:
                    yield Thinking(way, run.budget, found)


def _points(kept: Sequence[Kept], metric: str) -> tuple[Point, ...]:
    columns = [by_query(run, metric) for run in kept]
    zero = kept[0].budget == 0
    points = []
    for place, (run, column) in enumerate(zip(kept, columns, strict=True)):
        before = columns[place - 1] if place else None
        value = fmean(column.values())
        tokens = run.report["tokens_per_query"]
        gained, lost = moves(kept[0], run, metric) if place and zero else ((), ())
        points.append(
            Point(
                budget=run.budget,
                value=value,
                ci95=interval(list(column.values())),
                tokens=dict(tokens),
                spent=tokens["read"] + tokens["written"],
                seconds=float(run.report["seconds_per_query"]),
                against_zero=_paired(column, columns[0]) if place and zero else None,
                against_before=None if before is None else _paired(column, before),
                no_harm=before is None or harmless(fmean(before.values()), value, len(column)),
                gained=gained,
                lost=lost,
            )
        )
    return tuple(points)


def _paired(ours: dict[str, float], theirs: dict[str, float]) -> Difference | None:
    if ours.keys() != theirs.keys():
        return None
    return paired_difference(list(ours.values()), [theirs[name] for name in ours])
