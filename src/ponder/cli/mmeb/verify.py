"""``ponder mmeb verify``: what of the benchmark is here, what is not, and how to get it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.mmeb.show import Data
from ponder.cli.partly import PARTLY

if TYPE_CHECKING:
    from ponder.evaluate.mmeb.verify import TaskState

Chosen = Annotated[
    str | None,
    typer.Option(
        "--tasks",
        metavar="NAME,…",
        help="Names, meta-tasks (I-CLS, V-RET, VisDoc, …), modalities, or all; the 78 unless given.",
    ),
]
_GIB = 2**30


def verify(
    data: Data,
    tasks: Chosen = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode every picture and page, not only look at its ends.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Look what of each task is here: rows, media, their number and revision. Exits with 7 unless all is.

    With --json one object: "tasks" (a list; state is ready, differs, incomplete, invalid or missing),
    "present", "missing" and "wrong" (names: rows are here and all is well; are not here; are here, but not as
    they should be), "bytes", "free_bytes" of the disk, "commands" that get what is missing.
    """
    from ponder.evaluate.mmeb.source import checked_root
    from ponder.evaluate.mmeb.tasks import chosen
    from ponder.evaluate.mmeb.verify import verify as look

    with quiet_stdout(as_json), progress("looking at tasks") as advance:
        found = list(look(checked_root(data), chosen(tasks), deep=deep, advance=advance))
    told = _told(found, data)
    if as_json:
        print_json(told)
    else:
        _print(found, told)
    if len(told["present"]) < len(found):
        raise typer.Exit(PARTLY)


def _told(found: list[TaskState], data: Path) -> dict[str, Any]:
    return {
        "data_dir": str(data),
        "tasks": [each.fields for each in found],
        "present": [each.task for each in found if each.state == "ready"],
        "missing": [each.task for each in found if each.state == "missing"],
        "wrong": [each.task for each in found if each.state not in ("ready", "missing")],
        "bytes": sum(each.bytes for each in found),
        "free_bytes": shutil.disk_usage(data).free,
        # Tasks share archives and repositories: each is fetched once, and unpacked after it.
        "commands": list(dict.fromkeys(command for each in found for command in each.commands)),
    }


def _print(found: list[TaskState], told: dict[str, Any]) -> None:
    rows = table(
        "task", "state", "queries", "of", "candidates", "media", "missing", "broken", "revision", "MiB"
    )
    for each in found:
        counts = (
            each.queries,
            each.expected_queries,
            each.candidates,
            each.media,
            each.missing,
            each.unreadable,
        )
        cells = ("" if count is None else str(count) for count in counts)
        rows.add_row(each.task, each.state, *cells, each.revision[:8], f"{each.bytes / 2**20:.1f}")
    show(rows)
    absent = [each for each in found if each.state == "missing"]
    if absent:
        show(f"{len(absent)} are missing, such as {absent[0].task}: {absent[0].problems[0]}")
    for each in (each for each in found if each.state != "missing"):
        for line in (*each.problems, *(f"note: {note}" for note in each.notes)):
            show(f"{each.task}: {line}")
    if told["commands"]:
        show("\nto get what is missing:")
        for command in told["commands"]:
            typer.echo(f"  {command}")
    here, free = told["bytes"] / _GIB, told["free_bytes"] / _GIB
    show(f"\n{len(told['present'])} of {len(found)} ready; {here:.2f} GiB here, {free:.0f} GiB free")
