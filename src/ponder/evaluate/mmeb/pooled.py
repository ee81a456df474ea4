"""A pool's distinct vectors, and which of them could be among the first of a query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ponder.evaluate.mmeb.exact import distinct
from ponder.evaluate.mmeb.rough import Pass, Rough

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Pooled:
    """The distinct vectors of a pool.

    Args:
        pool: (candidates, dim); may be a memory map.
        depth: How many places are wanted.
        block: Vectors at a time.
        pairs: Most pairs that `candidates` holds.

    Attributes:
        pool: As given.
        first: int64 (distinct,): each vector's first place in the pool.
        counts: int64 (distinct,): how many candidates have it.
        owners: Of vector after vector, the places that have it, no more than are wanted.
        shown: int64 (distinct,): how many these are.
        starts: int64 (distinct,): where in `owners` they begin.
        lengths: float64 (distinct,); not finite where the vector is not.
    """

    def __init__(self, pool: NDArray[Any], depth: int, block: int, pairs: int) -> None:
        import numpy as np

        self.pool, self.depth, self.block, self.pairs = pool, depth, block, pairs
        self.first, which = distinct(pool)
        self.counts = np.bincount(which, minlength=len(self.first))
        # Of each vector, its owners in the pool's order; more of them than places are of no use.
        order = np.argsort(which, kind="stable")
        starts = np.cumsum(self.counts) - self.counts
        rank = np.arange(len(which)) - np.repeat(starts, self.counts)
        self.owners = order[rank < depth]
        self.shown = np.minimum(self.counts, depth)
        self.starts = np.cumsum(self.shown) - self.shown
        square = np.zeros(len(self.first))
        for start, rows in self._blocks():
            square[start : start + len(rows)] = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        self.lengths = np.sqrt(square)

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        import numpy as np

        whole = len(self.first) == len(self.pool)
        for start in range(0, len(self.first), self.block):
            stop = start + self.block
            rows = self.pool[start:stop] if whole else self.pool[self.first[start:stop]]
            yield start, np.asarray(rows, np.float32)

    @property
    def some(self) -> NDArray[np.float32]:
        """The first block, to try products on."""
        return next(self._blocks())[1]

    def rough(self, how: Pass) -> Rough:
        """A first pass over these vectors."""
        import numpy as np

        known = self.lengths[np.isfinite(self.lengths)]
        return Rough(how, float(known.max(initial=0.0)), self.pool.shape[1])

    def _floor(
        self, rough: Rough, best: NDArray[np.float32], off: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """What a rough score has to reach; everything does while fewer are known than are wanted."""
        import numpy as np

        if best.shape[1] < self.depth:
            return np.full(len(best), -np.inf, np.float32)
        return rough.floor(best.min(axis=1), off)

    def candidates(
        self, tile: NDArray[np.float32], rough: Rough
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Pairs of a query and a distinct vector: all that could be among the first, and some more.

        Returns:
            The queries and the vectors; None where that is too many pairs to hold.
        """
        import numpy as np

        odd = ~np.isfinite(self.lengths)
        operand, off = rough.left(tile)
        floor = np.full(len(tile), -np.inf, np.float32)
        best = np.zeros((len(tile), 0), np.float32)
        held = 0
        kept: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
        for start, rows in self._blocks():
            scores = rough.scores(operand, rows)
            strange = odd[start : start + len(rows)]
            if strange.any():
                scores[:, strange] = -np.inf
            begins = best.shape[1] < self.depth
            if begins:
                best = _best(np.concatenate([best, scores], axis=1), self.depth)
                floor = self._floor(rough, best, off)
            # A query that is no number has no floor, and keeps everything.
            hits = np.flatnonzero(~(scores < floor[:, None]).ravel())
            at, said = hits // len(rows), scores.ravel()[hits]
            if not begins:
                # What does not reach the floor is none of the best: few are left to sort.
                best = _best(np.concatenate([best, _rows(at, said, len(tile))], axis=1), self.depth)
                floor = self._floor(rough, best, off)
            kept.append((at, hits % len(rows) + start, said))
            held += len(hits)
            if held > self.pairs and len(tile) > 1:
                return None
        asked = np.concatenate([each[0] for each in kept])
        which = np.concatenate([each[1] for each in kept])
        said = np.concatenate([each[2] for each in kept])
        stays = ~(said < floor[asked])
        # What has no length was not compared: it is kept for every query.
        stays &= ~odd[which]
        strange = np.flatnonzero(odd)
        everyone = np.repeat(np.arange(len(tile)), len(strange))
        return (
            np.concatenate([asked[stays], everyone]),
            np.concatenate([which[stays], np.tile(strange, len(tile))]),
        )


def _rows(at: NDArray[np.int64], said: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Scores of some queries, in rising order of these, as a row a query, filled up with minus infinity."""
    import numpy as np

    per = np.bincount(at, minlength=count)
    found = np.full((count, int(per.max(initial=0))), -np.inf, np.float32)
    found[at, np.arange(len(at)) - np.repeat(np.cumsum(per) - per, per)] = said
    return found


def _best(scores: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The highest scores of each row, in no order."""
    import numpy as np

    width = scores.shape[1]
    return scores if width <= count else np.partition(scores, width - count, axis=1)[:, width - count :]
