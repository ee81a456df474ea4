"""The first places of every query among all candidates, without the matrix of all scores.

Blocks of candidates go past tiles of queries in float32; whatever could be among the first by a bound on the
rounding of such a product is kept, and ranked by `ponder.evaluate.mmeb.exact`. Equal vectors are multiplied
once: a model that gives everything one vector costs no more than another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.evaluate.mmeb.exact import distinct, keys
from ponder.evaluate.mmeb.official import DEEPEST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TILE = 512
"""Queries at a time."""

BLOCK = 8192
"""Candidates at a time: with a tile of queries 16 MB of scores, which stay in the cache."""

PAIRS = 4 << 20
"""Most pairs of a tile that are kept for exact scores."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The first places of every query.

    Attributes:
        places: int64 (queries, depth), rows of the pool; the best first, equals in the pool's order.
        keys: float64 (queries, depth), what they are ranked by.
        cut: float64 (queries,): the key of the last place that metrics look at.
        tied: int64 (queries,): how many candidates have the key `cut`, wherever they stand.
    """

    places: NDArray[np.int64]
    keys: NDArray[np.float64]
    cut: NDArray[np.float64]
    tied: NDArray[np.int64]


def nearest(
    queries: NDArray[Any],
    pool: NDArray[Any],
    depth: int = DEEPEST,
    advance: Advance | None = None,
    *,
    tile: int = TILE,
    block: int = BLOCK,
    pairs: int = PAIRS,
) -> Nearest:
    """Rank the pool for each query, as deep as asked for.

    Args:
        queries: (queries, dim), any float type.
        pool: (candidates, dim); may be a memory map.
        depth: How many places; at least those that metrics look at, at most the pool.
        advance: Called with (queries done, queries).
        tile: Queries at a time; the result is the same, as with the next two.
        block: Candidates at a time.
        pairs: Most pairs of a tile that are held for exact scores.

    Example:
        >>> import numpy as np
        >>> pool = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
        >>> found = nearest(np.array([[1, 0]], np.float32), pool)
        >>> found.places.tolist(), found.cut.tolist(), found.tied.tolist()
        ([[0, 2, 1]], [0.0], [1])
    """
    import numpy as np

    depth = min(max(depth, DEEPEST), len(pool))
    shape = (len(queries), depth)
    found = Nearest(
        np.zeros(shape, np.int64), np.zeros(shape), np.zeros(len(queries)), np.zeros(len(queries), np.int64)
    )
    if not depth:
        return found
    several = _Several(pool, depth, block, pairs)
    start, size = 0, tile
    while start < len(queries):
        asked = np.asarray(queries[start : start + size], np.float32)
        part = slice(start, start + len(asked))
        kept = several.candidates(asked)
        if kept is None:
            # Nearly everything is nearly tied: fewer queries at a time, so that memory stays bounded.
            size = max(1, len(asked) // 2)
            continue
        _rank(asked, several, *kept, Nearest(*(each[part] for each in _fields(found))))
        start += len(asked)
        if advance:
            advance(start, len(queries))
    return found


def _fields(found: Nearest) -> tuple[NDArray[Any], ...]:
    return found.places, found.keys, found.cut, found.tied


class _Several:
    """The pool's distinct vectors, and who has them."""

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

    def candidates(self, tile: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Pairs of a query and a distinct vector: all that could be among the first, and some more.

        Returns:
            The queries and the vectors; None where that is too many pairs to hold.
        """
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", tile, tile, dtype=np.float64))
        odd = ~np.isfinite(self.lengths)
        known = self.lengths[~odd]
        # A float32 sum of n products is off by at most n units of roundoff of the product of lengths
        # (Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.1); the rounding of exact scores
        # and that the two scores compared may be off either way come on top.
        units = (tile.shape[1] + 8) * 2.0**-24 * 1.01
        product = lengths * (known.max() if len(known) else 0.0)
        # Near float32's end a product says nothing.
        margin = np.where(product < 1e37, 2 * units * product + 1e-36, np.inf)
        floor = np.full(len(tile), -np.inf)
        best = np.zeros((len(tile), 0), np.float32)
        held = 0
        kept: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
        for start, rows in self._blocks():
            with np.errstate(over="ignore", invalid="ignore"):
                scores = tile @ rows.T
            strange = odd[start : start + len(rows)]
            if strange.any():
                scores[:, strange] = -np.inf
            # A query that is no number has no floor, and keeps everything.
            best = _best(np.concatenate([best, _best(scores, self.depth)], axis=1), self.depth)
            if best.shape[1] == self.depth:
                floor = best.min(axis=1) - margin
            hits = np.flatnonzero(~(scores < floor.astype(np.float32)[:, None]).ravel())
            at = hits // len(rows)
            kept.append((at, hits % len(rows) + start, scores.ravel()[hits]))
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


def _best(scores: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The highest scores of each row, in no order."""
    import numpy as np

    width = scores.shape[1]
    return scores if width <= count else np.partition(scores, width - count, axis=1)[:, width - count :]


def _rank(
    tile: NDArray[np.float32],
    several: _Several,
    asked: NDArray[np.int64],
    which: NDArray[np.int64],
    into: Nearest,
) -> None:
    """Score exactly, put in order, and say what is tied at the cut."""
    import numpy as np

    exact = keys(tile, several.pool, asked, several.first[which])
    shown = several.shown[which]
    pair = np.repeat(np.arange(len(asked)), shown)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(shown) - shown, shown)
    places = several.owners[several.starts[which[pair]] + within]
    order = np.lexsort((places, -exact[pair], asked[pair]))
    who, score, place = asked[pair][order], exact[pair][order], places[order]
    per = np.bincount(who, minlength=len(tile))
    rank = np.arange(len(who)) - np.repeat(np.cumsum(per) - per, per)
    stays = rank < into.places.shape[1]
    into.places[who[stays], rank[stays]] = place[stays]
    into.keys[who[stays], rank[stays]] = score[stays]
    into.cut[:] = into.keys[:, min(DEEPEST, into.keys.shape[1]) - 1]
    equal = exact == into.cut[asked]
    into.tied[:] = np.bincount(asked[equal], weights=several.counts[which[equal]], minlength=len(tile))
