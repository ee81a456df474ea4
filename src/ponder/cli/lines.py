"""The lines of ``evaluate-moments`` and ``evaluate-qa``: JSON as they come, or a table at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ponder.cli.console import print_json, show, table
from ponder.cli.partly import finish


def print_lines(lines: Iterable[dict[str, Any]], metric: str, as_json: bool) -> None:
    """Print one line a budget.

    Args:
        lines: As `run_moments` and `run_quiz` yield them.
        metric: Name of the figure that counts.
        as_json: Print each line as JSON as soon as it is there.

    Raises:
        typer.Exit: With code 7, when something was skipped.
    """
    rows = table("budget", metric, "95 %", "no media", "tokens")
    skipped: list[dict[str, str]] = []
    for line in lines:
        skipped = line["skipped"]
        if as_json:
            print_json(line)
        low, high = line["ci95"]
        tokens = line["tokens_per_query"]
        rows.add_row(
            str(line["budget"]),
            f"{line[metric]:.3f}",
            f"{low:.3f}-{high:.3f}",
            f"{line['no_media']:.3f}",
            f"{tokens['read'] + tokens['written']:.0f}",
        )
    if not as_json:
        show(rows)
    finish(skipped)
