"""Merging two shelves into a new one, beside writing the same rows straight into it.

Rows without files or models: unit vectors of 384 values, 400 characters of reasoning. Memory is the peak of
the process that merges.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness import finish, options, run

from ponder.media.items import item_id
from ponder.records import Embedded, Item, PartReasoning, Reasoning, Row
from ponder.shelf import Shelf, merge_shelves, open_shelf
from ponder.testing import FakeModels

DIM, AT_ONCE = 384, 500
MOST_MB = 600
"""The libraries take some 200 MB, the lists of 100,000 files 60."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--items", type=int, default=5_000, help="in each of the two shelves")
    parser.add_argument("--parts", type=int, default=1, help="vectors of an item")
    parser.add_argument("--merge", help="used by this benchmark itself")
    arguments = parser.parse_args()
    if arguments.merge:
        print(json.dumps(merging(Path(arguments.merge))))
        return
    with tempfile.TemporaryDirectory(prefix="ponder-merge-") as name:
        base = Path(name)
        began = time.perf_counter()
        for number in (1, 2):
            with open_shelf(base / str(number), FakeModels(dim=DIM)) as shelf:
                fill(shelf, number, arguments.items, arguments.parts)
        written = time.perf_counter() - began
        found = json.loads(run([sys.executable, __file__, "--merge", base]))
    finish(
        arguments,
        "merge",
        ours=found["seconds"],
        peer=written,
        peer_name="writing the same rows",
        unit="seconds",
        checks={
            "everything is copied once": found["added"] == 2 * arguments.items,
            "a second time copies nothing": found["again_added"] == 0,
            f"under {MOST_MB} MB": found["megabytes"] < MOST_MB,
        },
        details={**found, "parts": arguments.parts, "written_seconds": round(written, 2)},
        packages=["lancedb"],
    )


def merging(base: Path) -> dict[str, Any]:
    """Merge the two shelves twice."""
    places, seconds = [base / "1", base / "2"], []
    for _ in range(2):
        began = time.perf_counter()
        report = merge_shelves(base / "all", places)
        seconds.append(round(time.perf_counter() - began, 2))
        if len(seconds) == 1:
            first, used = report, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "added": first.added,
        "seconds": seconds[0],
        "processor_seconds": round(used.ru_utime + used.ru_stime, 2),
        "items_a_second": round(first.added / seconds[0]),
        "megabytes": used.ru_maxrss // 1024,
        "again_seconds": seconds[1],
        "again_added": report.added,
    }


def fill(shelf: Shelf, number: int, items: int, parts: int) -> None:
    """Write rows as if they had been indexed."""
    chance = np.random.default_rng(number)
    for start in range(0, items, AT_ONCE):
        shelf.index.add(list(rows(chance, number, range(start, min(items, start + AT_ONCE)), parts)))


def rows(chance: np.random.Generator, number: int, places: range, parts: int) -> Iterator[Row]:
    """Rows of files that there are not."""
    labels = tuple("" if part == 0 else f"part {part}" for part in range(parts))
    reasoning = Reasoning("word " * 80, tuple(PartReasoning(label, "") for label in labels), tokens=80)
    for place in places:
        path = f"/files/{number}/{place:07}.txt"
        vectors = chance.standard_normal((parts, DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        source = {"path": path, "size": 9, "mtime_ns": place, "of": 1}
        item = Item(item_id(path), "text", path, path)
        yield Row(item, reasoning, Embedded(labels, vectors), f"digest {number} {place}", source)


if __name__ == "__main__":
    main()
