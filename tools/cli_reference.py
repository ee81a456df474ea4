"""Writes docs/cli.md from what each command's --help says; tests/docs holds the page against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
HEAD = """# Commands

What `ponder VERB --help` says (`tools/cli_reference.py`). Exit codes are in the [guide](guide.md).
"""


def commands(group, path: tuple[str, ...] = ("ponder",)) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each command with the words that call it, groups before what is in them."""
    yield path, group
    for name, command in sorted(getattr(group, "commands", {}).items()):
        yield from commands(command, (*path, name))


def page() -> str:
    """The whole page."""
    # Help is as wide as the terminal unless told.
    os.environ["COLUMNS"] = "100"
    os.environ["TERMINAL_WIDTH"] = "100"
    import typer.main

    from ponder.cli.main import app

    parts = [HEAD]
    for path, command in commands(typer.main.get_command(app)):
        context = command.make_context(path[-1], [], resilient_parsing=True)  # type: ignore[attr-defined]
        text = command.get_help(context)  # type: ignore[attr-defined]
        usage = text.replace(f"Usage: {path[-1]}", f"Usage: {' '.join(path)}", 1)
        parts.append(f"## {' '.join(path)}\n\n```text\n{usage.rstrip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
