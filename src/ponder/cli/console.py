"""What goes to stdout and what to stderr: JSON alone, tables for people, progress aside."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import typer

_FILE_WIDTH = 120
"""Columns of output that goes to a file or a pipe."""

Advance = Callable[[int, int], None]
"""Called with (done, total) as work goes on; total 0 while it is not known."""

_QUIET_SECONDS = 10.0
"""Between two lines of progress where stderr is no terminal: a log wants few."""


_results: TextIO | None = None
"""Where JSON goes while `quiet_stdout` has turned stdout away."""


def print_json(value: object) -> None:
    """One JSON document on one line of stdout; ASCII, so that any locale and any file name can be printed."""
    stream = _results or sys.stdout
    stream.write(json.dumps(value, allow_nan=False) + "\n")
    stream.flush()


@contextlib.contextmanager
def quiet_stdout(active: bool) -> Iterator[None]:
    """Send what libraries print to stderr, so that stdout holds what `print_json` writes and nothing else."""
    global _results  # noqa: PLW0603 - stdout is one for the whole process too
    if not active:
        yield
        return
    before, _results = _results, sys.stdout
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _results = before


@contextlib.contextmanager
def progress(what: str) -> Iterator[Advance]:
    """Show progress on stderr with rate and time left: a bar in a terminal, else a line now and then.

    Args:
        what: What is being done, as in "indexing".

    Yields:
        A function to call with (done, total).
    """
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def advance(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:.1f}/s" if speed else ""
            bar.update(task, completed=done, total=total or None, rate=rate)

        yield advance


def _lines(what: str) -> Advance:
    began = last = time.monotonic()

    def advance(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _QUIET_SECONDS or not done:
            return
        last = now
        rate = done / (now - began)
        left = f", {(total - done) / rate:.0f} s left" if total else ""
        typer.echo(f"{what}: {done}/{total or '?'}, {rate:.1f}/s{left}", err=True)

    return advance


def table(*headings: str) -> Any:
    """A rich table without lines, as narrow as its cells; no first line where no heading says anything."""
    from rich.table import Table

    return Table(
        *headings, box=None, pad_edge=False, padding=(0, 1), header_style="bold", show_header=any(headings)
    )


def show(renderable: object) -> None:
    """Print something of rich's to stdout; without colours or the terminal's width where it is none.

    Text is printed as it is: paths and reports have square brackets of their own.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else _FILE_WIDTH
    Console(soft_wrap=False, highlight=False, markup=False, emoji=False, width=width).print(renderable)
