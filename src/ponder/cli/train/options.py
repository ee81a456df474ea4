"""Options that the training commands share, so that they are spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folders = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="BEIR folders with media.", show_default=False)
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="OUT", help="Folder for the result; the same command again resumes.", show_default=False
    ),
]
Split = Annotated[str, typer.Option("--split", help="Train on qrels/SPLIT.tsv.")]
Pairs = Annotated[
    list[Path] | None,
    typer.Option("--pairs", metavar="FILE", help="Pairs of ponder mine: a file or folder; once a DIR, in order."),
]
Base = Annotated[
    str | None,
    typer.Option("--base", metavar="MODEL", help="Folder, hub name or weights' name, in place of the preset's."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the order, of adapters and of dropout.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew where OUT holds a training already.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and stop.")]
