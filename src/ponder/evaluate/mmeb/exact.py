"""Scores that do not depend on where a vector lies: what is equal is equal on every machine.

The official score is a float32 dot product. A matrix library may give two equal vectors two scores, by
where in a block they lie, and two machines' libraries differ. Here the products are summed in float64 and
rounded to float32 once, so that a tie is a tie of scores and not of roundings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VALUES = 1 << 21
"""Values multiplied at a time: 16 MB."""

NO_NUMBER = float("-inf")
"""The key of a score that is NaN: it ranks last."""


def keys(
    queries: NDArray[Any], vectors: NDArray[Any], asked: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What pairs are ranked by, highest first: the float32 score; NaN behind everything.

    Args:
        queries: (queries, dim), any float type; taken as float32, as the official evaluator does.
        vectors: (vectors, dim).
        asked: (pairs,), rows of `queries`.
        places: (pairs,), rows of `vectors`.

    Returns:
        float64 (pairs,).

    Example:
        >>> import numpy as np
        >>> queries, vectors = np.ones((1, 2), np.float32), np.array([[1, 2], [np.nan, 0]], np.float32)
        >>> keys(queries, vectors, np.array([0, 0]), np.array([0, 1])).tolist()
        [3.0, -inf]
    """
    import numpy as np

    found = np.empty(len(asked))
    step = max(1, VALUES // max(1, queries.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(asked), step):
            part = slice(start, start + step)
            left = np.asarray(queries[asked[part]], np.float32).astype(np.float64)
            right = np.asarray(vectors[places[part]], np.float32)
            found[part] = (left * right).sum(axis=1)
        rounded = found.astype(np.float32).astype(np.float64)
    # A score of minus infinity still ranks before one that is no number.
    rounded[np.isneginf(rounded)] = np.finfo(np.float64).min
    rounded[np.isnan(rounded)] = NO_NUMBER
    return rounded


def distinct(vectors: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which vectors are the same, bit for bit.

    Args:
        vectors: (vectors, dim); may be a memory map.

    Returns:
        The place of each distinct vector's first occurrence, rising, (distinct,); and of each vector which of
        these it is, (vectors,).

    Example:
        >>> import numpy as np
        >>> first, which = distinct(np.array([[1, 2], [3, 4], [1, 2]], np.float32))
        >>> first.tolist(), which.tolist()
        ([0, 1], [0, 1, 0])
    """
    import numpy as np

    marks = np.empty(len(vectors), np.uint64)
    step = max(1, VALUES // max(1, vectors.shape[1]))
    # Multilinear hashing modulo 2**64 (Lemire and Kaser, 2014) with fixed odd factors; equal marks are looked
    # at below.
    factors = np.random.default_rng(7).integers(1, 2**63, vectors.shape[1], dtype=np.uint64) * np.uint64(
        2
    ) + (np.uint64(1))
    for start in range(0, len(vectors), step):
        rows = np.ascontiguousarray(vectors[start : start + step], np.float32)
        bits = rows.view(np.uint32).astype(np.uint64)
        marks[start : start + step] = (bits * factors).sum(axis=1, dtype=np.uint64)
    _, first, which = np.unique(marks, return_index=True, return_inverse=True)
    copies = np.flatnonzero(first[which] != np.arange(len(vectors)))
    same = np.ones(len(copies), bool)
    for start in range(0, len(copies), step):
        at = copies[start : start + step]
        here = np.asarray(vectors[at], np.float32).view(np.uint32)
        there = np.asarray(vectors[first[which[at]]], np.float32).view(np.uint32)
        same[start : start + step] = (here == there).all(axis=1)
    owner = first[which]
    owner[copies[~same]] = copies[~same]
    firsts, found = np.unique(owner, return_inverse=True)
    return firsts.astype(np.int64), found.astype(np.int64)
