"""Which files of a folder are a case: embeddings or predictions, labels, and whose the candidates are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.mmeb.files import Told, read_info, read_json
from ponder.evaluate.mmeb.parsed import Parsed
from ponder.evaluate.mmeb.ranking import Scope
from ponder.evaluate.mmeb.vectors import find_vectors

SHOWN = 3
"""Names that a message gives."""


def task_of(predictions: Path) -> str:
    """The task that a file of predictions is named after; "" for one that is named after none.

    Raises:
        InputInvalid: It is not named like one.

    Example:
        >>> task_of(Path("video/MSVD_pred.jsonl"))
        'MSVD'
    """
    if not predictions.name.endswith("pred.jsonl"):
        raise InputInvalid("neither a folder nor predictions", str(predictions), "name it TASK_pred.jsonl")
    return predictions.name.removesuffix("pred.jsonl").removesuffix("_")


def one(folder: Path, ending: str, task: str) -> Path | None:
    """``ENDING``, ``TASK_ENDING``, or the only file that ends so."""
    for name in (f"{task}_{ending}" if task else ending, ending):
        if (folder / name).is_file():
            return folder / name
    found = [] if task else sorted(folder.glob(f"*_{ending}"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:SHOWN])
        raise InputInvalid(f"{len(found)} tasks", str(folder), f"name the --task: {names}")
    return found[0] if found else None


def has_vectors(folder: Path, task: str) -> bool:
    """Whether a folder has embeddings of a task; pickles do not count."""
    try:
        find_vectors(folder, "qry", task)
    except InputNotFound:
        return False
    except InputInvalid as error:
        # Beside predictions an official pickle is not needed.
        if error.what == "a pickle":
            return False
        raise
    return True


def gold_of(folder: Path, task: str, parsed: Parsed | None) -> list[Told] | None:
    """The queries' labels: the parsed task's, or those of ``info.jsonl``; None where there is neither."""
    if parsed is not None:
        return [Told(each.info, f"query {row}") for row, each in enumerate(parsed.queries)]
    path = one(folder, "info.jsonl", task)
    return None if path is None else read_info(path)


def scope_of(folder: Path, given: Scope | None) -> Scope | None:
    """Whose the candidates are: as told, or as ``meta.json`` says; None where neither does."""
    path = folder / "meta.json"
    if given is not None or not path.is_file():
        return given
    meta = read_json(path)
    said: Any = meta.get("candidate_scope") if isinstance(meta, dict) else None
    if said not in ("global", "local"):
        raise InputInvalid(f'"candidate_scope" is {said!r}', str(path), 'write "global" or "local"')
    return "local" if said == "local" else "global"
