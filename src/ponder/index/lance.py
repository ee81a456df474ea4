"""The index on disk or on object storage: one LanceDB table, one row a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import BackendFailed
from ponder.index.file_sums import FileSums
from ponder.index.filters import ItemFilter, filtering, quoted
from ponder.index.lance_search import LanceSearcher
from ponder.index.lance_table import NewestTable, guarded, is_remote, made_again, selected, table_name
from ponder.index.lance_upkeep import Upkeep
from ponder.index.rows import Source, from_table, sources_from, to_table, unsummed
from ponder.index.scores import checked_query, checked_rows
from ponder.index.stored import IndexState
from ponder.index.versions import version_stamp
from ponder.records import Match, Row

if TYPE_CHECKING:
    import numpy as np
    from lancedb.table import Table
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
        with guarded("open", self.path):
            self._rows = NewestTable(self.path, dim, create=create)
        self._searcher = LanceSearcher(dim, effort, remote=self._remote)
        self._upkeep = Upkeep(
            self.path, self._sums, exact_rows=exact_rows, compact_every=compact_every, keep=keep_versions
        )

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows, replacing those with the same ids, in one version. All in or none.

        Raises:
            InputInvalid: A row that cannot be stored.
            BackendFailed: The disk is full or fails; nothing is changed.
        """
        new = checked_rows(rows, self.dim)
        if not new:
            return
        new_parts = to_table(new.values(), self.dim)
        with self._using("write") as table:
            stale = f"id IN {quoted(list(new))}"
            if table.count_rows(stale):
                merge = table.merge_insert("row").when_matched_update_all()
                merge = merge.when_not_matched_insert_all().when_not_matched_by_source_delete(stale)
                merge.execute(new_parts)
            else:
                # An append need not scan the table for what it replaces.
                table.add(new_parts)
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
        return self._delete(self._checked(where), where)

    def search(
        self, vector: NDArray[np.float32], k: int, where: str | None = None, *, effort: int | None = None
    ) -> list[Match]:
        """See `ponder.index.stored.StoredIndex`; above `exact_rows` parts, among the candidates of IVF_SQ."""
        query = checked_query(vector, self.dim, k)
        condition = None if where is None else self._checked(where)
        if k == 0:
            return []
        with self._using("search") as table, filtering(where):
            return self._searcher.search(table, query, k, condition, effort)

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        wanted = list(dict.fromkeys(ids))
        rows: dict[str, Row] = {}
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            chunk = wanted[start : start + _IDS_AT_ONCE]
            with self._using("read") as table:
                found = selected(table, f"id IN {quoted(chunk)}", None)
            rows |= from_table(found)
        return [rows[name] for name in ids if name in rows]

    def __len__(self) -> int:
        with self._using("read") as table:
            return int(table.count_rows(_FIRST_PART))

    @property
    def parts(self) -> int:
        """Number of vectors."""
        with self._using("read") as table:
            return int(table.count_rows())

    @property
    def version(self) -> int:
        """The table's version: each change makes a new one."""
        with self._using("read") as table:
            return int(table.version)

    def counts(self) -> dict[str, int]:
        """Number of items by kind."""
        with self._using("read") as table:
            kinds = selected(table, _FIRST_PART, ["kind"])["kind"].to_pylist()
        return dict(sorted(Counter(kinds).items()))

    def sources(self) -> list[Source]:
        """Id, digest and bookkeeping of every item, without reasoning and vectors."""
        with self._using("read") as table:
            return sources_from(selected(table, _FIRST_PART, ["id", "digest", "source"]))

    @property
    def stamp(self) -> str:
        """A text that changes with every version of the table."""
        if not self._remote:
            return version_stamp(self.path)
        with self._using("read") as table:
            return f"{table_name(table)}:{table.version}"

    def state(self) -> IndexState:
        """How the table is indexed, and how many files and old versions it has."""
        with self._using("read") as table:
            return self._upkeep.state(table, self._searcher.probes(table, None))

    def unsummed(self, ids: Sequence[str]) -> int:
        """How many of these rows have no checksum: those that a ponder before 0.1.0 wrote."""
        with self._using("read") as table:
            found = selected(table, f"id IN {quoted(list(ids))} AND {_FIRST_PART}", ["source"])
            return unsummed(found["source"].to_pylist())

    def compact(self) -> None:
        """Merge small files, delete old versions, and build, extend or train anew the IVF_SQ index.

        `add` and the removals call it when it is due. Only the writer may: what no version refers to is
        deleted, on object storage once it is a week old, because another machine may be writing.
        """
        with self._using("compact") as table:
            self._upkeep.compact(table)
        self._searcher.forget()

    def reindex(self) -> None:
        """Build the IVF_SQ index anew, with partitions for the vectors that there are now."""
        with self._using("reindex") as table:
            self._upkeep.reindex(table)
        self._searcher.forget()

    def close(self) -> None:
        """Nothing is held open."""

    def _delete(self, condition: str, where: str | None = None) -> int:
        with self._using("write") as table, filtering(where):
            count = int(table.count_rows(f"{condition} AND {_FIRST_PART}"))
            if count:
                table.delete(condition)
        if count:
            self._committed()
        return count

    def _checked(self, where: str) -> str:
        if self._check is None:
            self._check = ItemFilter()
        return self._check.check(where)

    def _committed(self) -> None:
        with guarded("write", self.path):
            if self._sums is not None:
                self._sums.note()
        with self._using("read") as table:
            due = self._upkeep.due(table)
        if due:
            self.compact()

    @contextmanager
    def _using(self, doing: str) -> Iterator[Table]:
        with guarded(doing, self.path):
            yield self._rows.newest()
