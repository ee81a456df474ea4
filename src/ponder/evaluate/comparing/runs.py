"""Runs to compare: folders of ``ponder evaluate --run-dir`` and of MMEB-V2 predictions, and TREC runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
from ponder.evaluate.run_scoring import score_run

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
        about: What the run's manifest says of models, settings, versions and files, by path, as in
            ``models.fingerprints.embedder``; empty where there is no manifest.
    """

    name: str
    parts: Mapping[str, Part]
    about: Mapping[str, str] = field(default_factory=dict)


def read_run(folder: Path, budget: int | None = None, *, data: Path | None = None, split: str = "dev") -> Run:
    """Read a run's figures by query.

    Args:
        folder: With ``queries-BUDGET.jsonl``, or with ``TASK_pred.jsonl`` anywhere below; or a TREC run's
            file, which is scored.
        budget: Which of a folder's budgets; the largest.
        data: The BEIR folder that a TREC run is scored against.
        split: Its split.

    Raises:
        InputNotFound: There is no such folder or file.
        InputInvalid: It is no run, or a file cannot be used.
        BadArguments: It has no such budget, or there is nothing to score a TREC run against.
    """
    if folder.is_file():
        return _scored(folder, budget, data, split)
    if not folder.is_dir():
        raise InputNotFound("no such run", str(folder), "give the folder of a run, or a TREC run")
    name = folder.resolve().name
    files = {_number(path): path for path in folder.glob("queries-*.jsonl")}
    if files:
        chosen = _chosen(list(files), budget, folder)
        part = _evaluated(folder, files[chosen], chosen)
        return Run(f"{name} @ {chosen:,}", {part.name: part}, _about(folder / "manifest.json"))
    below = budgets_of(folder)
    place = folder
    if below:
        chosen = _chosen(list(below), budget, folder)
        place, name = below[chosen], f"{name} @ {chosen:,}"
    parts = {part.name: part for part in _predicted(place)}
    if not parts:
        hint = "`ponder evaluate --run-dir` and `ponder mmeb run --out` write such folders"
        raise InputInvalid("no run", str(folder), f"no queries-BUDGET.jsonl and no TASK{_ENDING}: {hint}")
    return Run(name, parts, _about(folder / "manifest.json"))


def _scored(file: Path, budget: int | None, data: Path | None, split: str) -> Run:
    if budget is not None:
        raise BadArguments("a TREC run has no budgets", str(file), "leave the budget away")
    if data is None:
        raise BadArguments("nothing to score it against", str(file), "give the BEIR folder with --data")
    found = score_run(data, file, split=split)
    results = {name: Result(each.metrics, each.ranking[:DEPTH]) for name, each in found.queries.items()}
    part = Part(found.dataset.name, split, METRIC, results, {})
    return Run(file.name, {part.name: part})


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


def _about(manifest: Path) -> dict[str, str]:
    told = read_json(manifest) if manifest.is_file() else {}
    return dict(_flat("", told)) if isinstance(told, dict) else {}


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Leaves with their paths; the command that was typed says where things lay, not what they are."""
    if isinstance(value, dict):
        for key, each in value.items():
            if (path, key) != ("", "command"):
                yield from _flat(f"{path}.{key}" if path else str(key), each)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _predicted(folder: Path) -> Iterator[Part]:
    metrics = {task.name: task.metric for task in tasks(everything=True)}
    for path in sorted(folder.rglob(f"*{_ENDING}")):
        name = path.name.removesuffix(_ENDING)
        told = read_predictions(path)
        judged = [judge(each.info, each.where) for each in told]
        ranked = [each.prediction or () for each in told]
        standings = [standing_of_names(n, j) for n, j in zip(ranked, judged, strict=True)]
        found = metrics_by_query(slots_of(standings, judged))
        numbers = _numbers(path.parent, name, len(told))
        results = {
            numbers[row]: Result(
                {metric: float(values[row]) for metric, values in found.items()},
                tuple(map(str, names[:DEPTH])),
            )
            for row, names in enumerate(ranked)
        }
        labels = {numbers[row]: each.info.label_names for row, each in enumerate(told)}
        yield Part(name, "", metrics.get(name, METRIC), results, labels)


def _numbers(folder: Path, task: str, count: int) -> list[str]:
    """The queries' places in the task: a run leaves out those that it could not ask, and keeps the others'.

    Without a run's answers beside them the predictions are taken for those of the whole task.
    """
    asked = [
        line.integer("query", low=0)
        for file in sorted(folder.glob(f"{task}_answers*.jsonl"))
        for line in read_lines(file)
        if "query" in line.values and not line.values.get("lost")
    ]
    numbers = sorted(set(asked)) if len(set(asked)) == count else list(range(count))
    return list(map(str, numbers))
