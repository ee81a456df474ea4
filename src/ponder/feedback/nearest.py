"""The exact nearest vectors of many queries, streamed in blocks: memory does not grow with the corpus.

A first pass multiplies in bfloat16, where the processor is faster at that, and keeps whatever could be among
the nearest by a bound on its rounding (`ponder.feedback.kept`); what is kept is scored exactly
(`ponder.index.scores`) in a second pass. So the result is that of exact scores, whichever first pass ran.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ponder.errors import BadArguments, InputInvalid
from ponder.feedback.kept import Block, Kept, Pass
from ponder.index.scores import DECIMALS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS = 8192
"""Vectors of a block: 12 MB of 384 dimensions."""

TILE = 512
"""Queries multiplied with a block at a time: their products, 8 MB in bfloat16, stay in the cache."""

PAIRS = 4096
"""Pairs scored exactly at a time: 13 MB of 384 dimensions."""

_SPAN = 4 * ROWS

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """What was found.

    Attributes:
        places: int64 (queries, k), the items' places, the best first, ties by place; -1 behind the last.
        scores: float64 (queries, k), exact; -inf behind the last.
    """

    places: NDArray[np.int64]
    scores: NDArray[np.float64]


def nearest(
    queries: NDArray[np.float32],
    vectors: NDArray[Any],
    k: int,
    *,
    owners: NDArray[np.int64] | None = None,
    first_pass: Pass | None = None,
    block: int = ROWS,
    advance: Advance | None = None,
) -> Nearest:
    """The k nearest items of each query by dot product, exactly.

    Args:
        queries: (queries, dim).
        vectors: (vectors, dim), float32 or float16: an array, or a memory map, of which one block is in
            memory at a time.
        k: How many; all where there are fewer.
        owners: int64 (vectors,): each vector's item, a number from 0; an item's score is that of its best
            vector. None: each vector is an item.
        first_pass: None takes the one that is faster here; the result is the same.
        block: Vectors at a time; the result is the same.
        advance: Called with (blocks done, blocks).

    Raises:
        BadArguments: `k` or `block` is below 1.
        InputInvalid: Shapes do not fit, or values are not finite.

    Example:
        >>> import numpy as np
        >>> corpus = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
        >>> found = nearest(np.array([[0, 1]], np.float32), corpus, 2)
        >>> found.places.tolist(), found.scores.tolist()
        ([[1, 2]], [[1.0, 0.8]])
    """
    import numpy as np
    import torch

    if k < 1 or block < 1:
        raise BadArguments(f"{k}, {block}", "k, block", "at least 1")
    asked = _checked(queries, vectors, owners)
    how = first_pass or _faster(asked, vectors)
    items = len(vectors) if owners is None else int(owners.max(initial=-1)) + 1
    most = 1 if owners is None or not len(owners) else int(np.bincount(owners).max())
    tiles = [
        Kept(asked[start : start + TILE], min(k, max(1, items)), most, how)
        for start in range(0, len(asked), TILE)
    ]
    blocks = -(-len(vectors) // block)
    # A tile a thread: what sifts the products is numpy's, which has one.
    with ThreadPoolExecutor(torch.get_num_threads(), initializer=_alone) as threads:
        for done, (start, rows) in enumerate(_blocks(vectors, block), 1):
            if not np.isfinite(rows).all():
                raise InputInvalid("vectors with values that are not finite", f"row {start} or behind", "")
            read = Block(rows, start, how)

            def take(tile: Kept, read: Block = read, done: int = done) -> None:
                tile.add(read)
                if done & (done - 1) == 0 or tile.full:
                    tile.prune(owners)
                if tile.full:
                    tile.settle(partial(_exact, vectors=vectors), owners)

            deque(threads.map(take, tiles), maxlen=0)
            if advance:
                advance(done, blocks)
    return _ranked(tiles, vectors, owners, len(asked), k)


def exact_pairs(
    queries: NDArray[np.float32], places: NDArray[np.int64], vectors: NDArray[Any]
) -> NDArray[np.float64]:
    """Exact scores of pairs, as `ponder.index.scores.exact_scores` has them.

    Args:
        queries: (pairs, dim).
        places: (pairs,), rising: a memory map is read in order, and given back every few blocks.
        vectors: As for `nearest`.

    Returns:
        (pairs,).
    """
    import numpy as np

    scores = np.zeros(len(places))
    start = 0
    while start < len(places):
        low = int(places[start])
        # A page that is touched brings its neighbours along: a wide window would be resident as a whole.
        stop = int(np.searchsorted(places, low + _SPAN))
        part = slice(start, stop)
        rows = np.asarray(_window(vectors, low, low + _SPAN)[places[part] - low], np.float64)
        scores[part] = np.round((rows * queries[part]).sum(axis=1), DECIMALS) + 0.0
        start = stop
    return scores


def _exact(
    queries: NDArray[np.float32], asked: NDArray[np.int64], places: NDArray[np.int64], vectors: NDArray[Any]
) -> NDArray[np.float64]:
    """Exact scores of very many pairs, some at a time; places rise."""
    import numpy as np
    import torch

    scores = np.zeros(len(places))

    def score(at: int) -> None:
        part = slice(at, at + PAIRS)
        scores[part] = exact_pairs(queries[asked[part]], places[part], vectors)

    # numpy gathers and adds up in one thread.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        deque(threads.map(score, range(0, len(places), PAIRS)), maxlen=0)
    return scores


def _alone() -> None:
    """Have this thread's products made in one thread."""
    import torch

    torch.set_num_threads(1)


def _checked(
    queries: NDArray[np.float32], vectors: NDArray[Any], owners: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    import numpy as np

    if queries.ndim != 2 or vectors.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise InputInvalid(
            f"queries of shape {queries.shape}, vectors of shape {vectors.shape}",
            "nearest",
            "give two matrices of the same width",
        )
    if owners is not None and owners.shape != (len(vectors),):
        raise InputInvalid(f"{owners.shape} owners of {len(vectors)} vectors", "owners", "give one a vector")
    asked = np.ascontiguousarray(queries, np.float32)
    if not np.isfinite(asked).all():
        raise InputInvalid("a query vector with values that are not finite", "nearest", "check the embedder")
    return asked


def _ranked(
    tiles: Sequence[Kept], vectors: NDArray[Any], owners: NDArray[np.int64] | None, queries: int, k: int
) -> Nearest:
    """Score exactly what is kept, and put it in order."""
    import numpy as np

    found = Nearest(np.full((queries, k), -1, np.int64), np.full((queries, k), -np.inf))
    for number, tile in enumerate(tiles):
        tile.prune(owners)
        asked, places, _, _ = tile.flat()
        order = np.argsort(places, kind="stable")
        asked, places = asked[order], places[order]
        scores = _exact(tile.queries, asked, places, vectors)
        items = places if owners is None else owners[places]
        order = np.lexsort((items, -scores, asked))
        asked, items, scores = asked[order], items[order], scores[order]
        if owners is not None:
            # The first of an item is its best vector.
            _, first = np.unique(asked * (int(owners.max()) + 1) + items, return_index=True)
            first.sort()
            asked, items, scores = asked[first], items[first], scores[first]
        counts = np.bincount(asked, minlength=len(tile.queries))
        rank = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts, counts)
        stays = rank < k
        at = (asked[stays] + number * TILE, rank[stays])
        found.places[at], found.scores[at] = items[stays], scores[stays]
    return found


def _blocks(vectors: NDArray[Any], count: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    import numpy as np

    for start in range(0, len(vectors), count):
        yield start, np.array(_window(vectors, start, start + count), np.float32, order="C")


def _window(vectors: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
    """Some rows; of a file a mapping of its own, whose pages are given back with its last user."""
    import mmap

    import numpy as np

    # A slice of a memory map says that it begins where the whole does: only the whole can be trusted.
    if not (isinstance(vectors, np.memmap) and isinstance(vectors.base, mmap.mmap) and vectors.filename):
        return vectors[start:stop]
    stop, row = min(stop, len(vectors)), vectors.dtype.itemsize * vectors.shape[1]
    # What was changed in a copy-on-write mapping is not in the file.
    if vectors.mode == "c" or not vectors.flags.c_contiguous or stop <= start:
        return vectors[start:stop]
    shape, offset = (stop - start, vectors.shape[1]), vectors.offset + start * row
    return np.memmap(vectors.filename, vectors.dtype, "r", offset, shape)


def _faster(queries: NDArray[np.float32], vectors: NDArray[Any]) -> Pass:
    """Which first pass is faster on this processor, for these shapes: by trying both, some milliseconds."""
    if len(vectors) <= ROWS:
        return "float32"
    took: dict[Pass, float] = {}
    _, rows = next(_blocks(vectors, ROWS))
    for how in ("bfloat16", "float32"):
        tile, block = Kept(queries[:TILE], 1, 1, how), Block(rows, 0, how)
        tile.product(block)
        began = time.perf_counter()
        tile.product(block)
        took[how] = time.perf_counter() - began
    return min(took, key=lambda how: took[how])
