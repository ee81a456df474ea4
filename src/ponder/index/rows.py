"""Rows as Arrow tables and back: one table row a part, what belongs to the whole item on its first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ponder.errors import BackendFailed, InputInvalid
from ponder.index.codecs import Undecodable, dumps, loads, reasoning_fields, reasoning_from
from ponder.index.filters import item_columns, item_schema
from ponder.records import Embedded, Item, Row

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_SUM = "sum"
"""The row's checksum stands among the writer's bookkeeping, where an older ponder passes over it."""


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
    import pyarrow as pa

    rows = list(rows)
    texts = []
    for row in rows:
        try:
            # In one table for all, what is missing in one row would be taken from the next.
            if len(row.embedded.labels) != len(row.embedded.vectors):
                raise ValueError(f"{len(row.embedded.labels)} labels, {len(row.embedded.vectors)} vectors")
            texts.append(stored_texts(row))
        except (TypeError, ValueError) as error:
            raise _unstorable(row, error) from error
    try:
        return _table(rows, texts, dim)
    except (InputInvalid, TypeError, ValueError, pa.ArrowException):
        # One table for all takes half the time of one a row, but does not say which row is at fault.
        for row, text in zip(rows, texts, strict=True):
            try:
                _table([row], [text], dim)
            except (TypeError, ValueError, pa.ArrowException) as error:
                raise _unstorable(row, error) from error
        raise


def _table(rows: Sequence[Row], texts: Sequence[tuple[str, str]], dim: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    schema = part_schema(dim)
    columns: dict[str, list[Any]] = {name: [] for name in schema.names if name != "vector"}
    of_items = item_columns([row.item for row in rows], [row.digest for row in rows])
    for place, (row, (record, source)) in enumerate(zip(rows, texts, strict=True)):
        count = len(row.embedded.labels)
        for name, values in of_items.items():
            columns[name] += [values[place]] * count
        columns["row"] += [f"{number}:{row.item.id}" for number in range(count)]
        columns["part_no"] += range(count)
        columns["part"] += row.embedded.labels
        # Not null on the other parts: Lance takes one text among nulls for a constant, which it repeats
        # for all of them when it reads, and 3 MB for 700 parts are more than its offsets can count.
        columns["record"] += [record] + [""] * (count - 1)
        columns["source"] += [source] + [None] * (count - 1)
    vectors = np.concatenate([np.asarray(row.embedded.vectors, np.float32) for row in rows])
    flat = pa.array(vectors.reshape(-1))
    return pa.table(columns | {"vector": pa.FixedSizeListArray.from_arrays(flat, dim)}, schema=schema)


def _unstorable(row: Row, error: Exception) -> InputInvalid:
    return InputInvalid(f"the item cannot be stored: {error}", ascii(row.item.id))


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
        record, digest, source = (columns[each][first] for each in ("record", "digest", "source"))
        embedded = Embedded(labels, vectors[mine].astype(np.float32, copy=False))
        rows[name] = stored_row(name, record, embedded, digest, source)
    return rows


def stored_texts(row: Row) -> tuple[str, str]:
    """What is stored of a row as text: item and reasoning; the writer's bookkeeping with the row's checksum.

    Raises:
        TypeError: Something in it is not JSON.
    """
    record, source = _record(row), dict(row.source)
    checksum = _checksum(row.item.id, row.digest, record, source, row.embedded.labels, row.embedded.vectors)
    return record, dumps({**source, _SUM: checksum})


def stored_row(name: str, record: str, embedded: Embedded, digest: str, source: str) -> Row:
    """The row of what is stored of the item `name`.

    Args:
        name: Its id.
        record: The first of `stored_texts`.
        embedded: Its vectors.
        digest: Its content's digest.
        source: The second of `stored_texts`.

    Raises:
        BackendFailed: It is not what was written.
    """
    try:
        told = _told(source)
        # Rows of a ponder that made no sums have none.
        checksum = told.pop(_SUM, None)
        if checksum not in (None, _checksum(name, digest, record, told, embedded.labels, embedded.vectors)):
            raise Undecodable("it is not what was written")
        item, reasoning = loads(record)
        return Row(Item(**item), reasoning_from(reasoning), embedded, digest, told)
    except (Undecodable, TypeError, ValueError, AttributeError) as error:
        raise BackendFailed(
            f"a stored item is damaged: {error}",
            name,
            f"take it out and index again: ponder remove SHELF {name}; ponder index SHELF PATH",
        ) from error


def stored_source(name: str, digest: str, source: str) -> Source:
    """What `stored_texts` made of the writer's bookkeeping, without the checksum.

    Raises:
        Undecodable: It made no such thing.
    """
    return Source(name, digest, {key: value for key, value in _told(source).items() if key != _SUM})


def sources_from(table: pa.Table) -> list[Source]:
    """The sources of a table with the columns id, digest and source, first parts only."""
    columns = table.to_pydict()
    return [
        stored_source(*each) for each in zip(columns["id"], columns["digest"], columns["source"], strict=True)
    ]


def unsummed(sources: Iterable[str]) -> int:
    """How many of these bookkeepings, as they are stored, have no checksum.

    Raises:
        Undecodable: One is no bookkeeping.
    """
    return sum(_SUM not in _told(source) for source in sources)


def _told(source: str) -> dict[str, Any]:
    told = loads(source)
    if not isinstance(told, dict):
        raise Undecodable(f"{type(told).__name__} where the bookkeeping should be")
    return told


def _checksum(
    id_: str,
    digest: str,
    record: str,
    source: Mapping[str, Any],
    labels: Sequence[str],
    vectors: NDArray[np.float32],
) -> str:
    """Over all that a row holds; the vectors' bytes as they are stored."""
    told = json.dumps([id_, digest, record, dumps(source), list(labels)], ensure_ascii=True)
    hashed = hashlib.blake2b(told.encode(), digest_size=8)
    hashed.update(vectors.astype("<f4", copy=False).tobytes())
    return hashed.hexdigest()


def _record(row: Row) -> str:
    item = {each.name: getattr(row.item, each.name) for each in fields(Item)}
    if not row.item.instruction:
        # An older ponder, which knows no such thing, reads what lacks it.
        del item["instruction"]
    return dumps([item | {"metadata": dict(row.item.metadata)}, reasoning_fields(row.reasoning)])
