"""Right and wrong, as people mark hits: kept beside the shelf, and made a data set of."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid

if TYPE_CHECKING:
    from ponder.shelf.shelf import Shelf

NAME = "marks.jsonl"


@dataclass(frozen=True, slots=True)
class Marked:
    """What a data set of marks holds.

    Attributes:
        queries: Marked queries.
        documents: All items of the shelf whose files could be taken over.
        right: Pairs that were marked right.
        wrong: Pairs that were marked wrong.
    """

    queries: int
    documents: int
    right: int
    wrong: int


def add_mark(shelf: Path, text: str, id_: str, mark: str) -> None:
    """Keep one mark; "" takes back what was said before."""
    line = {"text": text, "id": id_, "mark": mark, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    with (shelf / NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_marks(shelf: Path) -> dict[str, dict[str, int]]:
    """By a query's words, each item's mark: 1 is right, 0 wrong. What was said last counts."""
    found: dict[str, dict[str, int]] = {}
    with suppress(FileNotFoundError):
        for line in (shelf / NAME).read_text("utf-8").splitlines():
            try:
                told = json.loads(line)
                marks = found.setdefault(str(told["text"]), {})
                marks.pop(told["id"], None)
                if told["mark"]:
                    marks[str(told["id"])] = int(told["mark"] == "right")
            except (ValueError, KeyError, TypeError):
                continue  # a line that a kill cut off
    return {text: marks for text, marks in found.items() if marks}


def write_dataset(shelf: Shelf, out: Path) -> Marked:
    """A BEIR folder of the marks and the shelf's items, for `ponder mine`, `train` and `evaluate`.

    Files are linked into it where the disk allows, else copied.

    Args:
        shelf: Whose marks.
        out: The folder, which must not be there or be empty.

    Raises:
        InputInvalid: Nothing was marked, or `out` holds something.
    """
    marks = read_marks(shelf.path)
    if not marks:
        raise InputInvalid("nothing was marked", str(shelf.path), "mark hits on the page of ponder serve")
    if out.is_dir() and any(out.iterdir()):
        raise InputInvalid("not empty", f"--out {out}", "name another folder")
    (out / "qrels").mkdir(parents=True)
    (out / "files").mkdir()
    documents = _documents(shelf, out)
    queries = {text: f"q{number}" for number, text in enumerate(sorted(marks))}
    lines = "".join(json.dumps({"_id": name, "text": text}) + "\n" for text, name in queries.items())
    (out / "queries.jsonl").write_text(lines, "utf-8")
    (out / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents.values()), "utf-8")
    pairs = [
        (queries[text], documents[id_]["_id"], grade)
        for text, given in sorted(marks.items())
        for id_, grade in sorted(given.items())
        if id_ in documents
    ]
    (out / "qrels" / "train.tsv").write_text("".join(f"{q}\t{d}\t{g}\n" for q, d, g in pairs), "utf-8")
    right = sum(grade for _, _, grade in pairs)
    return Marked(len(queries), len(documents), right, len(pairs) - right)


def _documents(shelf: Shelf, out: Path) -> Mapping[str, dict[str, object]]:
    """By an item's id its row in the corpus."""
    found: dict[str, dict[str, object]] = {}
    files: dict[str, str] = {}
    for number, source in enumerate(sorted(shelf.index.sources(), key=lambda each: each.id)):
        [row] = shelf.get([source.id])
        item = row.item
        entry: dict[str, object] = {"_id": f"d{number}", "text": item.text}
        if item.path is not None and item.kind != "text":
            if item.path not in files:
                name = f"files/{len(files)}{Path(item.path).suffix}"
                if not _taken(Path(item.path), out / name):
                    continue
                files[item.path] = name
            kind = "pdf" if item.kind == "page" else item.kind
            entry |= {kind: files[item.path], **({"page": item.page} if item.page else {})}
        elif item.path is not None:
            entry["text"] = item.text or row.reasoning.text
        found[item.id] = entry
    return found


def _taken(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        try:
            shutil.copy(source, target)
        except OSError:
            return False
    return True
