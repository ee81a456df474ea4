"""``ponder remove``."""

from __future__ import annotations

from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json
from ponder.errors import BadArguments, InputNotFound


def remove(
    shelf: options.Shelf,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Ids of items.", show_default=False)
    ] = None,
    where: options.Filter = None,
    as_json: options.Json = False,
) -> None:
    """Take items out of a shelf, not off disk."""
    if bool(ids) == bool(where):
        raise BadArguments("neither ids nor --filter, or both", "ID…", "give ids, or --filter EXPR")
    from ponder.shelf.opening import open_shelf

    with open_shelf(shelf, create=False) as opened:
        removed = opened.remove(ids or (), where)
    if ids and not removed:
        raise InputNotFound("no such item", ", ".join(ids), "`ponder search … --json` prints ids")
    if as_json:
        print_json({"removed": removed})
    else:
        typer.echo(f"removed {removed}")
