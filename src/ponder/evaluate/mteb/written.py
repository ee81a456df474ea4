"""A retrieval task of mteb's as a BEIR folder with its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ponder.errors import BadArguments
from ponder.evaluate.beir_writing import Written, write_beir
from ponder.evaluate.mteb.rows import Rows, instruction_of


def write_task(task: Any, out: Path, *, split: str) -> Written:
    """Write a task's documents, queries and judgements; its data are fetched if they are not here.

    Args:
        task: Of mteb's, for retrieval.
        out: As for `write_beir`.
        split: One of the task's.

    Raises:
        BadArguments: It has no such split, several subsets, or is no retrieval task.
        InputInvalid: A row is a sound or a clip, which mteb holds in a form of its own.
    """
    task.load_data()
    name, subsets = task.metadata.name, getattr(task, "dataset", None) or {}
    if len(subsets) != 1:
        raise BadArguments(f"{len(subsets)} subsets", name, "only tasks with one can be written")
    [splits] = subsets.values()
    found = splits.get(split)
    if found is None or "relevant_docs" not in found:
        told = ", ".join(each for each in splits if isinstance(each, str))
        raise BadArguments(f"no judgements of the split {split!r}", name, f"there are {told}")
    rows, instruction = Rows(), instruction_of(task.metadata)
    items = [rows.item(row) for row in found["corpus"]]
    queries = [rows.query(row, instruction) for row in found["queries"]]
    return write_beir(out, items, queries, found["relevant_docs"], split=split)
