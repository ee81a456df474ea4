"""``ponder doctor``: what works here and what does not, and how near a shelf's index is to exact search."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.errors import BadArguments, InputInvalid, PonderError

_PACKAGES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "lancedb",
    "onnxruntime",
    "rapidocr",
    "pypdfium2",
    "av",
    "pillow",
    "numpy",
)
_LEAST_FREE = 2 << 30
"""Bytes: the lite weights with what they are unpacked from, and a small shelf."""


class _CheckUnlessNamed(TyperGroup):
    """``ponder doctor SHELF`` is ``ponder doctor check SHELF``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["check", *args])


app = typer.Typer(
    cls=_CheckUnlessNamed,
    help="Check the installation and a shelf (`ponder doctor [SHELF]`), or a shelf's index.",
    rich_markup_mode=None,
)


@app.command("check")
def check(
    shelf: Annotated[
        Path | None, typer.Argument(help="A shelf to look at as well.", show_default=False)
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Compare all files and rows of the shelf with their checksums.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the installation, and a shelf."""
    if deep and shelf is None:
        raise BadArguments("--deep looks at a shelf", "--deep", "ponder doctor SHELF --deep")
    found = _look(shelf, deep)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found["problems"]:
        raise InputInvalid(
            f"{len(found['problems'])} problem(s)", "; ".join(found["problems"]), "see the report"
        )


@app.command("index")
def index(
    shelf: options.Shelf,
    queries: Annotated[int, typer.Option(min=1, help="Stored vectors to search for.")] = 100,
    target: Annotated[float, typer.Option(min=0, max=1, help="The recall@10 that is enough.")] = 0.98,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Compact, index anew if need be, and keep the suggested effort."),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Compare a shelf's approximate index with exact search, on the vectors that it holds."""
    from ponder.shelf import upkeep
    from ponder.shelf.opening import open_shelf

    with (
        quiet_stdout(as_json),
        open_shelf(shelf, create=False) as opened,
        progress("searching") as advance,
    ):
        measure = upkeep.repair if repair else upkeep.look
        tuning = measure(opened, queries=queries, target=target, progress=advance)
        store = opened.manifest.store
    wrong = upkeep.problems(tuning)
    command = f"ponder doctor index {quote(str(shelf))} --repair"
    found = {"store": store, **asdict(tuning), "problems": wrong, "repair": command if wrong else ""}
    if as_json:
        print_json(found)
    else:
        _print(_readable(found))
    if wrong:
        hint = "raise --queries, or lower --target" if repair else command
        raise InputInvalid("; ".join(wrong), str(shelf), hint)


def _readable(found: dict[str, Any]) -> dict[str, Any]:
    knob = found["state"]["knob"]
    rows = [
        f"{knob} {each['effort']}: recall {each['recall']:.3f}, {each['milliseconds']:.1f} ms"
        for each in found["tried"]
    ]
    exact = f"exact: {found['exact_milliseconds']:.1f} ms"
    figures = {name: found[name] for name in ("queries", "k", "target")}
    suggested = f"{knob} {found['suggested']}" if knob else "nothing: every search is exact"
    return {
        "store": found["store"],
        "state": found["state"],
        **figures,
        "recall": f"{found['recall']:.3f}",
        "tried": [exact, *rows],
        "suggested": suggested,
        "problems": found["problems"],
    }


def _look(shelf: Path | None, deep: bool) -> dict[str, Any]:
    import ponder
    from ponder.models.weights import list_weights, root

    states = list_weights()
    problems = [
        f"weights {state.pin.name}: {'; '.join(state.problems)}"
        for state in states
        if state.present and state.problems
    ]
    packages = {name: _version(name) for name in _PACKAGES}
    problems += [f"package {name} is not installed" for name, version in packages.items() if version is None]
    folder = _existing(root())
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        problems.append(f"{free / 1e9:.1f} GB free at {folder}")
    found: dict[str, Any] = {
        "ponder": ponder.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_bytes": _memory(),
        "disk": {"folder": str(folder), "free_bytes": free},
        "packages": packages,
        "weights": {
            state.pin.name: ("; ".join(state.problems) or "here") if state.present else "not pulled"
            for state in states
        },
    }
    if shelf is not None:
        found["shelf"] = _shelf(shelf, problems)
        if deep:
            found["deep"] = _deep(shelf, problems)
    found["problems"] = problems
    found["ok"] = not problems
    return found


def _shelf(path: Path, problems: list[str]) -> dict[str, Any]:
    from ponder.shelf.opening import open_shelf

    try:
        with open_shelf(path, create=False) as opened:
            return asdict(opened.info())
    except PonderError as error:
        problems.append(f"shelf: {error}")
        return {"error": str(error)}


def _deep(path: Path, problems: list[str]) -> dict[str, Any]:
    from ponder.shelf.checking import check_shelf

    with progress("checking") as advance:
        checked = check_shelf(path, advance)
    problems += [
        f"{each.what} ({each.where}): {each.repair}"
        for each in checked.damages
        if not any(each.what in told for told in problems)
    ]
    return {
        "rows": checked.rows,
        "rows_without_checksum": checked.unsummed,
        "files": checked.files,
        "files_without_checksum": checked.unknown,
        "damages": len(checked.damages),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path.cwd())


def _print(found: dict[str, Any]) -> None:
    rows = table("", "")
    for name, value in found.items():
        if isinstance(value, dict):
            text = "\n".join(f"{key}: {each}" for key, each in value.items())
        elif isinstance(value, list):
            text = "\n".join(map(str, value)) or "none"
        else:
            text = str(value)
        rows.add_row(name, text)
    show(rows)
