"""An index in memory: exact, simple, and the oracle that the others are tested against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.index.filters import ItemFilter
from ponder.index.scores import MARGIN, best_matches, checked_query, checked_rows, exact_scores
from ponder.records import Match, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ExactIndex:
    """Rows in memory, searched by brute force (`protocols.Index`). What evaluation uses.

    Args:
        dim: Length of the vectors; None takes it from the first row added.
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim
        self._rows: dict[str, Row] = {}
        self._matrix: _Matrix | None = None
        self._filter: ItemFilter | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows, replacing those with the same ids. All in or none.

        Raises:
            InputInvalid: Vectors of another width, or that do not fit their labels.
        """
        if not rows:
            return
        dim = rows[0].embedded.vectors.shape[-1] if self.dim is None else self.dim
        self._rows |= checked_rows(rows, dim)
        self.dim = dim
        self._changed()

    def remove(self, ids: Collection[str]) -> int:
        """Remove items by id; the number that were there."""
        there = [name for name in dict.fromkeys(ids) if self._rows.pop(name, None) is not None]
        if there:
            self._changed()
        return len(there)

    def search(self, vector: NDArray[np.float32], k: int, where: str | None = None) -> list[Match]:
        """See `ponder.protocols.Index`. Scores are exact (`ponder.index.scores`), so equal vectors tie."""
        kept = None if where is None else self._ids(where)
        if self.dim is None:
            return []
        query = checked_query(vector, self.dim, k)
        if self._matrix is None:
            self._matrix = _Matrix.of(self._rows)
        return self._matrix.search(query, k, kept)

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        return [self._rows[name] for name in ids if name in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def parts(self) -> int:
        """Number of vectors."""
        return sum(len(row.embedded.labels) for row in self._rows.values())

    def counts(self) -> dict[str, int]:
        """Number of items by kind."""
        return dict(sorted(Counter(row.item.kind for row in self._rows.values()).items()))

    def _ids(self, where: str) -> set[str]:
        if self._filter is None:
            self._filter = ItemFilter({name: (row.item, row.digest) for name, row in self._rows.items()})
        return self._filter.ids(where)

    def _changed(self) -> None:
        self._matrix = self._filter = None


@dataclass(frozen=True)
class _Matrix:
    """All vectors in one array, items in order of id, an item's parts together.

    Attributes:
        vectors: float32 array of shape (parts, dim).
        starts: int64 array of shape (items + 1,): where each item's parts begin.
    """

    ids: list[str]
    labels: list[tuple[str, ...]]
    vectors: NDArray[np.float32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: dict[str, Row]) -> _Matrix:
        import numpy as np

        ids = sorted(rows)
        parts = [rows[name].embedded for name in ids]
        starts = np.cumsum([0, *(len(part.labels) for part in parts)])
        vectors = np.concatenate([part.vectors for part in parts]) if parts else np.zeros((0, 1), np.float32)
        return cls(ids, [part.labels for part in parts], vectors.astype(np.float32, copy=False), starts)

    def search(self, query: NDArray[np.float32], k: int, kept: set[str] | None) -> list[Match]:
        import numpy as np

        if not self.ids or k == 0:
            return []
        # A fast float32 product finds the items that can be among the k best; only these are scored
        # exactly, which also settles the ties.
        rough = np.maximum.reduceat(self.vectors @ query, self.starts[:-1])
        eligible = np.arange(len(self.ids))
        if kept is not None:
            eligible = np.array([i for i, name in enumerate(self.ids) if name in kept], dtype=np.intp)
        if len(eligible) > k:
            scores = rough[eligible]
            least = np.partition(scores, len(scores) - k)[len(scores) - k]
            slack = MARGIN * max(1.0, float(np.linalg.norm(query)))
            eligible = eligible[scores >= least - 2 * slack]
        found: list[tuple[str, int, str, int]] = []
        for item in eligible.tolist():
            first, end = int(self.starts[item]), int(self.starts[item + 1])
            found += [(self.ids[item], n, self.labels[item][n], first + n) for n in range(end - first)]
        if not found:
            return []
        ids, part_nos, labels, places = zip(*found, strict=True)
        return best_matches(ids, part_nos, labels, exact_scores(self.vectors[list(places)], query), k)
