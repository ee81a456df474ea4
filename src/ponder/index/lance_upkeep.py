"""The upkeep of a LanceDB table: when it is compacted, what that does, and what has piled up."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.index.file_sums import FileSums
from ponder.index.lance_table import build_vector_index, ill_divided, is_remote, vector_index
from ponder.index.stored import IndexState
from ponder.index.versions import old_versions

if TYPE_CHECKING:
    from lancedb.table import Table


class Upkeep:
    """Keeps one table tidy.

    Args:
        path: Of the database.
        sums: Of its files, to be noted after each change; None on object storage.
        exact_rows: See `ponder.index.lance.LanceIndex`, as of the next two.
        compact_every: Pieces or old versions.
        keep: How old a version is before it is deleted.
    """

    def __init__(
        self,
        path: str | Path,
        sums: FileSums | None,
        *,
        exact_rows: int,
        compact_every: int,
        keep: timedelta,
    ) -> None:
        self._path, self._sums, self._remote = path, sums, is_remote(path)
        self._exact_rows, self._compact_every, self._keep = exact_rows, compact_every, keep
        self._commits = 0

    def state(self, table: Table, effort: int) -> IndexState:
        """How the table is indexed, searched with this effort, and how many files and old versions it has."""
        stats: Any = table.stats()
        parts, pieces = int(stats["num_rows"]), stats["fragment_stats"]["num_fragments"]
        old = max(0, len(table.list_versions()) - 1)
        found = vector_index(table)
        left = found[0].num_unindexed_rows if found else 0
        method, knob = ("IVF_SQ", "nprobes") if found else ("exact", "")
        untidy = max(pieces, old) >= self._most(parts) or left > parts / 10 or self._divide(parts, found)
        return IndexState(method, knob, effort, parts, left, pieces, old, untidy)

    def due(self, table: Table) -> bool:
        """Whether to compact, now that the table has been changed once more."""
        stats: Any = table.stats()
        self._commits += 1
        old = self._commits if self._remote else old_versions(self._path, self._keep)
        return max(stats["fragment_stats"]["num_fragments"], old) >= self._most(stats["num_rows"])

    def compact(self, table: Table) -> None:
        """See `ponder.index.lance.LanceIndex.compact`."""
        if self._divide(table.count_rows(), vector_index(table)):
            build_vector_index(table)
        table.optimize(cleanup_older_than=self._keep, delete_unverified=not self._remote)
        self._note()
        self._commits = 0

    def reindex(self, table: Table) -> None:
        """Build the IVF_SQ index anew, if the table is large enough for one."""
        if table.count_rows() >= self._exact_rows:
            build_vector_index(table)
        self._note()

    def _most(self, parts: int) -> int:
        return max(self._compact_every, math.isqrt(parts))

    def _divide(self, parts: int, found: tuple[Any, int] | None) -> bool:
        return ill_divided(parts, found[1]) if found else parts >= self._exact_rows

    def _note(self) -> None:
        if self._sums is not None:
            self._sums.note(anew=True)
