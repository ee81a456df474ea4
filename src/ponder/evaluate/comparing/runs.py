"""Runs to compare: folders of ``ponder evaluate --run-dir``, and folders of MMEB-V2 predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.evaluate.mmeb.files import read_json, read_predictions
from ponder.evaluate.mmeb.judged import judge
from ponder.evaluate.mmeb.official import metrics_by_query
from ponder.evaluate.mmeb.scores import budgets_of
from ponder.evaluate.mmeb.standing import slots_of, standing_of_names
from ponder.evaluate.mmeb.tasks import tasks
from ponder.evaluate.rows import read_lines

DEPTH = 10
"""Places of a ranking that are kept to show."""

METRIC = "hit@1"
"""What wins and losses are counted by where nothing else is said."""

_ENDING = "_pred.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """What one query gave.

    Attributes:
        metrics: By name.
        ranking: The first documents, by id or name, as text.
    """

    metrics: Mapping[str, float]
    ranking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A run's queries on one data set or task.

    Attributes:
        name: Of the data set or task.
        split: Of the data set; "" for a task of MMEB-V2.
        metric: The one that counts.
        results: By the query's id, or its place in the task.
        labels: What the queries are held against, where the files say so: of two runs it must be the same.
    """

    name: str
    split: str
    metric: str
    results: Mapping[str, Result]
    labels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A run.

    Attributes:
        name: For headings: the folder's name, and the budget where the folder has several.
        parts: By data set or task.
    """

    name: str
    parts: Mapping[str, Part]


def read_run(folder: Path, budget: int | None = None) -> Run:
    """Read a run's figures by query.

    Args:
        folder: With ``queries-BUDGET.jsonl``, or with ``TASK_pred.jsonl`` anywhere below.
        budget: Which of its budgets; the largest.

    Raises:
        InputNotFound: There is no such folder.
        InputInvalid: It is no run, or a file cannot be used.
        BadArguments: It has no such budget.
    """
    if not folder.is_dir():
        raise InputNotFound("no such folder", str(folder), "give the folder of a run")
    name = folder.resolve().name
    files = {_number(path): path for path in folder.glob("queries-*.jsonl")}
    if files:
        chosen = _chosen(list(files), budget, folder)
        part = _evaluated(folder, files[chosen], chosen)
        return Run(f"{name} @ {chosen:,}", {part.name: part})
    below = budgets_of(folder)
    place = folder
    if below:
        chosen = _chosen(list(below), budget, folder)
        place, name = below[chosen], f"{name} @ {chosen:,}"
    parts = {part.name: part for part in _predicted(place)}
    if not parts:
        hint = "`ponder evaluate --run-dir` and `ponder mmeb run --out` write such folders"
        raise InputInvalid("no run", str(folder), f"no queries-BUDGET.jsonl and no TASK{_ENDING}: {hint}")
    return Run(name, parts)


def _number(path: Path) -> int:
    text = path.stem.removeprefix("queries-")
    if not text.isdecimal():
        raise InputInvalid("a name without a budget", str(path), "queries-BUDGET.jsonl is looked for")
    return int(text)


def _chosen(there: list[int], budget: int | None, folder: Path) -> int:
    if budget is None:
        return max(there)
    if budget not in there:
        told = ", ".join(map(str, sorted(there)))
        raise BadArguments(f"no budget {budget}", str(folder), f"there are {told}")
    return budget


def _evaluated(folder: Path, queries: Path, budget: int) -> Part:
    rankings: dict[str, list[str]] = {}
    trec = folder / f"run-{budget}.trec"
    if trec.is_file():
        with trec.open(encoding="utf-8") as lines:
            for number, row in enumerate(lines, 1):
                cells = row.split()
                if len(cells) != 6 or not cells[3].isdecimal():
                    raise InputInvalid("not a TREC run", f"{trec}:{number}", "six columns are wanted")
                if int(cells[3]) <= DEPTH:
                    rankings.setdefault(cells[0], []).append(cells[2])
    results = {}
    for line in read_lines(queries):
        metrics = line.values.get("metrics")
        if not isinstance(metrics, dict):
            raise InputInvalid('"metrics" is not an object', line.where, "run the evaluation again")
        name = line.text("_id", required=True)
        results[name] = Result(metrics, tuple(rankings.get(name, ())))
    manifest = folder / "manifest.json"
    told = read_json(manifest).get("dataset", {}) if manifest.is_file() else {}
    return Part(str(told.get("name", "")), str(told.get("split", "")), METRIC, results, {})


def _predicted(folder: Path) -> Iterator[Part]:
    metrics = {task.name: task.metric for task in tasks(everything=True)}
    for path in sorted(folder.rglob(f"*{_ENDING}")):
        name = path.name.removesuffix(_ENDING)
        told = read_predictions(path)
        judged = [judge(each.info, each.where) for each in told]
        ranked = [each.prediction or () for each in told]
        standings = [standing_of_names(n, j) for n, j in zip(ranked, judged, strict=True)]
        found = metrics_by_query(slots_of(standings, judged))
        results = {
            str(row): Result(
                {metric: float(values[row]) for metric, values in found.items()},
                tuple(map(str, names[:DEPTH])),
            )
            for row, names in enumerate(ranked)
        }
        labels = {str(row): each.info.label_names for row, each in enumerate(told)}
        yield Part(name, "", metrics.get(name, METRIC), results, labels)
