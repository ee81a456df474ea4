"""Filter expressions: SQL conditions over an item's columns, in one dialect for every index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from ponder.errors import InputInvalid
from ponder.index.filter_limits import check_shape
from ponder.records import Item

if TYPE_CHECKING:
    import pyarrow as pa

FILTER_COLUMNS = ("id", "kind", "uri", "path", "page", "text", "metadata", "digest")
"""What a filter may name. `metadata` is JSON: ``json_get_string(metadata, 'author') = 'Ann'``."""

_HINT = (
    f"write an SQL condition over {', '.join(FILTER_COLUMNS)}, as in kind = 'page' AND page < 10, "
    "path LIKE '%/2024/%', or json_get_string(metadata, 'author') = 'Ann'"
)

_AT_ROWS = ("applying filter expression", "Cast error", "Divide by zero")
"""What Lance says where a filter that parses fails at a row."""


def item_schema() -> pa.Schema:
    """The columns that a filter may name, as an Arrow schema."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("id", pa.string()),
            pa.field("kind", pa.string()),
            pa.field("uri", pa.string()),
            pa.field("path", pa.string()),
            pa.field("page", pa.int32()),
            pa.field("text", pa.string()),
            pa.field("metadata", pa.json_()),
            pa.field("digest", pa.string()),
        ]
    )


def item_columns(items: Sequence[Item], digests: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of `item_schema` for these items.

    Raises:
        InputInvalid: An item's metadata is not JSON.
    """
    return {
        "id": [item.id for item in items],
        "kind": [item.kind for item in items],
        "uri": [item.uri for item in items],
        "path": [item.path for item in items],
        "page": [item.page for item in items],
        "text": [item.text for item in items],
        "metadata": [_metadata_json(item) for item in items],
        "digest": list(digests),
    }


class ItemFilter:
    """Evaluates filter expressions on items, and says whether an expression is valid.

    The expressions are evaluated by Lance itself (DataFusion's SQL), over a table in memory, so that an
    index of another kind keeps exactly the items that `LanceIndex` keeps.

    Args:
        items: By id, the items and their digests; empty to check expressions only.
    """

    def __init__(self, items: Mapping[str, tuple[Item, str]] | None = None) -> None:
        import lancedb

        database = lancedb.connect("memory://")
        self._table = database.create_table("items", schema=item_schema())
        if items:
            self._add(item_columns([i for i, _ in items.values()], [d for _, d in items.values()]))

    @classmethod
    def over(cls, columns: Mapping[str, list[Any]]) -> Self:
        """The filter over columns that `item_columns` made."""
        made = cls()
        if columns["id"]:
            made._add(columns)
        return made

    def _add(self, columns: Mapping[str, list[Any]]) -> None:
        import pyarrow as pa

        self._table.add(pa.table(dict(columns), schema=item_schema()))

    def check(self, where: str) -> str:
        """The expression, in parentheses.

        Raises:
            InputInvalid: It is no condition over `FILTER_COLUMNS`.
        """
        self.ids(where)
        return f"({where})"

    def ids(self, where: str) -> set[str]:
        """Ids of the items that `where` keeps.

        Raises:
            InputInvalid: It is no condition over `FILTER_COLUMNS`.
        """
        check_shape(where, FILTER_COLUMNS, _HINT)
        try:
            found = self._table.search().where(f"({where})").select(["id"]).limit(None).to_arrow()
        except (ValueError, RuntimeError, OSError) as error:
            raise unworkable(where, error) from error
        return set(found["id"].to_pylist())


def quoted(values: Sequence[str]) -> str:
    """Strings as an SQL list.

    Example:
        >>> quoted(["a", "it's"])
        "('a', 'it''s')"
    """
    return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")"


def unworkable(where: str, error: Exception) -> InputInvalid:
    """What to raise where Lance failed at a filter."""
    # Lance ends its messages with the source line that raised them.
    text = re.sub(r", \S+\.rs:\d+:\d+.*", "", " ".join(str(error).split()))
    why = text.removeprefix("Invalid input, ").strip()
    return InputInvalid(f"the filter does not work: {why}", where, _HINT)


@contextmanager
def filtering(where: str | None) -> Iterator[None]:
    """Tell what a filter does to the rows that are there (1/0, a cast of other text) as the filter's fault.

    Raises:
        InputInvalid: Lance failed at the filter; without one whatever it raises is left as it is.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if where is None or not any(each in str(error) for each in _AT_ROWS):
            raise
        raise unworkable(where, error) from error


def _metadata_json(item: Item) -> str:
    try:
        return json.dumps(dict(item.metadata), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputInvalid(
            f"the metadata is not JSON: {error}", item.id, "use strings, finite numbers, lists and mappings"
        ) from error
