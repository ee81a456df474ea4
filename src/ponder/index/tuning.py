"""How much of an exact comparison an approximate index finds, and the least effort that is enough."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ponder.index.stored import EXACT, IndexState, StoredIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LADDER = (0.25, 0.5, 1, 2, 4, 8)
"""What is tried, as multiples of the index's own effort."""

MOST_EFFORT = 1000
"""Of any index: pgvector's ef_search ends there, and others are slower than a scan before."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one effort gave.

    Attributes:
        effort: In the index's own measure (`IndexState.knob`).
        recall: Of the items that an exact comparison puts first, the share that was found, on average.
        milliseconds: A search, median.
    """

    effort: int
    recall: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was measured.

    Attributes:
        state: How the index was built.
        queries: How many stored vectors were searched for.
        k: How many items were asked for.
        target: The recall that is enough.
        recall: At the effort of `state`; 1 while every search is exact.
        exact_milliseconds: An exact search, median.
        tried: By effort.
        suggested: The least effort that was enough, or the largest when none was; 0 while it is exact.
    """

    state: IndexState
    queries: int
    k: int
    target: float
    recall: float
    exact_milliseconds: float
    tried: tuple[Tried, ...] = ()
    suggested: int = 0


def tune(
    index: StoredIndex,
    *,
    queries: int = 100,
    k: int = 10,
    target: float = 0.98,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Measure recall on vectors that are stored, at efforts around the index's own.

    A query is the vector of a random item's random part, and that item itself does not count: it would be
    found with any effort. An item found in another's place counts when its score is as good.

    Args:
        index: An index that nothing is written to meanwhile, or recall looks lower than it is.
        queries: How many, at most; 100 tell recall within .01 or so.
        k: How many items each asks for.
        target: The recall that is enough.
        seed: Of the choice of queries.
        progress: Is called with (searches done, searches to do).
    """
    state = index.state()
    asked = _sampled(index, queries, seed)
    if not asked:
        return Tuning(state, 0, k, target, 1.0, 0.0)
    efforts = sorted({min(MOST_EFFORT, max(1, round(state.effort * step))) for step in _LADDER})
    efforts = efforts if state.knob else []
    total, done = len(asked) * (1 + len(efforts)), 0
    best: list[list[float]] = []
    times: dict[int, list[float]] = {effort: [] for effort in (EXACT, *efforts)}
    shares: dict[int, list[float]] = {effort: [] for effort in efforts}
    for effort in (EXACT, *efforts):
        for place, (name, vector) in enumerate(asked):
            began = time.perf_counter()
            found = index.search(vector, k + 1, effort=effort)
            times[effort].append(time.perf_counter() - began)
            scores = [match.score for match in found if match.id != name][:k]
            if effort == EXACT:
                best.append(scores)
            else:
                shares[effort].append(_share(scores, best[place]))
            done += 1
            if progress is not None:
                progress(done, total)
    tried = tuple(
        Tried(effort, sum(shares[effort]) / len(asked), 1000 * _median(times[effort])) for effort in efforts
    )
    measured = Tuning(state, len(asked), k, target, 1.0, 1000 * _median(times[EXACT]), tried)
    if not tried:
        return measured
    enough = [each.effort for each in tried if each.recall >= target]
    recall = next(each.recall for each in tried if each.effort == min(MOST_EFFORT, state.effort))
    return replace(measured, recall=recall, suggested=enough[0] if enough else tried[-1].effort)


def _sampled(index: StoredIndex, count: int, seed: int) -> list[tuple[str, NDArray[np.float32]]]:
    chance = random.Random(seed)
    names = sorted(source.id for source in index.sources())
    rows = index.get(chance.sample(names, min(count, len(names))))
    return [(row.item.id, chance.choice(row.embedded.vectors)) for row in rows]


def _share(scores: list[float], best: list[float]) -> float:
    if not best:
        return 1.0
    return sum(score >= best[-1] for score in scores) / len(best)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
