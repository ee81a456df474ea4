"""Filters as large as they may be, and a process that is given them."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ponder.errors import InputInvalid
from ponder.index.filter_limits import check_shape
from ponder.index.filters import FILTER_COLUMNS

LAYERS = [
    "({})",
    "NOT {}",
    "NOT ({})",
    "- {}",
    "INTERVAL {}",
    "abs({})",
    "CAST({} AS INT)",
    "POSITION({})",
    "POSITION({}, 'a')",
    "coalesce({}, page)",
    "CASE WHEN {} THEN 1 ELSE 2 END",
    "[{}]",
    "ARRAY[{}]",
    "{} + 1",
    "page + {}",
    "{} / page",
    "{} || 'a'",
    "{} = true",
    "{} IS NULL",
    "{} IS NOT TRUE",
    "{}::bigint",
    "{} LIKE 'a'",
    "{} LIKE or",
    "{} + or",
    "{} AT TIME ZONE 'a'",
    "{} BETWEEN 1 AND 2",
    "{} IN (1, 2)",
    "{} IN ('a')",
    "1 IN ({})",
    "{}, 1",
    "{} AND kind = 'text'",
    "{} OR page = 3",
    "{} OR json_get_string(metadata, 'a') = 'b'",
    "{} OR page + page + page + page + page > 3",
    "{} OR page BETWEEN 1 AND 2",
    "{} OR page = 3 AND kind = 'a'",
    "(page = 1) OR {}",
]
"""What may be put around an expression, again and again."""

BASES = ["page", "true", "kind = 'text'", "uri", "1", "json_extract(metadata, '$.a')"]


def grown(base: str, *layers: str) -> str:
    """The base with each layer in turn around it, as often as the filter is not refused by its look."""
    where = base
    for layer in layers:
        before, _, after = layer.partition("{}")
        for times in (4096, 1024, 256, 64, 16, 4, 1):
            larger = before * times + where + after * times
            while passes(larger):
                where, larger = larger, before * times + larger + after * times
    return where


def passes(where: str) -> bool:
    """Whether the filter is not refused by its look."""
    try:
        check_shape(where, FILTER_COLUMNS, "")
    except InputInvalid:
        return False
    return True


def texts() -> list[str]:
    """Filters whose weight is in a text."""
    return [
        "json_extract(metadata, '$?(" + "(" * 249 + "@.a == 1" + ")" * 250 + "') = '1'",
        "json_extract(metadata, '$" + "?(exists(@" * 125 + "))" * 125 + "') = '1'",
        "regexp_like(text, '" + "(" * 250 + "a" + ")" * 250 + "')",
        "regexp_like(text, '" + "(a{1000}){1000}" * 80 + "')",
        "text LIKE '" + "%a" * 4999 + "'",
        "text = '" + "a" * 9998 + "'",
        "id IN (" + ", ".join(f"'{n:030}'" for n in range(100_000)) + ")",
        "page IN (" + ", ".join(map(str, range(50_000))) + ")",
    ]


if __name__ == "__main__":
    from index_rows import random_rows, unit

    from ponder.index import ExactIndex, LanceIndex

    with TemporaryDirectory() as folder:
        indexes = [LanceIndex(Path(folder) / "index", 8, exact_rows=100), ExactIndex(8)]
        for index in indexes:
            index.add(random_rows(200))
        indexes[0].compact()
        for line in sys.stdin:
            where, said = json.loads(line), []
            for index in indexes:
                with suppress(InputInvalid):
                    said.append(len(index.search(unit([1] * 8), 5, where)))
            with suppress(InputInvalid):
                # Another way into Lance: it counts, and then deletes.
                if indexes[0].remove_where(where):
                    indexes[0].add(random_rows(200))
            print(said, flush=True)
