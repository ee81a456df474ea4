"""Searches of a LanceDB table: how many partitions they look into, and how many candidates they read."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, cast

from ponder.index.lance_table import nearest_parts, vector_index
from ponder.index.stored import EXACT
from ponder.index.widening import Nearest, Width, widened
from ponder.records import Match

if TYPE_CHECKING:
    import numpy as np
    from lancedb.query import LanceVectorQueryBuilder
    from lancedb.table import Table
    from numpy.typing import NDArray

_PARTITIONS_PROBED = 0.12
"""Of the partitions; the recall of it is in docs/stores.md."""

_LEAST_PROBES = 100
_SECONDS_KNOWN = 5.0
_FEWER = (1.1, 11)
"""Of 100,000 items 11 candidates find as many of the ten nearest as 12 and 16 do (.985, and 10 find .977)."""


class LanceSearcher:
    """Searches a table, with or without a vector index.

    Args:
        dim: Length of the vectors.
        effort: Partitions that a search looks into which names no number; 0 as `LanceIndex` says.
        remote: Whether the table is on object storage, where each row that is read is a request.
    """

    def __init__(self, dim: int, effort: int, *, remote: bool = False) -> None:
        self._dim, self._effort = dim, effort
        self._width = Width(*_FEWER) if remote else Width()
        self._partitions, self._asked_until = 0, 0.0

    def search(
        self, table: Table, query: NDArray[np.float32], k: int, condition: str | None, effort: int | None
    ) -> list[Match]:
        """The k nearest items.

        Args:
            table: Where to search.
            query: Array of shape (dim,).
            k: At least 1.
            condition: Only among items that this filter keeps.
            effort: As in `ponder.index.stored.StoredIndex.search`.
        """
        probes = self.probes(table, effort)
        found: list[Match] = []
        if probes:
            found = self._search(table, query, k, condition, probes)
        if len(found) < k:
            # Few partitions hold enough items that the filter keeps, or there is no index.
            found = self._search(table, query, k, condition, 0)
        return found

    def probes(self, table: Table, effort: int | None) -> int:
        """Partitions to look into; 0 to compare with everything."""
        partitions = 0 if effort == EXACT else self._partitioned(table)
        if not partitions:
            return 0
        return effort or self._effort or max(_LEAST_PROBES, math.ceil(_PARTITIONS_PROBED * partitions))

    def forget(self) -> None:
        """Look again whether there is a vector index: it has changed."""
        self._asked_until = 0.0

    def _search(
        self, table: Table, query: NDArray[np.float32], k: int, condition: str | None, probes: int
    ) -> list[Match]:
        def fetch(limit: int) -> Nearest:
            nearest = table.search(query, vector_column_name="vector", query_type="vector")
            search = cast("LanceVectorQueryBuilder", nearest).distance_type("dot")
            search = search.nprobes(probes).refine_factor(1) if probes else search.bypass_vector_index()
            if condition is not None:
                search = search.where(condition)
            columns = ["id", "part_no", "part", "vector", "_distance"]
            return nearest_parts(search.select(columns).limit(limit).to_arrow(), self._dim)

        return widened(fetch, query, k, self._width if probes else None)

    def _partitioned(self, table: Table) -> int:
        """Partitions of the vector index; 0 when there is none."""
        # Asking takes as long as a search of a small table, on object storage ten times as long. What is out
        # of date only makes a search exact for some seconds more.
        now = time.monotonic()
        if now >= self._asked_until:
            found = vector_index(table)
            self._partitions = math.ceil(found[0].num_indexed_rows / found[1]) if found else 0
            self._asked_until = now + _SECONDS_KNOWN
        return self._partitions
