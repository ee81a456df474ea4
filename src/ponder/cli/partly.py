"""Work that was done in part: what was left out is named, and the exit code says so."""

from __future__ import annotations

from collections.abc import Sequence

import typer

PARTLY = 7


def finish(skipped: Sequence[dict[str, str]], left_out: Sequence[dict[str, str]] = ()) -> None:
    """Name what was left out on stderr, once each.

    Args:
        skipped: ``{"uri", "error"}`` objects.
        left_out: The same, of what was to be left out: it is named, and nothing failed.

    Raises:
        typer.Exit: With code 7, when anything was skipped.
    """
    for uri, error in {each["uri"]: each["error"] for each in left_out}.items():
        typer.echo(f"left out: {uri}: {error}", err=True)
    if not skipped:
        return
    for uri, error in {each["uri"]: each["error"] for each in skipped}.items():
        typer.echo(f"skipped: {uri}: {error}", err=True)
    raise typer.Exit(PARTLY)
