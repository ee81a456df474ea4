"""Where candidates and gold come from when a task is scored with ``--data``."""

from __future__ import annotations

from pathlib import Path

from ponder.errors import MissingDependency
from ponder.evaluate.mmeb.parsed import Parsed


def parsed_task(data: Path, task: str) -> Parsed:
    """A task as the official loaders form it, read from a data directory.

    Args:
        data: The data directory.
        task: The task's name.
    """
    raise MissingDependency("reading the official layout", f"{data}, {task}", "leave --data away")
