"""The nearest documents of many queries among very many, exact, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.errors import BadArguments, InputInvalid

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

BLOCK = 8192
"""Documents at a time: with 5,000 queries 80 MB of scores."""

_PAIRS = 32768

_SLACK = 2 * (2.0**-8 + 2.0**-9)
"""Twice what a score of unit vectors can be off in bfloat16: 2^-8 for both factors rounded (Cauchy-Schwarz
bounds the sum of their products by 1), 2^-9 for the sum. Whoever is among the exact best k scores at most so
much below the k-th best rounded score; `tests/feedback/test_candidates.py` holds it against float64."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Queries and their nearest documents, as columns.

    Attributes:
        query: int64 (n,), places of queries, ascending.
        document: int64 (n,), places of documents; a query's by score, the best first, ties by place.
        score: float32 (n,), dot products in float32.
    """

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    score: NDArray[np.float32]


def nearest(
    queries: NDArray[np.float32], corpus: NDArray[np.float32], k: int, *, block: int = BLOCK
) -> Nearest:
    """The min(k, documents) nearest of each query: bfloat16 finds who may be among them, float32 decides.

    Args:
        queries: float32 (q, d), rows no longer than 1.
        corpus: float32 (n, d), rows no longer than 1; a memory map is read block by block.
        k: How many.
        block: Documents at a time.

    Returns:
        The same whatever the block: exact.

    Raises:
        BadArguments: `k` or `block` below 1.
        InputInvalid: Widths differ, a number is not finite, or a row is longer than 1.

    Example:
        >>> import numpy as np
        >>> corpus = np.eye(3, dtype=np.float32)
        >>> nearest(corpus[1:2], corpus, 2).document.tolist()
        [1, 0]
    """
    import numpy as np
    import torch

    if k < 1 or block < 1:
        raise BadArguments(f"{k}, {block}", "k, block", "at least 1")
    if queries.shape[1] != corpus.shape[1]:
        raise InputInvalid(f"{queries.shape[1]} dimensions", "queries", f"the corpus has {corpus.shape[1]}")
    _check(queries, "queries")
    keep = min(k, len(corpus))
    asked = torch.from_numpy(np.ascontiguousarray(queries, np.float32)).to(torch.bfloat16)
    floor = torch.full((len(queries), 1), float("-inf"), dtype=torch.bfloat16)
    found = _Found.empty()
    merged = 0
    for number, start in enumerate(range(0, len(corpus), block), 1):
        rows = np.array(corpus[start : start + block], np.float32)
        _check(rows, f"corpus, row {start} and on")
        scores = asked @ torch.from_numpy(rows).to(torch.bfloat16).T
        if number == 1 and len(rows) >= keep:
            # A first floor: nobody below it can come in any more.
            floor = scores.topk(keep, dim=1).values[:, -1:].float().sub(_SLACK).to(torch.bfloat16)
            floor = _down(floor)
        found = found.with_more(scores >= floor, scores, start)
        # Doubling the documents brings about k new ones a query: merging at each doubling is enough.
        if number >= 2 * merged or start + block >= len(corpus):
            merged = number
            found, floor = found.best(len(queries), keep)
    return _exact(queries, corpus, found, keep)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Who may be among the best, in no order."""

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    score: NDArray[np.float32]

    @classmethod
    def empty(cls) -> _Found:
        import numpy as np

        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))

    def with_more(self, chosen: torch.Tensor, scores: torch.Tensor, start: int) -> _Found:
        import numpy as np

        query, column = chosen.nonzero(as_tuple=True)
        values = scores[query, column].float().numpy()
        return _Found(
            np.concatenate([self.query, query.numpy()]),
            np.concatenate([self.document, column.numpy() + start]),
            np.concatenate([self.score, values]),
        )

    def best(self, queries: int, keep: int) -> tuple[_Found, torch.Tensor]:
        """Those that may still be among the `keep` best, and each query's score below which nobody is."""
        import numpy as np
        import torch

        order = np.lexsort((self.document, -self.score, self.query))
        query, document, score = self.query[order], self.document[order], self.score[order]
        starts = np.searchsorted(query, np.arange(queries))
        ends = np.searchsorted(query, np.arange(queries), side="right")
        last = np.minimum(starts + keep - 1, len(query) - 1)
        floors = np.where(ends - starts >= keep, score[last] - _SLACK, -np.inf).astype(np.float32)
        stay = score >= floors[query]
        floor = _down(torch.from_numpy(floors)[:, None].to(torch.bfloat16))
        return _Found(query[stay], document[stay], score[stay]), floor


def _down(floor: torch.Tensor) -> torch.Tensor:
    """A bfloat16 that is not above what was rounded to it."""
    return (floor.float() - floor.float().abs() * 2.0**-8).to(floor.dtype)


def _exact(queries: NDArray[np.float32], corpus: NDArray[np.float32], found: _Found, keep: int) -> Nearest:
    import numpy as np

    # In the order of documents, so that a memory map is read once from front to back.
    order = np.argsort(found.document, kind="stable")
    query, document = found.query[order], found.document[order]
    score = np.zeros(len(query), np.float32)
    for start in range(0, len(query), _PAIRS):
        part = slice(start, start + _PAIRS)
        score[part] = np.einsum("nd,nd->n", queries[query[part]], np.asarray(corpus[document[part]]))
    order = np.lexsort((document, -score, query))
    query, document, score = query[order], document[order], score[order]
    place = np.arange(len(query)) - np.searchsorted(query, query)
    stay = place < keep
    return Nearest(query[stay], document[stay], score[stay])


def _check(rows: NDArray[np.float32], where: str) -> None:
    import numpy as np

    lengths = np.einsum("nd,nd->n", rows, rows)
    if not np.isfinite(lengths).all():
        raise InputInvalid("a number is not finite", where, "embed anew")
    if len(lengths) and lengths.max() > 1.001:
        longest = float(np.sqrt(lengths.max()))
        raise InputInvalid(f"a row of length {longest:.3f}", where, "bring rows to unit length")


def blocks_of(found: Nearest, queries: int, size: int) -> Iterator[tuple[int, Nearest]]:
    """The columns of `size` queries at a time, with the first query's place."""
    import numpy as np

    for start in range(0, queries, size):
        low, high = np.searchsorted(found.query, [start, start + size])
        yield start, Nearest(found.query[low:high], found.document[low:high], found.score[low:high])
