"""Rows as Arrow tables and back: one table row a part, what belongs to the whole item on its first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ponder.errors import BackendFailed, InputInvalid
from ponder.index.codecs import Undecodable, dumps, loads, reasoning_fields, reasoning_from
from ponder.index.filters import item_columns, item_schema
from ponder.records import Embedded, Item, Row

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Source:
    """What an index knows of an item without its reasoning and vectors.

    Attributes:
        id: The item's id.
        digest: Its content's digest.
        source: The writer's bookkeeping, as in `Row`.
    """

    id: str
    digest: str
    source: Mapping[str, Any]


def part_schema(dim: int) -> pa.Schema:
    """The table's columns.

    The item's columns (`filters.item_schema`) are repeated on each of its parts, so that a filter keeps
    all of them or none. `record` (item and reasoning) and `source` stand on part 0 only.
    """
    import pyarrow as pa

    columns = [pa.field("row", pa.string()), *item_schema()]
    columns += [pa.field("part_no", pa.int32()), pa.field("part", pa.string())]
    columns += [pa.field("record", pa.string()), pa.field("source", pa.string())]
    return pa.schema([*columns, pa.field("vector", pa.list_(pa.float32(), dim))])


def to_table(rows: Iterable[Row], dim: int) -> pa.Table:
    """The table of these rows.

    Raises:
        InputInvalid: Something in a row cannot be stored (metadata that is not JSON, text that is not
            Unicode).
    """
    import numpy as np
    import pyarrow as pa

    schema = part_schema(dim)
    tables = []
    for row in rows:
        count = len(row.embedded.labels)
        try:
            columns: dict[str, Any] = {
                name: values * count for name, values in item_columns([row.item], [row.digest]).items()
            }
            columns["row"] = [f"{number}:{row.item.id}" for number in range(count)]
            columns["part_no"] = list(range(count))
            columns["part"] = list(row.embedded.labels)
            columns["record"] = [record_text(row)] + [None] * (count - 1)
            columns["source"] = [dumps(dict(row.source))] + [None] * (count - 1)
            flat = np.ascontiguousarray(row.embedded.vectors, dtype=np.float32).reshape(-1)
            columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(flat), dim)
            tables.append(pa.table({name: columns[name] for name in schema.names}, schema=schema))
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise InputInvalid(f"the item cannot be stored: {error}", ascii(row.item.id)) from error
    return pa.concat_tables(tables)


def from_table(table: pa.Table) -> dict[str, Row]:
    """The rows of a table with all columns, by id.

    Raises:
        BackendFailed: What is stored cannot be read.
    """
    import numpy as np

    if not table.num_rows:
        return {}
    vectors = np.asarray(table["vector"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    columns = table.select(["id", "part_no", "part", "digest", "record", "source"]).to_pydict()
    places: dict[str, list[int]] = {}
    for place, name in enumerate(columns["id"]):
        places.setdefault(name, []).append(place)
    rows = {}
    for name, mine in places.items():
        mine.sort(key=lambda place: columns["part_no"][place])
        first = mine[0]
        labels = tuple(columns["part"][place] for place in mine)
        rows[name] = stored_row(
            name,
            columns["record"][first],
            Embedded(labels, vectors[mine].astype(np.float32, copy=False)),
            columns["digest"][first],
            columns["source"][first],
        )
    return rows


def stored_row(name: str, record: str, embedded: Embedded, digest: str, source: str) -> Row:
    """The row of what is stored of the item `name`.

    Args:
        name: Its id.
        record: As `record_text` made it.
        embedded: Its vectors.
        digest: Its content's digest.
        source: The writer's bookkeeping, as `codecs.dumps` made it.

    Raises:
        BackendFailed: It cannot be read.
    """
    try:
        item, reasoning = loads(record)
        return Row(Item(**item), reasoning_from(reasoning), embedded, digest, loads(source))
    except (Undecodable, TypeError, ValueError) as error:
        raise BackendFailed(
            f"a stored item cannot be read: {error}", name, "remove it and add it again"
        ) from error


def sources_from(table: pa.Table) -> list[Source]:
    """The sources of a table with the columns id, digest and source, first parts only."""
    columns = table.to_pydict()
    return [
        Source(name, digest, loads(source))
        for name, digest, source in zip(columns["id"], columns["digest"], columns["source"], strict=True)
    ]


def record_text(row: Row) -> str:
    """What is stored of an item and its reasoning, as one text."""
    item = {each.name: getattr(row.item, each.name) for each in fields(Item)}
    return dumps([item | {"metadata": dict(row.item.metadata)}, reasoning_fields(row.reasoning)])
