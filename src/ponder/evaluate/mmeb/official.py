"""The metrics of the official MMEB-V2 evaluator, over arrays of places.

Definitions: VLM2Vec 6e1e1d4, ``src/utils/eval_utils/metrics.py``. What is its own: precision divides by k
however few candidates there are; a name that is ranked twice counts twice in nDCG, MAP and MRR and once in
precision and recall; labels that are in no pool count in recall, MAP and the ideal of nDCG; a query without
labels has recall 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CUTS = (1, 5, 10)
"""How far down the metrics look."""

DEEPEST = CUTS[-1]

FAMILIES = ("hit", "ndcg_linear", "ndcg_exponential", "precision", "recall", "f1", "map", "mrr")

METRICS = tuple(f"{family}@{cut}" for family in FAMILIES for cut in CUTS)
"""All of them, in the order of the official score files."""


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """What stands on the first places of each query's ranking; columns past its end hold nothing.

    Attributes:
        right: bool (queries, DEEPEST): the candidate is a label.
        new: bool (queries, DEEPEST): it is, and its name did not stand further up.
        grade: float64 (queries, DEEPEST): the label's grade; 0 where it is none.
        labels: int64 (queries,): how many labels the query has.
        grades: Of each query, its labels' grades.
    """

    right: NDArray[np.bool_]
    new: NDArray[np.bool_]
    grade: NDArray[np.float64]
    labels: NDArray[np.int64]
    grades: Sequence[Sequence[float]]


def metrics_by_query(slots: Slots) -> dict[str, NDArray[np.float64]]:
    """Every metric of every query.

    Args:
        slots: What stands where.

    Returns:
        Of each of `METRICS`, float64 (queries,).

    Example:
        >>> import numpy as np
        >>> right = np.zeros((1, 10), bool)
        >>> right[0, 1] = True
        >>> slots = Slots(right, right, right.astype(float), np.array([1]), [[1.0]])
        >>> found = metrics_by_query(slots)
        >>> float(found["hit@1"][0]), float(found["mrr@5"][0]), float(found["precision@10"][0])
        (0.0, 0.5, 0.1)
    """
    import numpy as np

    places = np.arange(1, DEEPEST + 1)
    seen = np.cumsum(slots.right, axis=1)
    precise = np.cumsum(slots.right * seen / places, axis=1)
    first = np.where(slots.right & (seen == 1), 1 / places, 0.0)
    names = np.cumsum(slots.new, axis=1)
    discounted = {name: np.cumsum(gain / np.log2(places + 1), axis=1) for name, gain in _gains(slots.grade)}
    ideal = _ideal(slots.grades)
    labels = slots.labels
    found: dict[str, NDArray[np.float64]] = {}
    for column, cut in enumerate(CUTS):
        last = cut - 1
        precision = names[:, last] / cut
        recall = np.where(labels > 0, names[:, last] / np.maximum(labels, 1), 1.0)
        both = precision + recall
        found[f"hit@{cut}"] = (seen[:, last] > 0).astype(np.float64)
        for name, sums in discounted.items():
            best = ideal[name][:, column]
            found[f"{name}@{cut}"] = np.divide(sums[:, last], best, out=np.zeros(len(best)), where=best > 0)
        found[f"precision@{cut}"] = precision
        found[f"recall@{cut}"] = recall
        found[f"f1@{cut}"] = np.divide(
            2 * precision * recall, both, out=np.zeros(len(both)), where=precision > 0
        )
        found[f"map@{cut}"] = precise[:, last] / np.maximum(np.minimum(labels, cut), 1)
        found[f"mrr@{cut}"] = first[:, :cut].sum(axis=1)
    return {name: found[name] for name in METRICS}


def means(by_query: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """The plain mean over queries; 0.0 without any."""
    return {name: float(values.mean()) if len(values) else 0.0 for name, values in by_query.items()}


def gain_of(grades: NDArray[np.float64], family: str) -> NDArray[np.float64]:
    """What a grade is worth: itself, or two to its power, less one."""
    import numpy as np

    return grades if family == "ndcg_linear" else np.exp2(grades) - 1


def _gains(grades: NDArray[np.float64]) -> list[tuple[str, NDArray[np.float64]]]:
    return [(family, gain_of(grades, family)) for family in ("ndcg_linear", "ndcg_exponential")]


def _ideal(grades: Sequence[Sequence[float]]) -> dict[str, NDArray[np.float64]]:
    """The greatest sums that could be reached at each cut: (queries, cuts)."""
    import numpy as np

    best = np.zeros((len(grades), DEEPEST))
    for row, each in enumerate(grades):
        top = sorted(each, reverse=True)[:DEEPEST]
        best[row, : len(top)] = top
    places = np.arange(2, DEEPEST + 2)
    at = [cut - 1 for cut in CUTS]
    return {name: np.cumsum(gain / np.log2(places), axis=1)[:, at] for name, gain in _gains(best)}
