"""Where candidates and gold come from when a task is scored with ``--data``."""

from __future__ import annotations

from pathlib import Path

from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.parsed import Parsed
from ponder.evaluate.mmeb.tasks import task_named


def parsed_task(data: Path, task: str) -> Parsed:
    """A task as the official loaders form it, read from a data directory; nothing is written.

    Args:
        data: The data directory.
        task: The task's name.

    Raises:
        BadArguments: There is no such task.
        PonderError: It cannot be read, as for `load`.
    """
    return load(data, task_named(task), write=False).parsed
