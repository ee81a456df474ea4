"""``ponder mmeb run --dry-run``: what tasks would cost, by a probe here or reckoned for another machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ponder.cli.console import show, table

if TYPE_CHECKING:
    from ponder.evaluate.mmeb.reckoning import Speed
    from ponder.evaluate.mmeb.running import TaskRun
    from ponder.protocols import BlobCache, Models


def prices(
    runs: Iterable[TaskRun], models: Models, cache: BlobCache, speed: Speed | None
) -> Iterator[dict[str, Any]]:
    """A line a task.

    Args:
        runs: The tasks.
        models: The set.
        cache: An overlay: the probe writes to it.
        speed: Reckon at this speed; None probes the models here.
    """
    from ponder.evaluate.mmeb.pricing import price_task
    from ponder.evaluate.mmeb.reckoning import reckon

    for each in runs:
        priced = price_task(each, models, cache) if speed is None else reckon(each, models, cache, speed)
        yield priced.fields


def show_prices(rows: Sequence[dict[str, Any]]) -> None:
    """The lines as a table, with their sum."""
    if any("petaflop" in row for row in rows):
        _show_reckoned(rows)
        return
    priced = table("task", "queries", "candidates", "to embed", "tokens, at most", "minutes", "MB")
    for row in (*rows, _sum(rows)):
        minutes = row["minutes_at_most"]
        priced.add_row(
            row["task"],
            str(row["queries"]),
            str(row["candidates"]),
            str(row["documents_to_embed"]),
            f"{row['tokens_at_most']:,}",
            "?" if minutes is None else f"{minutes:.1f}",
            f"{row['megabytes']:.0f}",
        )
    show(priced)


def _show_reckoned(rows: Sequence[dict[str, Any]]) -> None:
    parts = list(rows[0]["tokens"])
    heads = [name.replace("_", " ") for name in parts]
    shown = table("task", "queries", "candidates", *heads, "PFLOP", "hours", "MB")
    for row in (*rows, _sum(rows)):
        shown.add_row(
            row["task"],
            str(row["queries"]),
            str(row["candidates"]),
            *(f"{row['tokens'][name]:,}" for name in parts),
            f"{row['petaflop']:,.1f}",
            f"{row['gpu_hours_at_most']:.2f}",
            f"{row['megabytes']:.0f}",
        )
    show(shown)
    show("tokens, operations and GPU hours are reckoned, at most, and not measured: see docs/mmeb.md")


def _sum(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of whatever the lines have; unknown where one of them is."""
    found: dict[str, Any] = {"task": "all"}
    for name in (key for key in (rows[0] if rows else {}) if key != "task"):
        values = [row[name] for row in rows]
        if isinstance(values[0], dict):
            found[name] = {part: sum(value[part] for value in values) for part in values[0]}
        else:
            found[name] = None if None in values else sum(values)
    return found
