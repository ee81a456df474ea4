"""The LanceDB table behind `LanceIndex`: opening it, its vector index, what a failure of it means."""

from __future__ import annotations

import math
import shlex
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import BackendFailed, InputInvalid, InputNotFound
from ponder.index.rows import part_schema
from ponder.index.versions import TABLE
from ponder.index.widening import Nearest

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.db import DBConnection
    from lancedb.table import Table
    from numpy.typing import NDArray

_NAME_KEY = b"ponder.table"
_LANCES_OWN = 8192
"""Vectors a partition where Lance was not told: so ponders before 0.1.0 made it."""

_OFF = 2
"""Partitions are made anew when they should be more than twice as large, or half: after fourfold growth."""

_SAMPLED, _ROUNDS = 64, 20
"""Vectors a partition, and rounds, to train on: recall as with Lance's 256 and 50, in a third of the time."""

_REMOTE_OPTIONS = {"client_max_retries": "3", "connect_timeout": "10s", "timeout": "120s"}
"""A server that is not there is told of within a minute: by default Lance tries for three."""


def is_remote(path: str | Path) -> bool:
    """Whether `path` is a URI of object storage, and not a folder."""
    return "://" in str(path)


class NewestTable:
    """The table in a database, as it is whenever it is asked for.

    In a folder, LanceDB looks for the newest version at each of its steps. On object storage that is five
    listings a search, one after another. There the table is opened anew instead: one listing, and what was
    read before is kept by the connection. `Table.checkout_latest` lists once, too, but never goes back to a
    lower version, so that it would miss a table that was deleted and made again at the same prefix.

    Args:
        path: Folder of the database, or its URI.
        dim: Length of the vectors.
        create: Whether to make the table when there is none.

    Raises:
        InputNotFound: There is none and `create` is false.
        InputInvalid: Its vectors have another length.
    """

    def __init__(self, path: str | Path, dim: int, *, create: bool) -> None:
        self._path, self._dim, self._remote = path, dim, is_remote(path)
        self._database = self._connected()
        if TABLE in self._database.list_tables(limit=10).tables:
            table = self._database.open_table(TABLE)
        elif create:
            schema = part_schema(dim)
            if self._remote:
                # Versions are numbers: with a name of its own a table is told from a later one.
                schema = schema.with_metadata({_NAME_KEY: uuid.uuid4().hex})
            table = self._database.create_table(TABLE, schema=schema, exist_ok=True)
        else:
            raise InputNotFound("there is no index", str(path), "add some files first")
        self._table, self._name = self._checked(table), table_name(table)

    def newest(self) -> Table:
        """The table at its newest version; on object storage one that stays at that version.

        Raises:
            InputInvalid: It was made again, with vectors of another length.
        """
        if not self._remote:
            return self._table
        table = self._database.open_table(TABLE)
        name = table_name(table)
        if name != self._name:
            # Some of what a connection keeps is found by the version's number alone
            # (lance-format/lance#8916), and the table that was there before had the same numbers.
            self._database = self._connected()
            table = self._checked(self._database.open_table(TABLE))
            self._name = name
        return table

    def _connected(self) -> DBConnection:
        import lancedb

        # Zero: every read looks for the newest version, as a reader beside a writer must.
        return lancedb.connect(
            self._path,
            read_consistency_interval=None if self._remote else timedelta(0),
            storage_options=_REMOTE_OPTIONS if self._remote else None,
        )

    def _checked(self, table: Table) -> Table:
        size = table.schema.field("vector").type.list_size
        if size != self._dim:
            raise InputInvalid(
                f"the index has vectors of {size} dimensions, not {self._dim}",
                str(self._path),
                "open it with the models that it was made with, or index into a new folder",
            )
        return table


def table_name(table: Table) -> str:
    """What tells a table on object storage from one that was there before; "" of a local one."""
    return (table.schema.metadata or {}).get(_NAME_KEY, b"").decode()


def selected(table: Table, condition: str, columns: list[str] | None) -> pa.Table:
    """The rows that meet a condition, with these columns; None is all of them."""
    scan = table.search().where(condition)
    if columns is not None:
        scan = scan.select(columns)
    return scan.limit(None).to_arrow()


def vector_index(table: Table) -> tuple[Any, int] | None:
    """Figures of the IVF_SQ index, and how many vectors a partition is to hold; None when there is none."""
    for index in table.list_indices():
        if "vector" in index.columns:
            details: Any = index.index_details or {}
            return table.index_stats(index.name), int(details.get("target_partition_size") or _LANCES_OWN)
    return None


def ill_divided(vectors: int, held: int) -> bool:
    """Whether partitions of `held` vectors are far from what `build_vector_index` would make now."""
    wanted = math.isqrt(vectors)
    return wanted > _OFF * held or held > _OFF * wanted


def build_vector_index(table: Table) -> None:
    """Build the IVF_SQ index, anew if there is one, and the one that finds ids.

    A partition holds the root of the number of vectors. Of Lance's own 8,192 a search among 100,000 would
    read nearly all. The size has to be told and not the number of partitions: by the size `optimize`
    splits and merges them, and where it knows none it merges all of them into a few.
    """
    from lancedb.index import BTree, IvfSq

    held = max(1, math.isqrt(table.count_rows()))
    config = IvfSq(
        distance_type="dot", target_partition_size=held, sample_rate=_SAMPLED, max_iterations=_ROUNDS
    )
    table.create_index("vector", config=config)
    table.create_index("id", config=BTree())


def nearest_parts(table: pa.Table, dim: int) -> Nearest:
    """What a search found: a table with id, part_no, part, vector and _distance, nearest first."""
    import numpy as np

    vectors: NDArray[Any] = np.asarray(table["vector"].combine_chunks().flatten()).reshape(-1, dim)
    columns = table.select(["id", "part_no", "part"]).to_pydict()
    last = 1.0 - float(table["_distance"][-1].as_py()) if table.num_rows else 0.0
    return Nearest(columns["id"], columns["part_no"], columns["part"], vectors, table.num_rows, last)


@contextmanager
def guarded(doing: str, path: str | Path) -> Iterator[None]:
    """Turn Lance's errors into ours.

    Raises:
        BackendFailed: Says what to check.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        check = "the disk's free space and permissions"
        if is_remote(path):
            check = "the server, the bucket and the AWS_… variables (AWS_ALLOW_HTTP=true without TLS)"
        raise BackendFailed(
            f"the index failed to {doing}: {' '.join(str(error).split())}",
            str(path),
            f"check {check}; nothing stored before is lost",
        ) from error
    except BaseException as error:
        # What Rust raises where it finds its own data impossible; it is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise BackendFailed(
            f"the index is damaged: it failed to {doing}", str(path), made_again(path)
        ) from error


def made_again(path: str | Path) -> str:
    """How a damaged index is made again: reasonings and vectors come from the cache as far as it has them."""
    if is_remote(path):
        return "index into a new shelf at another prefix: ponder index SHELF PATH --store s3://…"
    index, aside, shelf = (shlex.quote(str(each)) for each in (path, f"{path}.damaged", Path(path).parent))
    return f"make it again: mv {index} {aside} && ponder index {shelf} PATH"
