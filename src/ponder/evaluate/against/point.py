"""One point of the comparison: what was reached, what it cost, how it differs from the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from ponder.evaluate.bootstrap import Difference, interval, paired_difference
from ponder.evaluate.report import DIGITS, rounded

Axis = Literal["tokens", "dims", "model"]
"""What is spent: tokens a query, dimensions a vector, parameters a model."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a point costs, in means.

    Attributes:
        tokens: Read and written a query.
        macs_query: Multiply-adds a query, its embedding included; None where nothing could be counted.
        macs_item: Multiply-adds to reason about and embed an item, OCR not included; None as above.
        seconds_query: Wall time a query, its embedding included, on the machine that it ran on.
        seconds_item: To reason about and embed an item that is opened and whose writing is read.
        bytes_item: Of its stored vectors, all parts.
    """

    tokens: float
    macs_query: float | None
    macs_item: float | None
    seconds_query: float
    seconds_item: float
    bytes_item: float


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the comparison.

    Attributes:
        axis: What is varied.
        label: What it is, short enough for a picture: "64 tokens", "meaning 128", "efficientnet-lite2".
        dataset: The data set's name.
        models: As in ``--models``.
        metric: The measure.
        values: Its value, a query each, in the data set's order.
        default: The default's values, of the same queries.
        costs: What it costs.
        group: Points of one group and axis are joined by a line: "leading", "vision", "judge".
        dims: Stored dimensions of a vector.
    """

    axis: Axis
    label: str
    dataset: str
    models: str
    metric: str
    values: tuple[float, ...]
    default: tuple[float, ...]
    costs: Costs
    group: str
    dims: int

    @property
    def value(self) -> float:
        """Mean over the queries."""
        return fmean(self.values)

    @property
    def ci95(self) -> tuple[float, float]:
        """Bootstrap interval of `value`."""
        return interval(self.values)

    @property
    def difference(self) -> Difference:
        """To the default, query by query."""
        return paired_difference(self.values, self.default)

    def row(self) -> dict[str, Any]:
        """The JSON object of this point.

        Returns:
            ``axis, group, label, dataset, models, metric, queries, value, ci95, difference {mean, ci95, p},
            tokens, macs_query, macs_item, seconds_query, seconds_item, bytes_item, dims``.
        """
        gap, costs = self.difference, self.costs
        return {
            "axis": self.axis,
            "group": self.group,
            "label": self.label,
            "dataset": self.dataset,
            "models": self.models,
            "metric": self.metric,
            "queries": len(self.values),
            "value": round(self.value, DIGITS),
            "ci95": rounded(self.ci95),
            "difference": {
                "mean": round(gap.mean, DIGITS),
                "ci95": rounded((gap.low, gap.high)),
                "p": round(gap.p, DIGITS),
            },
            "tokens": round(costs.tokens, 2),
            "macs_query": None if costs.macs_query is None else round(costs.macs_query),
            "macs_item": None if costs.macs_item is None else round(costs.macs_item),
            "seconds_query": round(costs.seconds_query, DIGITS),
            "seconds_item": round(costs.seconds_item, DIGITS),
            "bytes_item": round(costs.bytes_item, 1),
            "dims": self.dims,
        }


def rows(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The JSON objects of points, in order."""
    return [point.row() for point in points]
