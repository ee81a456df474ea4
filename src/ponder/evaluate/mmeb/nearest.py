"""The first places of every query among all candidates, without the matrix of all scores.

Blocks of candidates go past tiles of queries in a fast product (`ponder.evaluate.mmeb.rough`); whatever could
be among the first by the bound on its rounding is kept, and ranked by `ponder.evaluate.mmeb.exact`. So the
result does not depend on the product. Equal vectors are multiplied once: a model that gives everything one
vector costs no more than another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.evaluate.mmeb.exact import keys
from ponder.evaluate.mmeb.official import DEEPEST
from ponder.evaluate.mmeb.pooled import Pooled
from ponder.evaluate.mmeb.rough import Pass, faster

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TILE = 512
"""Queries at a time."""

BLOCK = 8192
"""Candidates at a time: with a tile of queries 16 MB of scores, which stay in the cache."""

PAIRS = 4 << 20
"""Most pairs of a tile that are kept for exact scores."""

CROWDED = 1 / 200
"""Share of the candidates that are kept from which on bfloat16 does not pay: exact scores take long."""

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
    first_pass: Pass | None = None,
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
        first_pass: None takes the one that is faster here, as long as its bounds tell candidates apart.

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
    several = Pooled(pool, depth, block, pairs)
    rough = several.rough(first_pass or faster(np.asarray(queries), several.some, len(several.first)))
    start, size = 0, tile
    while start < len(queries):
        asked = np.asarray(queries[start : start + size], np.float32)
        part = slice(start, start + len(asked))
        kept = several.candidates(asked, rough)
        crowded = kept is None or len(kept[0]) > len(asked) * (depth + len(pool) * CROWDED)
        if crowded and rough.how == "bfloat16" and first_pass is None:
            # To score so many exactly would take longer than the finer product.
            rough = several.rough("float32")
        elif kept is None:
            # Nearly everything is nearly tied: fewer queries at a time, so that memory stays bounded.
            size = max(1, len(asked) // 2)
        if kept is None:
            continue
        _rank(asked, several, *kept, Nearest(*(each[part] for each in _fields(found))))
        start += len(asked)
        if advance:
            advance(start, len(queries))
    return found


def _fields(found: Nearest) -> tuple[NDArray[Any], ...]:
    return found.places, found.keys, found.cut, found.tied


def _rank(
    tile: NDArray[np.float32],
    several: Pooled,
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
