"""Work that was done in part: what was left out is named, and the exit code says so."""

from __future__ import annotations

from collections.abc import Sequence

import typer

PARTLY = 7


def finish(skipped: Sequence[dict[str, str]]) -> None:
    """Name what was left out on stderr, once each.

    Args:
        skipped: ``{"uri", "error"}`` objects.

    Raises:
        typer.Exit: With code 7, when anything was left out.
    """
    if not skipped:
        return
    for uri, error in {each["uri"]: each["error"] for each in skipped}.items():
        typer.echo(f"skipped: {uri}: {error}", err=True)
    raise typer.Exit(PARTLY)
