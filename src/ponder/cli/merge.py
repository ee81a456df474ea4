"""``ponder merge``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.errors import BadArguments


def merge(
    target: Annotated[
        Path,
        typer.Argument(help="The folder of the shelf to copy into; a new one is made.", show_default=False),
    ],
    shelves: Annotated[
        list[Path], typer.Argument(metavar="SHELF…", help="Shelves to copy from.", show_default=False)
    ],
    on_conflict: Annotated[
        Literal["newer", "keep", "replace", "error"],
        typer.Option(
            "--on-conflict",
            help="Of a file with another content in two shelves: newer keeps the later changed, "
            "keep TARGET's, replace SHELF's, error stops.",
        ),
    ] = "newer",
    moved: Annotated[
        list[str] | None,
        typer.Option(
            "--moved",
            metavar="OLD=NEW",
            help="Where the shelves' files lie here, if elsewhere: /mnt/b=/data. Once for each folder.",
            show_default=False,
        ),
    ] = None,
    store: options.Store = None,
    as_json: options.Json = False,
) -> None:
    """Copy what other shelves hold into one; no model is asked.

    For shelves that were made with the same models and settings, as by ponder index --shard. After an
    interruption, the same command goes on where it stopped.
    """
    began = time.perf_counter()
    from ponder.cli.present import skipped_json
    from ponder.shelf.joining import merge_shelves

    folders = _folders(moved or [])
    with quiet_stdout(as_json), progress("merging") as advance:
        report = merge_shelves(
            target, shelves, on_conflict=on_conflict, moved=folders, store=store, progress=advance
        )
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            {
                "added": report.added,
                "replaced": report.replaced,
                "unchanged": report.unchanged,
                "kept": report.kept,
                "removed": report.removed,
                "skipped": skipped_json(report.skipped),
                "seconds": round(seconds, 3),
            }
        )
        return
    rate = (report.added + report.replaced) / max(report.seconds, 1e-9)
    typer.echo(
        f"{report.added} added, {report.replaced} replaced, {report.unchanged} unchanged, "
        f"{report.kept} kept, {report.removed} removed in {seconds:.1f} s ({rate:.0f}/s); "
        f"{len(report.skipped)} that the shelves could not use stay known as such"
    )


def _folders(moved: list[str]) -> dict[str, str]:
    found = {}
    for each in moved:
        old, equals, new = each.partition("=")
        if not (old and equals and new):
            raise BadArguments(f"not two folders: {each!r}", "--moved", "write /OLD=/NEW")
        if "=" in new:
            # Which of them stands between the folders cannot be told.
            hint = "write /OLD=/NEW; a folder with = in its name is moved in Python: Shelf.merge(moved={…})"
            raise BadArguments(f"more than one =: {each!r}", "--moved", hint)
        if old in found:
            raise BadArguments(f"a folder is moved twice: {old!r}", "--moved", "name each once")
        found[old] = new
    return found
