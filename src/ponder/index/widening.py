"""Exact results out of a store that gives its nearest so many: ask for more until no more can matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.index.scores import MARGIN, best_matches, exact_scores
from ponder.records import Match

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST = 64
"""So many are fetched at least: a second round costs more than some rows that were not needed."""

_CANDIDATES_OF_PARTS = 4.0


@dataclass(slots=True)
class Width:
    """How many candidates of an approximate index to read first: fewer than of a scan, as each is a read.

    One and a half for an item that is wanted, until items of several parts have shown that to be too few.

    Attributes:
        each: For an item that is wanted.
        least: Whatever is wanted.
    """

    each: float = 1.5
    least: int = 16

    def first(self, k: int) -> int:
        """So many for the k best items."""
        return max(round(self.each * k), self.least)

    def too_few(self) -> None:
        """They were parts of fewer items than were wanted."""
        self.each = _CANDIDATES_OF_PARTS


@dataclass(frozen=True, slots=True)
class Nearest:
    """What a store gave when it was asked for its nearest.

    Attributes:
        ids: The item of each part.
        part_nos: Number of each part.
        labels: Label of each part.
        vectors: float32 array of shape (parts, dim).
        found: How many the store gave, in what it counts: parts, or items with all of theirs.
        last: The store's own score of the last of them.
    """

    ids: Sequence[str]
    part_nos: Sequence[int]
    labels: Sequence[str]
    vectors: NDArray[np.float32]
    found: int
    last: float


def widened(
    fetch: Callable[[int], Nearest], query: NDArray[np.float32], k: int, width: Width | None = None
) -> list[Match]:
    """The k best items, scored anew as every index scores (`ponder.index.scores`).

    Args:
        fetch: Gives the store's nearest, at most so many, by its own arithmetic.
        query: Array of shape (dim,).
        k: How many, at least 1.
        width: Of an approximate index: how many to fetch first. None for a scan: 4 k, at least 64.

    Returns:
        Those of an exact comparison, if what the store gives are its nearest.
    """
    import numpy as np

    slack = 2 * MARGIN * max(1.0, float(np.linalg.norm(query)))
    limit = max(4 * k, _LEAST) if width is None else width.first(k)
    while True:
        got = fetch(limit)
        if not got.found:
            return []
        scores = exact_scores(got.vectors, query)
        found = best_matches(got.ids, got.part_nos, got.labels, scores, k)
        # What was cut off scores no better than the last one returned: when that is clearly below the
        # k-th item it cannot matter, ties included.
        if got.found < limit or (len(found) == k and got.last < found[-1].score - slack):
            return found
        if width is not None and len(found) == k:
            # The k-th is close to the last: some more will do, and it says nothing of the next query.
            limit *= 2
            continue
        if width is not None:
            width.too_few()
        limit *= 4
