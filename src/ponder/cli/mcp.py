"""``ponder mcp``."""

from __future__ import annotations

from typing import Annotated

import typer

from ponder.adapters.searching import BUDGET
from ponder.cli import options


def mcp(
    shelf: options.Shelf,
    budget: Annotated[
        int, typer.Option("--budget", min=0, help="Tokens of a search for which the client names no budget.")
    ] = BUDGET,
    most_budget: Annotated[
        int, typer.Option("--most-budget", min=0, help="The most that a client may have a search spend.")
    ] = 4096,
) -> None:
    """Serve a shelf to a language model: the Model Context Protocol on stdin and stdout.

    Its tools are search and read. Only what is on the shelf is served.
    """
    import signal

    from ponder.adapters.mcp import make_server

    server = make_server(shelf, budget=budget, most_budget=most_budget)
    # A thread that waits for stdin would hold the process up after Ctrl-C. It only reads: it may end at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server.run("stdio")
