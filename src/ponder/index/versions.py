"""What the files of a Lance table tell of its versions, without opening it."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

TABLE = "rows"
"""Name of the table in a shelf's database."""


def version_stamp(path: str | Path) -> str:
    """A text that changes with every version of the table in the database at `path`; "" without one.

    Opening a table takes a second, most of it for importing lancedb; this takes a millisecond.
    """
    files = sorted(
        f"{name}:{status.st_size}:{status.st_mtime_ns}" for name, status in _manifests(Path(path)).items()
    )
    return hashlib.sha256("\n".join(files).encode()).hexdigest() if files else ""


def old_versions(path: str | Path, age: timedelta) -> int:
    """How many versions of the table are older than `age`."""
    before = time.time() - age.total_seconds()
    return sum(status.st_mtime < before for status in _manifests(Path(path)).values())


def _manifests(path: Path) -> dict[str, os.stat_result]:
    found: dict[str, os.stat_result] = {}
    # The writer may delete a version while we look, and there may be no table yet.
    with suppress(FileNotFoundError), os.scandir(path / f"{TABLE}.lance" / "_versions") as entries:
        for entry in entries:
            if entry.name.endswith(".manifest"):
                with suppress(FileNotFoundError):
                    found[entry.name] = entry.stat()
    return found
