"""The scores of a run or of a published report, task by task."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.mmeb.files import OURS, read_json
from ponder.evaluate.mmeb.tasks import Task, tasks

MODALITIES = ("image", "video", "visdoc")
"""In the order of a report."""

NO_FILE, NO_FOLDER, NOT_JSON, NOT_READ = "FILE_N/A", "DIR_N/A", "JSON_ERROR", "READ_ERROR"
"""What the official report says in place of a score."""

ENDING = "_score.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One of the 78 tasks in a run.

    Attributes:
        task: Which.
        score: The official fields; None where there are none.
        status: What the official report says then; "" where there is a score.
        missing: Queries that the run could not ask: the figures are of a part of the task.
        ours: What else the score file says.
    """

    task: Task
    score: Mapping[str, Any] | None
    status: str = ""
    missing: int = 0
    ours: Mapping[str, Any] | None = None

    @property
    def value(self) -> float | None:
        """The figure that counts; None where there is none."""
        found = None if self.score is None else self.score.get(self.task.metric)
        number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
        return float(found) if number and found is not None else None

    @property
    def against(self) -> float | None:
        """The same with ties against it; None where the score file does not say."""
        found = ((self.ours or {}).get("ties_against") or {}).get(self.task.metric)
        return float(found) if isinstance(found, int | float) else None


@dataclass(frozen=True, slots=True)
class Scores:
    """All tasks of a run.

    Attributes:
        name: Of the model, or of the folder.
        entries: The 78 tasks in their order.
        extra: What is there besides, by modality: it counts nowhere.
        published: Whether it is a report's JSON rather than a folder of score files.
        metadata: Of a published report.
    """

    name: str
    entries: Sequence[Entry]
    extra: Mapping[str, Sequence[str]]
    published: bool
    metadata: Mapping[str, Any]

    @property
    def partial(self) -> dict[str, int]:
        """Tasks of which some queries could not be asked → how many."""
        return {entry.task.name: entry.missing for entry in self.entries if entry.missing}

    @property
    def whole(self) -> Scores:
        """The same without these tasks' scores: figures of a part are not the task's."""
        entries = [Entry(e.task, None, NO_FILE, e.missing) if e.missing else e for e in self.entries]
        return replace(self, entries=entries)

    def of(self, modality: str) -> list[Entry]:
        """The tasks of a modality."""
        return [entry for entry in self.entries if entry.task.modality == modality]


def budgets_of(path: Path) -> dict[int, Path]:
    """The folders of a run's budgets, ``budget-N``, the smallest first; empty where there are none."""
    found = {}
    for folder in path.glob("budget-*") if path.is_dir() else ():
        number = folder.name.removeprefix("budget-")
        if folder.is_dir() and number.isdecimal():
            found[int(number)] = folder
    return dict(sorted(found.items()))


def read_scores(path: Path) -> Scores:
    """A folder of ``MODALITY/TASK_score.json``, or a report's JSON.

    Raises:
        InputNotFound: Neither is there.
        InputInvalid: The file is no report, or the folder holds no score.
    """
    if path.is_file():
        return _of_report(path)
    if not path.is_dir():
        raise InputNotFound("no such file or folder", str(path), "give a folder of score files, or a report")
    entries = [_of_file(path, task) for task in tasks()]
    if all(entry.score is None for entry in entries):
        raise InputInvalid(
            "no scores", str(path), f"MODALITY/TASK{ENDING} is looked for, as `mmeb run` writes"
        )
    known = {(entry.task.modality, entry.task.name) for entry in entries}
    extra = {
        modality: [name for name in _names(path / modality) if (modality, name) not in known]
        for modality in MODALITIES
    }
    return Scores(path.resolve().name, entries, extra, published=False, metadata={})


def _names(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob(f"*{ENDING}")):
        yield file.name.removesuffix(ENDING)


def _of_file(folder: Path, task: Task) -> Entry:
    place = folder / task.modality
    if not place.is_dir():
        return Entry(task, None, NO_FOLDER)
    file = place / f"{task.name}{ENDING}"
    if not file.is_file():
        return Entry(task, None, NO_FILE)
    try:
        found = json.loads(file.read_bytes())
    except ValueError:
        return Entry(task, None, NOT_JSON)
    except OSError:
        return Entry(task, None, NOT_READ)
    if not isinstance(found, dict):
        return Entry(task, None, NOT_JSON)
    score = {name: value for name, value in found.items() if name not in OURS}
    told = found.get("incomplete")
    missing = told.get("missing") if isinstance(told, dict) else None
    count = missing if isinstance(missing, int) else 1 if told else 0
    ours = found.get("ponder")
    return Entry(task, score, missing=count, ours=ours if isinstance(ours, dict) else None)


def _of_report(path: Path) -> Scores:
    found = read_json(path)
    metrics = found.get("metrics") if isinstance(found, dict) else None
    if not isinstance(metrics, dict) or not all(isinstance(metrics.get(m, {}), dict) for m in MODALITIES):
        raise InputInvalid(
            "no report of MMEB-V2", str(path), 'it has {"metadata": …, "metrics": {"image": …}}'
        )
    entries, used = [], set()
    for task in tasks():
        there = metrics.get(task.modality, {})
        # Older reports have the names without the leaderboard's suffix.
        key = task.leaderboard_key if task.leaderboard_key in there else task.name
        used.add((task.modality, key))
        score = there.get(key, NO_FILE)
        if isinstance(score, dict):
            entries.append(Entry(task, score))
        else:
            entries.append(Entry(task, None, str(score)))
    extra = {m: [key for key in metrics.get(m, {}) if (m, key) not in used] for m in MODALITIES}
    metadata = found.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    return Scores(str(told.get("model_name") or path.stem), entries, extra, published=True, metadata=told)
