"""What a run of tasks was made of, so that it can be repeated."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from ponder.evaluate.mmeb.running import TaskRun
from ponder.evaluate.mmeb.vectors import write_whole
from ponder.evaluate.run_folder import made, package_versions
from ponder.protocols import Models

NAME = "manifest.json"


def note(out: Path, run: TaskRun, models: Models, command: Sequence[str]) -> None:
    """Put a task into the run's ``manifest.json``: what decides its answers, and who runs it on what.

    Args:
        out: Folder of the run.
        run: The task.
        models: The set.
        command: The command line that repeats the run.

    Raises:
        InputInvalid: Another run's answers are here; its manifest stays what it is.
    """
    from filelock import FileLock

    for budget in run.settings.budgets:
        run.file(budget, models)
    made(out, "--out")
    # Processes on other GPUs note their tasks in the same file.
    with FileLock(out / f".{NAME}.lock"):
        _note(out / NAME, run, models, command)


def _note(path: Path, run: TaskRun, models: Models, command: Sequence[str]) -> None:
    known: dict[str, Any] = {}
    if path.is_file():
        known = json.loads(path.read_text("utf-8"))
    told = run.told(models)
    tasks = known.get("tasks", {})
    tasks[run.name] = {
        **told,
        "local": run.local,
        "queries": len(run.parsed.queries),
        "candidates": len(run.parsed.candidates),
    }
    found = {
        "command": list(command),
        "ponder": metadata.version("ponder"),
        "python": platform.python_version(),
        "packages": package_versions(),
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "models": models.name,
        "tasks": tasks,
    }
    write_whole(path, (json.dumps(found, indent=1) + "\n").encode())
