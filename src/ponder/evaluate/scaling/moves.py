"""Where queries were gained and lost, and by which stage."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ponder.evaluate.scaling.kept import Kept


@dataclass(frozen=True, slots=True)
class Move:
    """A query whose main measure differs from that at budget 0, and the stage where its first hit moved."""

    id: str
    text: str
    stage: str
    before: float
    after: float


def by_query(run: Kept, metric: str) -> dict[str, float]:
    """A measure by query."""
    return {row["_id"]: float(row["metrics"][metric]) for row in run.queries}


def moves(zero: Kept, run: Kept, metric: str) -> tuple[tuple[Move, ...], tuple[Move, ...]]:
    """The queries that stand better than at budget 0, and those that stand worse."""
    base = by_query(zero, metric)
    gained: list[Move] = []
    lost: list[Move] = []
    for row in run.queries:
        before, after = base.get(row["_id"]), float(row["metrics"][metric])
        if before is None or before == after:
            continue
        move = Move(row["_id"], row["text"], _where(row["first"], after > before), before, after)
        (gained if after > before else lost).append(move)
    return tuple(gained), tuple(lost)


def _where(first: dict[str, int], up: bool) -> str:
    """The last stage that moved the first relevant document up (down): the one that left it where it is.

    Example:
        >>> _where({"retrieve": 5, "ecr": 3, "query-aware": 1}, True)
        'query-aware'
    """
    for (_, before), (stage, after) in reversed(list(pairwise(first.items()))):
        if (after < before) if up else (after > before):
            return stage
    return ""
