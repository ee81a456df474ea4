"""The official evaluator's files of a task: ``_info.jsonl``, ``_pred.jsonl`` and ``_score.json``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.mmeb.parsed import Info, Name
from ponder.evaluate.mmeb.score import Scored
from ponder.evaluate.mmeb.vectors import write_whole
from ponder.evaluate.rows import read_lines

OURS = ("ponder", "incomplete")
"""Fields of a score file that the official evaluator does not know; they are in no submission."""


@dataclass(frozen=True, slots=True)
class Told:
    """A query's labels, and where it says so.

    Attributes:
        info: The labels, grades and candidates.
        where: ``file:line``.
        prediction: Names, best first; None where there is no ranking.
    """

    info: Info
    where: str
    prediction: tuple[Name, ...] | None = None


def read_info(path: Path) -> list[Told]:
    """A task's ``_info.jsonl``.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A line cannot be used; the message names it.
    """
    found = []
    for line in read_lines(path):
        _check(line.values, "label_name", line.where)
        names_of(line.values.get("cand_names") or [], "cand_names", line.where)
        found.append(Told(Info.of(dict(line.values)), line.where))
    return _some(found, path)


def read_predictions(path: Path) -> list[Told]:
    """A task's ``_pred.jsonl``: rankings with the labels that they are held against.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A line cannot be used; the message names it.
    """
    found = []
    for line in read_lines(path):
        _check(line.values, "label", line.where)
        ranked = names_of(line.values.get("prediction"), "prediction", line.where)
        fields = {"label_name": line.values["label"], "rel_scores": line.values.get("rel_scores")}
        found.append(Told(Info.of(fields), line.where, tuple(ranked)))
    return _some(found, path)


def _some(found: list[Told], path: Path) -> list[Told]:
    if not found:
        raise InputInvalid("no queries", str(path), "the file is empty")
    return found


def names_of(value: object, field: str, where: str) -> list[Name]:
    """A list of candidates' names.

    Raises:
        InputInvalid: It is none.
    """
    if not isinstance(value, list) or not all(_is_name(each) for each in value):
        raise InputInvalid(f'"{field}" is not a list of names', where, "names are strings or whole numbers")
    return value


def read_names(path: Path) -> list[Name]:
    """The pool's names in their order, ``cand_ids.json``.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: It is no list of names, or one is there twice.
    """
    names = names_of(read_json(path), "the file", str(path))
    if len(set(names)) < len(names):
        twice, count = Counter(names).most_common(1)[0]
        what = f"the candidate {twice!r} is there {count} times"
        raise InputInvalid(what, str(path), "the official pool has one embedding a name: keep the first")
    return names


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: It is no JSON.
    """
    if not path.is_file():
        raise InputNotFound("no such file", str(path), "check the path")
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputInvalid(f"not JSON: {error}", str(path), "write it again") from error


def _check(values: Mapping[str, Any], field: str, where: str) -> None:
    label = values.get(field)
    if not (_is_name(label) or isinstance(label, list)):
        raise InputInvalid(f'"{field}" is missing', where, "give a name or a list of names")
    if isinstance(label, list):
        names_of(label, field, where)
    grades = values.get("rel_scores")
    if grades is not None and not (isinstance(grades, list) and all(map(_is_number, grades))):
        raise InputInvalid('"rel_scores" is not a list of numbers', where, "give each label one")


def _is_name(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write_info(path: Path, infos: Iterable[Info]) -> None:
    """Write a task's ``_info.jsonl``."""
    _write_lines(path, (info.fields for info in infos))


def write_predictions(path: Path, predictions: Iterable[Sequence[Name]], infos: Iterable[Info]) -> None:
    """Write a task's ``_pred.jsonl``.

    Args:
        path: Where to.
        predictions: Names, best first, of each query.
        infos: The same queries' labels.
    """
    rows = []
    for ranked, info in zip(predictions, infos, strict=True):
        label = info.fields["label_name"]
        grades = None if info.rel_scores is None else list(info.rel_scores)
        rows.append({"prediction": list(ranked), "label": label, "rel_scores": grades})
    _write_lines(path, rows)


def write_score(
    path: Path, scored: Scored, *, missing: int = 0, more: Mapping[str, Any] | None = None
) -> None:
    """Write a task's ``_score.json``: the official fields first, ours in fields of their own.

    Args:
        path: Where to, ``MODALITY/TASK_score.json``.
        scored: The figures.
        missing: Queries that could not be asked, or not over their whole pool: the task is incomplete.
        more: What else there is to say about how it came about.
    """
    fields = scored.fields
    ours = {name: fields[name] for name in ("ties_against", "ambiguous", "textbook") if name in fields}
    found: dict[str, Any] = {**scored.official, "ponder": {**ours, **(more or {})}}
    if missing:
        found["incomplete"] = {"missing": missing}
    write_whole(path, (json.dumps(found, indent=4) + "\n").encode())


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows).encode())
