"""Filter expressions: SQL conditions over an item's columns, in one dialect for every index."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from ponder.errors import InputInvalid
from ponder.records import Item

if TYPE_CHECKING:
    import pyarrow as pa

FILTER_COLUMNS = ("id", "kind", "uri", "path", "page", "text", "metadata", "digest")
"""What a filter may name. `metadata` is JSON: ``json_get_string(metadata, 'author') = 'Ann'``."""

_HINT = (
    f"write an SQL condition over {', '.join(FILTER_COLUMNS)}, as in kind = 'page' AND page < 10, "
    "path LIKE '%/2024/%', or json_get_string(metadata, 'author') = 'Ann'"
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`")


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
        _check_shape(where)
        try:
            found = self._table.search().where(f"({where})").select(["id"]).limit(None).to_arrow()
        except (ValueError, RuntimeError, OSError) as error:
            raise InputInvalid(f"the filter does not work: {_reason(error)}", where, _HINT) from error
        return set(found["id"].to_pylist())


def quoted(values: Sequence[str]) -> str:
    """Strings as an SQL list.

    Example:
        >>> quoted(["a", "it's"])
        "('a', 'it''s')"
    """
    return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")"


def _check_shape(where: str) -> None:
    # The parser stops quietly at the end of the first expression, so that what stands behind it
    # ("1 = 1; drop …", "a) OR (b") would be ignored, or leave the parentheses put around it.
    if not where.strip():
        raise InputInvalid("the filter is empty", where, _HINT)
    bare, depth = _QUOTED.sub("''", where), 0
    for character in bare:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    if depth != 0 or ";" in bare or "--" in bare or "/*" in bare:
        raise InputInvalid("the filter is not one whole condition", where, _HINT)


def _reason(error: Exception) -> str:
    # Lance ends its messages with the source line that raised them.
    text = re.sub(r", \S+\.rs:\d+:\d+.*", "", " ".join(str(error).split()))
    return text.removeprefix("Invalid input, ").strip()


def _metadata_json(item: Item) -> str:
    try:
        return json.dumps(dict(item.metadata), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputInvalid(
            f"the metadata is not JSON: {error}", item.id, "use strings, finite numbers, lists and mappings"
        ) from error
