"""Rows as values for PostgreSQL and back, and the statements that find the nearest of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid
from ponder.index.filters import FILTER_COLUMNS, item_columns
from ponder.index.mirror import item_key
from ponder.index.rows import stored_texts
from ponder.records import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAREST = """
SELECT i.id, p.part_no, p.part, p.vector FROM (
    SELECT item, part_no, part, vector FROM {parts}
    ORDER BY vector <#> %(query)s LIMIT %(limit)s
) p JOIN {items} i ON i.key = p.item
"""
NEAREST_OF = """
SELECT i.id, p.part_no, p.part, p.vector FROM (
    SELECT item, part_no, part, vector FROM {parts}
    WHERE item = ANY(%(keys)s) ORDER BY vector <#> %(query)s LIMIT %(limit)s
) p JOIN {items} i ON i.key = p.item
"""


def item_values(row: Row) -> tuple[Any, ...]:
    """The values of `pgvector_tables.ITEM_COLUMNS` of a row.

    Raises:
        InputInvalid: They cannot be stored.
    """
    columns = item_columns([row.item], [row.digest])
    try:
        record, source = stored_texts(row)
        # PostgreSQL's text cannot hold a zero byte. A filter may miss it: the record keeps it, as an escape.
        texts = [
            value.replace("\0", "") if isinstance(value := columns[name][0], str) and name != "id" else value
            for name in FILTER_COLUMNS
        ]
        return (item_key(row.item.id), *texts, record, source)
    except (TypeError, ValueError) as error:
        raise InputInvalid(f"the item cannot be stored: {error}", ascii(row.item.id)) from error


def part_values(row: Row) -> list[tuple[Any, ...]]:
    """The values of `pgvector_tables.PART_COLUMNS` of each part of a row."""
    key = item_key(row.item.id)
    labels = row.embedded.labels
    return [(key, number, labels[number], vector) for number, vector in enumerate(row.embedded.vectors)]


def copy_statement(table: str, columns: Sequence[str]) -> str:
    """The statement that takes rows in PostgreSQL's binary form."""
    return f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"


def stacked(vectors: Sequence[Any], dim: int) -> NDArray[np.float32]:
    """Pgvector's vectors as one array of shape (vectors, dim)."""
    import numpy as np

    if not vectors:
        return np.zeros((0, dim), np.float32)
    return np.stack([vector.to_numpy() for vector in vectors]).astype(np.float32)
