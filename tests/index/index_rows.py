"""Rows for the tests of the index room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ponder.records import Embedded, Item, PartReasoning, Reasoning, Row, Usage


def unit(vector: Sequence[float]) -> np.ndarray:
    array = np.asarray(vector, dtype=np.float32)
    return array / np.linalg.norm(array)


def make_row(name: str, vectors: Sequence[Sequence[float]], **item: Any) -> Row:
    labels = tuple(f"chars={n}-{n + 1}" if n else "" for n in range(len(vectors)))
    reasoning = Reasoning(
        text=f"about {name}",
        parts=tuple(
            PartReasoning(label, f"{name} part {n}", {"classes": [n, "cat"], "box": (1, 2.5)})
            for n, label in enumerate(labels)
        ),
        trace="first I look",
        usage=Usage(3, 4),
        tokens=5,
        truncated=True,
        model="reasoner@1",
    )
    fields = {"kind": "text", "uri": f"/data/{name}.txt", "path": f"/data/{name}.txt"} | item
    return Row(
        item=Item(id=name, **fields),
        reasoning=reasoning,
        embedded=Embedded(labels, np.stack([unit(vector) for vector in vectors])),
        digest=f"digest-{name}",
        source={"size": len(name), "mtime_ns": 12345678901234567},
    )


def random_rows(count: int, dim: int = 8, seed: int = 0, parts: int = 3) -> list[Row]:
    random = np.random.default_rng(seed)
    return [
        make_row(f"item-{n:04}", random.normal(size=(1 + n % parts, dim)).tolist(), page=1 + n % 7)
        for n in range(count)
    ]
