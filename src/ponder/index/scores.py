"""Scores and their order: the one definition that every index shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ponder.errors import BadArguments, InputInvalid
from ponder.records import Match, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

DECIMALS = 6
"""Scores are rounded to so many decimals: equal vectors tie exactly, whatever computed them."""

MOST_RESULTS = 100_000_000
"""A store is asked for some times as many, and counts in 32 bits."""

MARGIN = 1e-5
"""By how much a float32 dot product of unit vectors may be off, rounding included, and then some."""


def exact_scores(vectors: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.float64]:
    """Dot products in float64, rounded to `DECIMALS`.

    A row's score does not depend on the other rows, as it would in a BLAS product, whose order of
    summation changes with the shape.

    Args:
        vectors: Array of shape (n, dim).
        query: Array of shape (dim,).

    Returns:
        Array of shape (n,).
    """
    import numpy as np

    products = vectors.astype(np.float64) * query.astype(np.float64)
    # Adding zero turns -0.0 into 0.0.
    scores: NDArray[np.float64] = np.round(products.sum(axis=1), DECIMALS) + 0.0
    return scores


def best_matches(
    ids: Sequence[str],
    part_nos: Sequence[int],
    labels: Sequence[str],
    scores: NDArray[np.float64],
    k: int,
) -> list[Match]:
    """The k best items of some scored parts: each by its best part, ties by id, then by part number."""
    best: dict[str, Match] = {}
    for name, number, label, score in zip(ids, part_nos, labels, scores.tolist(), strict=True):
        old = best.get(name)
        if old is None or (-score, number) < (-old.score, old.part_no):
            best[name] = Match(name, score, label, number)
    return sorted(best.values(), key=lambda match: (-match.score, match.id))[:k]


def checked_query(vector: ArrayLike, dim: int, k: int) -> NDArray[np.float32]:
    """The query vector as contiguous float32 of shape (dim,).

    Raises:
        InputInvalid: It has another shape, or values that are not finite.
        BadArguments: k is negative, or above `MOST_RESULTS`.
    """
    import numpy as np

    if k < 0:
        raise BadArguments("a number of results below 0", f"k={k}", "ask for 0 or more")
    if k > MOST_RESULTS:
        raise BadArguments(f"a number of results above {MOST_RESULTS:,}", f"k={k}", "ask for fewer")
    query = np.ascontiguousarray(vector, dtype=np.float32)
    if query.shape != (dim,):
        raise InputInvalid(
            f"a query vector of shape {query.shape} in an index of {dim} dimensions",
            "search",
            "embed the query with the models that the index was made with",
        )
    if not np.isfinite(query).all():
        raise InputInvalid("a query vector with values that are not finite", "search", "check the embedder")
    return query


def checked_rows(rows: Sequence[Row], dim: int) -> dict[str, Row]:
    """Rows by id, the last of an id winning.

    Raises:
        InputInvalid: A row's vectors do not fit the index or their labels, or are not finite.
    """
    import numpy as np

    for row in rows:
        vectors, labels = row.embedded.vectors, row.embedded.labels
        if vectors.ndim != 2 or vectors.shape[1] != dim or vectors.shape[0] != len(labels) or not labels:
            raise InputInvalid(
                f"vectors of shape {vectors.shape} with {len(labels)} labels in an index of {dim} dimensions",
                row.item.id,
                "use the models that the index was made with",
            )
        if not np.isfinite(vectors).all():
            raise InputInvalid("vectors with values that are not finite", row.item.id, "check the embedder")
    return {row.item.id: row for row in rows}
