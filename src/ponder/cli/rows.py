"""Rows of a BEIR folder, or the same rows on stdin."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def rows_of(folder: Path | None, name: str) -> Iterator[tuple[Path, Path]]:
    """What media paths are relative to, and the file of rows.

    Args:
        folder: A BEIR folder; None takes stdin, whose media paths are relative to where the command runs.
        name: Of the file in the folder.
    """
    if folder is not None:
        yield folder, folder / name
        return
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "stdin.jsonl"
        file.write_bytes(sys.stdin.buffer.read())
        yield Path.cwd(), file
