"""The PostgreSQL side of `PgvectorIndex`: its tables, its statements, and one connection with its faults."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

from ponder.errors import BackendFailed, InputInvalid, InputNotFound, MissingDependency
from ponder.index.filters import FILTER_COLUMNS

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg.sql import Composed

_TABLES = """
CREATE TABLE {items} (
    key uuid PRIMARY KEY, id text NOT NULL, kind text NOT NULL, uri text NOT NULL, path text, page integer,
    text text NOT NULL, metadata text NOT NULL, digest text NOT NULL, record text NOT NULL,
    source text NOT NULL
);
CREATE TABLE {parts} (
    item uuid NOT NULL REFERENCES {items} ON DELETE CASCADE, part_no integer NOT NULL, part text NOT NULL,
    vector vector({dim}) NOT NULL, PRIMARY KEY (item, part_no)
);
CREATE TABLE {state} (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), dim integer NOT NULL, born uuid NOT NULL,
    version bigint NOT NULL, items bigint NOT NULL, parts bigint NOT NULL
);
INSERT INTO {state} (dim, born, version, items, parts) VALUES ({dim}, gen_random_uuid(), 0, 0, 0);
"""
ITEM_COLUMNS = ("key", *FILTER_COLUMNS, "record", "source")
PART_COLUMNS = ("item", "part_no", "part", "vector")
_SETTINGS: tuple[LiteralString, ...] = (
    # Compiling a plan takes longer than our queries do.
    "SET jit = off",
    # The planner takes an HNSW index of a small table for slower than a scan.
    "SET enable_seqscan = off",
    # Goes on where ef_search candidates are not enough, as behind a filter.
    "SET hnsw.iterative_scan = strict_order",
)
LONGEST_HNSW = 2000
"""pgvector's HNSW takes vectors up to this length."""


class Tables:
    """A connection to a database, and the tables of one index in it.

    A connection that broke (the server was restarted) is opened again by the next use. It is used by one
    thread at a time; other threads wait.

    Args:
        url: As libpq takes it; what it leaves out libpq takes from ``PGPASSWORD`` and the like.
        name: The tables are called ``NAME_items``, ``NAME_parts`` and ``NAME_state``.
        dim: Length of the vectors.
        create: Whether to make the tables when there are none.
        effort: hnsw.ef_search of a search that sets none.

    Raises:
        MissingDependency: psycopg or pgvector is not installed.
        InputNotFound: There are no tables and `create` is false.
        InputInvalid: They hold vectors of another length.
        BackendFailed: The server cannot be reached, lacks pgvector, or forbids it.
    """

    def __init__(self, url: str, name: str, dim: int, *, create: bool, effort: int) -> None:
        try:
            import pgvector.psycopg  # noqa: F401 - to know that it is there
            import psycopg
        except ImportError as error:
            raise MissingDependency(
                "PostgreSQL's client is not installed", str(error.name), "pip install 'ponder[postgres]'"
            ) from error
        self.url, self.name, self.dim, self.effort = url, name, dim, effort
        self.where = f"{psycopg.conninfo.conninfo_to_dict(url).get('dbname', 'postgresql')}#{name}"
        self._composed: dict[str, Composed] = {}
        self._lock = threading.RLock()
        self._connection: Connection[Any] | None = None
        try:
            self._open(create)
        except BaseException:
            self.close()
            raise

    def _open(self, create: bool) -> None:
        with self.using("open") as cursor:
            if not self._there(cursor):
                if not create:
                    raise InputNotFound("there is no index", self.where, "add some files first")
                self._make(cursor)
            found = self.state(cursor)[0]
        if found != self.dim:
            raise InputInvalid(
                f"the index has vectors of {found} dimensions, not {self.dim}",
                self.where,
                "open it with the models that it was made with, or give another name",
            )

    def sql(self, statement: LiteralString, **literals: int) -> Composed:
        """A statement with {items}, {parts}, {state} and {hnsw} put in, and numbers by their names."""
        from psycopg import sql

        if not literals and statement in self._composed:
            return self._composed[statement]
        kinds = ("items", "parts", "state", "hnsw", "hnsw_ccnew")
        names = {each: sql.Identifier(f"{self.name}_{each}") for each in kinds}
        made = sql.SQL(statement).format(**names, **{k: sql.Literal(v) for k, v in literals.items()})
        if not literals:
            # To put one together takes a tenth of a millisecond, a search in the graph two.
            self._composed[statement] = made
        return made

    @contextmanager
    def using(self, doing: str, *, reading: bool = False) -> Iterator[Cursor[Any]]:
        """One transaction: what is done in it is there whole, or not at all.

        Args:
            doing: For messages: "write".
            reading: Whether all its statements see one state of the database.

        Raises:
            BackendFailed: The server refused or went away; nothing is changed.
            InputInvalid: A value that PostgreSQL cannot store.
        """
        with self._lock, self._guarded(doing):
            connection = self._connected()
            # Binary: the very bits of a vector, and a third of the time that text takes.
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                if reading:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield cursor

    @contextmanager
    def asking(self, doing: str) -> Iterator[Cursor[Any]]:
        """Single statements outside of a transaction, each of which sees one state of the database.

        Raises:
            BackendFailed: The server refused or went away.
        """
        with self._lock, self._guarded(doing), self._connected().cursor(binary=True) as cursor:
            yield cursor

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        import psycopg

        try:
            yield
        except (psycopg.DataError, UnicodeEncodeError) as error:
            raise InputInvalid(
                f"PostgreSQL cannot store this: {_line(error)}", self.where, "check ids and texts"
            ) from error
        except psycopg.Error as error:
            raise BackendFailed(
                f"the index failed to {doing}: {_line(error)}",
                self.where,
                "check the server, PGPASSWORD, and that CREATE EXTENSION vector was run there; "
                "nothing stored before is lost",
            ) from error

    def state(self, cursor: Cursor[Any], *, lock: bool = False) -> tuple[int, str, int, int, int]:
        """Vector length, when it was made, version, items and parts; locked, other writers wait."""
        statement = "SELECT dim, born, version, items, parts FROM {state}"
        query = self.sql(statement + " FOR UPDATE") if lock else self.sql(statement)
        row = cursor.execute(query).fetchone()
        assert row is not None
        return row[0], str(row[1]), row[2], row[3], row[4]

    def outside(self, statement: LiteralString, *, memory_mb: int = 64) -> None:
        """Run a statement of upkeep, outside of a transaction, as VACUUM wants it.

        Args:
            statement: As for `sql`.
            memory_mb: What it may take on the server: an HNSW graph that outgrows it is built far more
                slowly. 64 is PostgreSQL's own default.

        Raises:
            BackendFailed: It failed.
        """
        with self._lock, self._guarded("compact"):
            connection = self._connected()
            connection.execute(self.sql("SET maintenance_work_mem = {size}", size=1024 * memory_mb))
            connection.execute(self.sql(statement))

    def close(self) -> None:
        """Close the connection; it opens again when used."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _connected(self) -> Connection[Any]:
        import psycopg
        from pgvector.psycopg import register_vector

        if self._connection is None or self._connection.closed or self._connection.broken:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
            try:
                if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone():
                    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                for setting in _SETTINGS:
                    connection.execute(setting)
                connection.execute(self.sql("SET hnsw.ef_search = {effort}", effort=self.effort))
                register_vector(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _there(self, cursor: Cursor[Any]) -> bool:
        row = cursor.execute("SELECT to_regclass(%s)", [f'"{self.name}_state"']).fetchone()
        return row is not None and row[0] is not None

    def _make(self, cursor: Cursor[Any]) -> None:
        # Whoever comes second waits, and finds them made.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self.name])
        if not self._there(cursor):
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    cursor.execute(self.sql(statement, dim=self.dim))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
