"""The ``ponder`` command: verbs, errors and exit codes.

Exit codes: 0 done, 2 bad arguments, 3 something missing that can be installed or fetched, 4 input not
found, 5 input invalid, 6 a back end failed, 7 done in part (the skipped are listed), 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import typer

from ponder.cli import (
    calibrate,
    compare,
    demo,
    doctor,
    embed,
    evaluate,
    improve,
    index,
    info,
    marks,
    mcp,
    merge,
    mine,
    mmeb,
    models,
    moments,
    mteb,
    parity,
    qa,
    reason,
    recommend,
    remove,
    rerank,
    scale,
    search,
    serve,
    train,
)
from ponder.errors import BackendFailed, InputNotFound, PonderError

INTERRUPTED = 130

app = typer.Typer(
    help="Search text, pictures, pages and clips by reasoning within a token budget.",
    add_completion=False,
    pretty_exceptions_enable=False,
    # Rich help would import rich's markup parser: a third of the time that --help may take.
    rich_markup_mode=None,
)
app.command("index")(index.index)
app.command("search")(search.search)
app.command("reason")(reason.reason)
app.command("rerank")(rerank.rerank)
app.command("embed")(embed.embed)
app.command("recommend")(recommend.recommend)
app.command("merge")(merge.merge)
app.command("remove")(remove.remove)
app.command("info")(info.info)
app.command("mcp")(mcp.mcp)
app.add_typer(models.app, name="models")
app.add_typer(doctor.app, name="doctor")
app.command("evaluate")(evaluate.evaluate)
app.command("evaluate-moments")(moments.evaluate_moments)
app.command("evaluate-qa")(qa.evaluate_qa)
app.command("compare")(compare.compare)
app.command("scale")(scale.scale)
app.command("calibrate")(calibrate.calibrate)
app.command("marks")(marks.marks)
app.command("mine")(mine.mine)
app.command("improve")(improve.improve)
app.command("mteb")(mteb.mteb)
app.command("serve")(serve.serve)
app.command("parity")(parity.parity)
app.command("demo")(demo.demo)
app.add_typer(train.app, name="train")
app.add_typer(mmeb.app, name="mmeb")


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        import ponder

        typer.echo(f"ponder {ponder.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; ends the process with the exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: As on the command line, without the program's name.

    Returns:
        The exit code. Errors are on stderr as ``error: WHAT (WHERE): WHAT TO DO``; ``PONDER_DEBUG=1``
        lets them through with their traceback.
    """
    debug = bool(os.environ.get("PONDER_DEBUG"))
    try:
        code = app(list(arguments), prog_name="ponder", standalone_mode=False)
    except typer.Abort:
        code = INTERRUPTED
    except PonderError as error:
        if debug:
            raise
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(_usage(error), 2)
    except Exception as error:
        if debug:
            raise
        told = _unexpected(error)
        return _fail(str(told), told.exit_code)
    if code == INTERRUPTED:
        # Typer turns Ctrl-C into this code, and says nothing.
        return _fail("interrupted: resume by running the same command again", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> PonderError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BackendFailed("the disk is full", error.filename or "", "free some space and run this again")
    if isinstance(error, FileNotFoundError):
        return InputNotFound("no such file or folder", str(error.filename or ""), "check the path")
    if isinstance(error, OSError):
        return BackendFailed(error.strerror or str(error), str(error.filename or ""), "check the path")
    if isinstance(error, MemoryError):
        return BackendFailed("out of memory", "", "use fewer --workers, or close other programs")
    what = f"{type(error).__name__}: {_first_line(error)}"
    return BackendFailed(what, "", "run with PONDER_DEBUG=1 for the traceback and report it")


def _usage(error: typer.TyperException) -> str:
    """Typer's complaint about the command line, in our form."""
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "ponder"
    return f"{_first_line(error).rstrip('.')} ({command}): see `{command} --help`"


def _first_line(error: Exception) -> str:
    text = error.format_message() if isinstance(error, typer.TyperException) else str(error)
    return (text.strip().splitlines() or ["no message"])[0]


def _fail(message: str, code: int) -> int:
    typer.echo(f"error: {message}", err=True)
    return code
