"""What `ponder scale` left, for the evaluation view."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Curve:
    """One folder of `ponder scale --out`.

    Attributes:
        title: Data set, split and measure.
        svg: The drawing.
        rows: A row for each way and budget: name, budget, value, interval, tokens.
        won: Queries that the largest budget won over none, as far as the folder tells.
        lost: And those that it lost.
    """

    title: str
    svg: Path
    rows: Sequence[tuple[str, int, float, tuple[float, float], float]]
    won: Sequence[str]
    lost: Sequence[str]


def curves(folders: Sequence[Path]) -> list[Curve]:
    """Those folders that hold a curve, in their order; others are passed over."""
    found = []
    for folder in folders:
        try:
            told = json.loads((folder / "curve.json").read_text("utf-8"))
            found.append(_curve(folder, told))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _curve(folder: Path, told: dict[str, Any]) -> Curve:
    svg = folder / "curve.svg"
    if not svg.is_file():
        raise OSError(f"no {svg}")
    rows = [
        (series["name"], point["budget"], point["value"], tuple(point["ci95"]), point["spent"])
        for series in told["series"]
        for point in series["points"]
    ]
    last = told["series"][0]["points"][-1]
    won, lost = (
        [str(each.get("text") or each["id"]) for each in last.get(kind, [])] for kind in ("gained", "lost")
    )
    what = f"{told['dataset']} {told['split']}: {told['metric']}"
    return Curve(f"{what}, {told['queries']} queries, {told['models']}", svg, rows, won, lost)
