"""The index in PostgreSQL, by the extension pgvector: one row an item, one a part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ponder.index.filters import FILTER_COLUMNS
from ponder.index.mirror import FilterMirror, item_key
from ponder.index.pgvector_rows import NEAREST, NEAREST_OF, copy_statement, item_values, part_values, stacked
from ponder.index.pgvector_tables import ITEM_COLUMNS, LONGEST_HNSW, PART_COLUMNS, Tables
from ponder.index.rows import Source, stored_row, stored_source, unsummed
from ponder.index.scores import checked_query, checked_rows
from ponder.index.stored import EXACT, IndexState
from ponder.index.widening import Nearest, Width, widened
from ponder.records import Embedded, Match, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Cursor

_EF_SEARCH = 200
_MOST_EF = 1000
"""pgvector's own limit of ef_search."""

_MOST_GRAPH_MB = 2048


class PgvectorIndex:
    """Rows in PostgreSQL (`protocols.Index`): any number of readers, writers one after another.

    Every change is one transaction, and so is every read. Below `exact_rows` parts the search is a scan of
    all vectors; above it goes through an HNSW index (m 16, ef_construction 64), whose candidates are scored
    again from the stored vectors. Scores are those of `ExactIndex` to the last bit. Filters are evaluated
    by Lance over a copy of the items' columns (`FilterMirror`). Vectors of more than 2,000 dimensions, the
    most that pgvector's HNSW takes, are always scanned.

    Args:
        url: As libpq takes it: ``postgresql://user@host/database``.
        name: Beginning of the tables' names.
        dim: Length of the vectors.
        create: Whether to make the tables when there are none.
        exact_rows: From so many parts on, `compact` builds the HNSW index.
        effort: ef_search of a search that names none, 1 to 1,000; 0 for 200.

    Raises:
        PonderError: As `pgvector_tables.Tables` says.
    """

    def __init__(
        self,
        url: str,
        name: str,
        dim: int,
        *,
        create: bool = True,
        exact_rows: int = 50_000,
        effort: int = 0,
    ) -> None:
        self.dim, self._exact_rows = dim, exact_rows
        self._tables = Tables(url, name, dim, create=create, effort=min(_MOST_EF, effort or _EF_SEARCH))
        self._mirror, self._width = FilterMirror(), Width()
        self._hnsw = self._has_hnsw()

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows, replacing those with the same ids, in one transaction. All in or none.

        Raises:
            InputInvalid: A row that cannot be stored; nothing is changed.
            BackendFailed: The server refused or went away; nothing is changed.
        """
        new = checked_rows(rows, self.dim)
        if not new:
            return
        items = [item_values(row) for row in new.values()]
        parts = [part for row in new.values() for part in part_values(row)]
        with self._tables.using("write") as cursor:
            self._tables.state(cursor, lock=True)
            gone = self._delete(cursor, [item[0] for item in items])
            sql = self._tables.sql
            with cursor.copy(sql(copy_statement("{items}", ITEM_COLUMNS))) as copy:
                copy.set_types(["uuid", *["text"] * 4, "int4", *["text"] * 5])
                for item in items:
                    copy.write_row(item)
            with cursor.copy(sql(copy_statement("{parts}", PART_COLUMNS))) as copy:
                copy.set_types(["uuid", "int4", "text", "vector"])
                for part in parts:
                    copy.write_row(part)
            self._changed(cursor, len(items) - gone[0], len(parts) - gone[1])
        self._build_if_due()

    def remove(self, ids: Collection[str]) -> int:
        """Remove items by id; the number that were there."""
        if not ids:
            return 0
        with self._tables.using("write") as cursor:
            self._tables.state(cursor, lock=True)
            items, parts = self._delete(cursor, [item_key(name) for name in dict.fromkeys(ids)])
            if items:
                self._changed(cursor, -items, -parts)
        return items

    def remove_where(self, where: str) -> int:
        """Remove the items that a filter keeps; their number.

        Raises:
            InputInvalid: An invalid filter; nothing is removed.
        """
        with self._tables.using("read", reading=True) as cursor:
            ids = self._kept(cursor, where)
        return self.remove(ids)

    def search(
        self, vector: NDArray[np.float32], k: int, where: str | None = None, *, effort: int | None = None
    ) -> list[Match]:
        """See `ponder.index.stored.StoredIndex`; with an HNSW index, among its candidates."""
        query = checked_query(vector, self.dim, k)
        if where is not None:
            self._mirror.check(where)
        if k == 0:
            return []
        effort = self._tables.effort if effort is None else effort
        if where is None and effort == self._tables.effort:
            # One statement: a transaction with its settings would take longer than a search in the graph.
            with self._tables.asking("search") as cursor:
                found = self._nearest(cursor, query, k, None, self._hnsw)
            if len(found) == k:
                return found
        with self._tables.using("search", reading=True) as cursor:
            keys = None if where is None else [item_key(name) for name in self._kept(cursor, where)]
            found = []
            if self._hnsw and effort != EXACT:
                cursor.execute(self._tables.sql("SET LOCAL hnsw.ef_search = {e}", e=min(_MOST_EF, effort)))
                found = self._nearest(cursor, query, k, keys, True)
            if len(found) < k:
                cursor.execute("SET LOCAL enable_seqscan = on")
                cursor.execute("SET LOCAL enable_indexscan = off")
                found = self._nearest(cursor, query, k, keys, False)
        return found

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        keys = {item_key(name): name for name in ids}
        if not keys:
            return []
        with self._tables.using("read", reading=True) as cursor:
            items = cursor.execute(
                self._tables.sql("SELECT key, record, digest, source FROM {items} WHERE key = ANY(%s)"),
                [list(keys)],
            ).fetchall()
            parts = cursor.execute(
                self._tables.sql(
                    "SELECT item, part, vector FROM {parts} WHERE item = ANY(%s) ORDER BY item, part_no"
                ),
                [list(keys)],
            ).fetchall()
        held: dict[Any, list[tuple[str, Any]]] = {}
        for item, part, vector in parts:
            held.setdefault(item, []).append((part, vector))
        rows = {}
        for key, record, digest, source in items:
            mine = held.get(key, [])
            embedded = Embedded(
                tuple(part for part, _ in mine), stacked([vector for _, vector in mine], self.dim)
            )
            rows[keys[key]] = stored_row(keys[key], record, embedded, digest, source)
        return [rows[name] for name in ids if name in rows]

    def __len__(self) -> int:
        return self._state()[3]

    @property
    def parts(self) -> int:
        """Number of vectors."""
        return self._state()[4]

    @property
    def stamp(self) -> str:
        """A text that changes with every change of the tables."""
        return _stamp(self._state())

    def counts(self) -> dict[str, int]:
        """Number of items by kind."""
        with self._tables.using("read") as cursor:
            cursor.execute(self._tables.sql("SELECT kind, count(*) FROM {items} GROUP BY kind"))
            return dict(sorted(cursor.fetchall()))

    def sources(self) -> list[Source]:
        """Id, digest and bookkeeping of every item, without reasoning and vectors."""
        with self._tables.using("read") as cursor:
            found = cursor.execute(self._tables.sql("SELECT id, digest, source FROM {items}")).fetchall()
        return [stored_source(*each) for each in found]

    def unsummed(self, ids: Sequence[str]) -> int:
        """How many of these rows have no checksum."""
        keys = [item_key(name) for name in ids]
        with self._tables.using("read") as cursor:
            statement = self._tables.sql("SELECT source FROM {items} WHERE key = ANY(%s)")
            return unsummed(source for (source,) in cursor.execute(statement, [keys]).fetchall())

    def state(self) -> IndexState:
        """How the vectors are indexed, and how many dead rows wait for PostgreSQL's vacuum."""
        self._hnsw = self._has_hnsw()
        with self._tables.using("read") as cursor:
            parts = self._tables.state(cursor)[4]
            name = f'"{self._tables.name}_parts"'
            row = cursor.execute(
                "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = to_regclass(%s)", [name]
            ).fetchone()
        dead = int(row[0]) if row else 0
        untidy = dead > max(1000, parts // 5) or (not self._hnsw and self._wants_hnsw(parts))
        if not self._hnsw:
            return IndexState("exact", "", 0, parts, old_versions=dead, untidy=untidy)
        return IndexState("HNSW", "ef_search", self._tables.effort, parts, old_versions=dead, untidy=untidy)

    def compact(self) -> None:
        """Vacuum and analyse the tables, and build the HNSW index if it is due and not there."""
        self._build_if_due()
        self._tables.outside("VACUUM (ANALYZE) {items}")
        self._tables.outside("VACUUM (ANALYZE) {parts}")

    def reindex(self) -> None:
        """Build the HNSW index anew, if there is one."""
        self._hnsw = self._has_hnsw()
        if self._hnsw:
            # What an earlier one left that was interrupted: it would be kept up to date, and never used.
            self._tables.outside("DROP INDEX IF EXISTS {hnsw_ccnew}")
            self._tables.outside("REINDEX INDEX CONCURRENTLY {hnsw}", memory_mb=self._graph_mb())
        self._build_if_due()

    def close(self) -> None:
        """Close the connection."""
        self._tables.close()

    def _nearest(
        self, cursor: Cursor[Any], query: NDArray[np.float32], k: int, keys: list[Any] | None, indexed: bool
    ) -> list[Match]:
        sql = self._tables.sql(NEAREST if keys is None else NEAREST_OF)

        def fetch(limit: int) -> Nearest:
            found = cursor.execute(sql, {"query": query, "limit": limit, "keys": keys}).fetchall()
            vectors = stacked([vector for *_, vector in found], self.dim)
            last = float((vectors @ query).min()) if found else 0.0
            ids, part_nos, parts = ([each[place] for each in found] for place in range(3))
            return Nearest(ids, part_nos, parts, vectors, len(found), last)

        return widened(fetch, query, k, self._width if indexed else None)

    def _kept(self, cursor: Cursor[Any], where: str) -> set[str]:
        def load() -> dict[str, list[Any]]:
            columns = ", ".join(FILTER_COLUMNS)
            rows = cursor.execute(self._tables.sql(f"SELECT {columns} FROM {{items}}")).fetchall()
            return {name: [row[place] for row in rows] for place, name in enumerate(FILTER_COLUMNS)}

        return self._mirror.ids(where, _stamp(self._tables.state(cursor)), load)

    def _delete(self, cursor: Cursor[Any], keys: list[Any]) -> tuple[int, int]:
        parts = cursor.execute(self._tables.sql("DELETE FROM {parts} WHERE item = ANY(%s)"), [keys]).rowcount
        items = cursor.execute(self._tables.sql("DELETE FROM {items} WHERE key = ANY(%s)"), [keys]).rowcount
        return items, parts

    def _changed(self, cursor: Cursor[Any], items: int, parts: int) -> None:
        cursor.execute(
            self._tables.sql(
                "UPDATE {state} SET version = version + 1, items = items + %s, parts = parts + %s"
            ),
            [items, parts],
        )

    def _state(self) -> tuple[int, str, int, int, int]:
        with self._tables.using("read") as cursor:
            return self._tables.state(cursor)

    def _graph_mb(self) -> int:
        # A node is its vector, 16 to 32 links a layer, and what they hang on.
        return min(_MOST_GRAPH_MB, 64 + self.parts * (4 * self.dim + 512) // 2**20)

    def _wants_hnsw(self, parts: int) -> bool:
        return parts >= self._exact_rows and self.dim <= LONGEST_HNSW

    def _has_hnsw(self) -> bool:
        with self._tables.using("read") as cursor:
            row = cursor.execute("SELECT to_regclass(%s)", [f'"{self._tables.name}_hnsw"']).fetchone()
        return row is not None and row[0] is not None

    def _build_if_due(self) -> None:
        if self._hnsw or not self._wants_hnsw(self.parts):
            return
        self._tables.outside(
            "CREATE INDEX IF NOT EXISTS {hnsw} ON {parts} USING hnsw (vector vector_ip_ops)",
            memory_mb=self._graph_mb(),
        )
        self._hnsw = True


def _stamp(state: tuple[int, str, int, int, int]) -> str:
    return f"{state[1]}:{state[2]}"
