"""The index on disk or on object storage: one LanceDB table, one row a part."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import BackendFailed
from ponder.index.file_sums import FileSums
from ponder.index.filters import ItemFilter, quoted
from ponder.index.lance_search import LanceSearcher
from ponder.index.lance_table import (
    build_vector_index,
    guarded,
    ill_divided,
    is_remote,
    made_again,
    open_table,
    table_name,
    vector_index,
)
from ponder.index.rows import Source, from_table, sources_from, to_table, unsummed
from ponder.index.scores import checked_query, checked_rows
from ponder.index.stored import IndexState
from ponder.index.versions import old_versions, version_stamp
from ponder.records import Match, Row

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_FIRST_PART = "part_no = 0"
_IDS_AT_ONCE = 1000


class LanceIndex:
    """Rows in a LanceDB table (`protocols.Index`): one writer, any number of readers.

    Every change is one version of the table: a reader, or whoever opens the table after a kill, sees
    it whole or not at all. Below `exact_rows` parts the search is exact; above it goes through an
    IVF_SQ index, whose candidates are scored again from the stored vectors. Scores are those of
    `ExactIndex` to the last bit.

    On object storage (``s3://bucket/prefix``) it is the same, and the commit is a conditional put: two
    writers at once end with an error for one of them, nothing is lost. Keys, region and endpoint are those
    of the environment: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``,
    ``AWS_ENDPOINT_URL``, and ``AWS_ALLOW_HTTP=true`` for a server without TLS.

    Args:
        path: Folder of the database, or ``s3://bucket/prefix``; it is made if need be (a bucket is not).
        dim: Length of the vectors.
        create: Whether to make the table when there is none.
        exact_rows: From so many parts on, `compact` builds the IVF_SQ index: below some 50,000 a scan
            of the vectors takes milliseconds.
        compact_every: Compact when the table is in so many pieces, or has so many old versions; when it
            is large, at the square root of its parts, because a compaction rewrites it.
        keep_versions: Old versions are deleted once they are so old: readers may still be using them.
        effort: Partitions that a search looks into (`IndexState.knob`); 0 for 12 in a hundred, at least 100.

    Raises:
        InputNotFound: There is no table and `create` is false.
        InputInvalid: The table has vectors of another length.
        BackendFailed: The folder cannot be read or written, or its files are not what was written.
    """

    def __init__(
        self,
        path: str | Path,
        dim: int,
        *,
        create: bool = True,
        exact_rows: int = 50_000,
        compact_every: int = 32,
        keep_versions: timedelta = timedelta(minutes=1),
        effort: int = 0,
    ) -> None:
        self.dim = dim
        self._remote = is_remote(path)
        self.path: str | Path = str(path) if self._remote else Path(path)
        self._commits = 0
        self._exact_rows, self._compact_every, self._keep = exact_rows, compact_every, keep_versions
        self._check: ItemFilter | None = None
        # On object storage the server looks after its files.
        self._sums = None if self._remote else FileSums(path)
        # Before Lance reads them: at bytes that are not its own it fails in many ways, or does not.
        if self._sums is not None and (problems := self._sums.problems()):
            raise BackendFailed(
                f"the index is damaged: {problems[0]}"
                + (f", and {len(problems) - 1} more" if problems[1:] else ""),
                str(self.path),
                made_again(self.path),
            )
        with self._guard("open"):
            self._table = open_table(self.path, dim, create=create)
            self._searcher = LanceSearcher(self._table, dim, effort, remote=self._remote)

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows, replacing those with the same ids, in one version. All in or none.

        Raises:
            InputInvalid: A row that cannot be stored.
            BackendFailed: The disk is full or fails; nothing is changed.
        """
        new = checked_rows(rows, self.dim)
        if not new:
            return
        table = to_table(new.values(), self.dim)
        with self._guard("write"):
            if self._present(list(new)):
                stale = f"id IN {quoted(list(new))}"
                merge = self._table.merge_insert("row").when_matched_update_all()
                merge = merge.when_not_matched_insert_all().when_not_matched_by_source_delete(stale)
                merge.execute(table)
            else:
                # An append need not scan the table for what it replaces.
                self._table.add(table)
        self._committed()

    def remove(self, ids: Collection[str]) -> int:
        """Remove items by id; the number that were there."""
        wanted, removed = list(dict.fromkeys(ids)), 0
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            chunk = wanted[start : start + _IDS_AT_ONCE]
            removed += self._delete(f"id IN {quoted(chunk)}")
        return removed

    def remove_where(self, where: str) -> int:
        """Remove the items that a filter keeps; their number.

        Raises:
            InputInvalid: An invalid filter; nothing is removed.
        """
        return self._delete(self._checked(where))

    def search(
        self, vector: NDArray[np.float32], k: int, where: str | None = None, *, effort: int | None = None
    ) -> list[Match]:
        """See `ponder.index.stored.StoredIndex`; above `exact_rows` parts, among the candidates of IVF_SQ."""
        query = checked_query(vector, self.dim, k)
        condition = None if where is None else self._checked(where)
        if k == 0:
            return []
        with self._guard("search"):
            return self._searcher.search(query, k, condition, effort)

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        wanted = list(dict.fromkeys(ids))
        rows: dict[str, Row] = {}
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            chunk = wanted[start : start + _IDS_AT_ONCE]
            with self._guard("read"):
                table = self._select(f"id IN {quoted(chunk)}", None)
            rows |= from_table(table)
        return [rows[name] for name in ids if name in rows]

    def __len__(self) -> int:
        with self._guard("read"):
            return int(self._table.count_rows(_FIRST_PART))

    @property
    def parts(self) -> int:
        """Number of vectors."""
        with self._guard("read"):
            return int(self._table.count_rows())

    @property
    def version(self) -> int:
        """The table's version: each change makes a new one."""
        with self._guard("read"):
            return int(self._table.version)

    def counts(self) -> dict[str, int]:
        """Number of items by kind."""
        with self._guard("read"):
            kinds = self._select(_FIRST_PART, ["kind"])["kind"].to_pylist()
        return dict(sorted(Counter(kinds).items()))

    def sources(self) -> list[Source]:
        """Id, digest and bookkeeping of every item, without reasoning and vectors."""
        with self._guard("read"):
            return sources_from(self._select(_FIRST_PART, ["id", "digest", "source"]))

    @property
    def stamp(self) -> str:
        """A text that changes with every version of the table."""
        if not self._remote:
            return version_stamp(self.path)
        with self._guard("read"):
            return f"{table_name(self._table)}:{self._table.version}"

    def state(self) -> IndexState:
        """How the table is indexed, and how many files and old versions it has."""
        with self._guard("read"):
            stats: Any = self._table.stats()
            pieces = stats["fragment_stats"]["num_fragments"]
            old = max(0, len(self._table.list_versions()) - 1)
            found = vector_index(self._table)
            left = found[0].num_unindexed_rows if found else 0
        due = max(self._compact_every, math.isqrt(stats["num_rows"]))
        parts = int(stats["num_rows"])
        method, knob = ("IVF_SQ", "nprobes") if found else ("exact", "")
        untidy = pieces >= due or old >= due or left > parts / 10
        untidy = untidy or (ill_divided(parts, found[1]) if found else parts >= self._exact_rows)
        return IndexState(method, knob, self._searcher.probes(None), parts, left, pieces, old, untidy)

    def unsummed(self, ids: Sequence[str]) -> int:
        """How many of these rows have no checksum: those that a ponder before 0.1.0 wrote."""
        with self._guard("read"):
            found = self._select(f"id IN {quoted(list(ids))} AND {_FIRST_PART}", ["source"])
            return unsummed(found["source"].to_pylist())

    def compact(self) -> None:
        """Merge small files, delete old versions, and build, extend or train anew the IVF_SQ index.

        `add` and the removals call it when it is due. Only the writer may: what no version refers to is
        deleted, on object storage once it is a week old, because another machine may be writing.
        """
        with self._guard("compact"):
            rows, found = self._table.count_rows(), vector_index(self._table)
            if ill_divided(rows, found[1]) if found else rows >= self._exact_rows:
                build_vector_index(self._table)
            self._table.optimize(cleanup_older_than=self._keep, delete_unverified=not self._remote)
            if self._sums is not None:
                self._sums.note(anew=True)
        self._commits = 0
        self._searcher.forget()

    def reindex(self) -> None:
        """Build the IVF_SQ index anew, with partitions for the vectors that there are now."""
        with self._guard("reindex"):
            if self._table.count_rows() >= self._exact_rows:
                build_vector_index(self._table)
            if self._sums is not None:
                self._sums.note(anew=True)
        self._searcher.forget()

    def close(self) -> None:
        """Nothing is held open."""

    def _delete(self, condition: str) -> int:
        with self._guard("write"):
            count = int(self._table.count_rows(f"{condition} AND {_FIRST_PART}"))
            if count:
                self._table.delete(condition)
        if count:
            self._committed()
        return count

    def _present(self, ids: list[str]) -> bool:
        return int(self._table.count_rows(f"id IN {quoted(ids)}")) > 0

    def _select(self, condition: str, columns: list[str] | None) -> pa.Table:
        scan = self._table.search().where(condition)
        if columns is not None:
            scan = scan.select(columns)
        return scan.limit(None).to_arrow()

    def _checked(self, where: str) -> str:
        if self._check is None:
            self._check = ItemFilter()
        return self._check.check(where)

    def _committed(self) -> None:
        with self._guard("write"):
            if self._sums is not None:
                self._sums.note()
        with self._guard("read"):
            stats: Any = self._table.stats()
            due = max(self._compact_every, math.isqrt(stats["num_rows"]))
            pieces = stats["fragment_stats"]["num_fragments"]
        self._commits += 1
        old = self._commits if self._remote else old_versions(self.path, self._keep)
        if pieces >= due or old >= due:
            self.compact()

    def _guard(self, doing: str) -> AbstractContextManager[None]:
        return guarded(doing, self.path)
