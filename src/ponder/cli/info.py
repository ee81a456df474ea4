"""``ponder info``."""

from __future__ import annotations

from ponder.cli import options
from ponder.cli.console import print_json, show, table


def info(shelf: options.Shelf, as_json: options.Json = False) -> None:
    """Say what a shelf holds, and its models."""
    from dataclasses import asdict

    from ponder.shelf.opening import open_shelf

    with open_shelf(shelf, create=False) as opened:
        found = asdict(opened.info())
    if as_json:
        print_json(found)
        return
    rows = table("", "")
    for name, value in found.items():
        text = (
            ", ".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, dict) else value
        )
        rows.add_row(name, str(text))
    show(rows)
