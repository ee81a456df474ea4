"""``ponder marks``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, show


def marks(
    shelf: options.Shelf,
    out: Annotated[Path, typer.Option("--out", help="The folder to make: corpus, queries, qrels/train.tsv.")],
    as_json: options.Json = False,
) -> None:
    """Make a data set of what people marked right and wrong on the page: for mine, train and evaluate."""
    from ponder.serve.page.marks import write_dataset
    from ponder.shelf.opening import open_shelf

    with open_shelf(shelf, create=False) as opened:
        made = write_dataset(opened, out)
    if as_json:
        fields = {
            "queries": made.queries,
            "documents": made.documents,
            "right": made.right,
            "wrong": made.wrong,
        }
        print_json({"out": str(out), **fields})
        return
    show(f"{made.queries} queries, {made.right} right, {made.wrong} wrong, {made.documents} documents: {out}")
    show(f"next: ponder mine {out} --split train --out PAIRS")
