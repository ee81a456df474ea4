"""A data set written as a BEIR folder with its media, for ponder and for whoever else reads such folders."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.run_folder import made
from ponder.records import Item, Query

MEDIA = "media"
"""Folder of pictures, clips and pages."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        documents: How many.
        queries: How many.
        judgements: How many.
        ids: From an item's id to the one that it has in the folder: its own, but where a TREC run could not
            carry it.
    """

    documents: int
    queries: int
    judgements: int
    ids: Mapping[str, str] = field(default_factory=dict)


def write_beir(
    out: Path,
    items: Iterable[Item],
    queries: Iterable[Query],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    split: str,
) -> Written:
    """Write ``corpus.jsonl``, ``queries.jsonl``, ``qrels/SPLIT.tsv`` and the media.

    Media are linked where the disk can link and copied where not, each once, so that the folder is whole by
    itself. A clip given as a folder of frames stays one. Pages are written as ``pdf`` with their number,
    pictures of pages too, so that they are read as pages again.

    Args:
        out: The folder; it must not hold a data set yet.
        items: The documents. Ids with white space, which no TREC run can carry, become ``d1`` and so on, with
            the old one in the row's metadata.
        queries: With ids of their own.
        qrels: By query's and item's id.
        split: Names the file of judgements.

    Raises:
        BadArguments: There is a data set already.
        InputInvalid: A medium cannot be copied, or two documents have one id.
    """
    if (out / "corpus.jsonl").exists():
        raise BadArguments("there is a data set already", str(out), "give another folder")
    made(out / "qrels", "OUT")
    store = _Media(out)
    ids: dict[str, str] = {}
    # The corpus last: what was broken off holds none, and is not taken for whole.
    lines = []
    for number, item in enumerate(items, 1):
        if item.id in ids:
            raise InputInvalid(f"two documents are called {item.id!r}", str(out), "tell them apart")
        plain = "".join(item.id.split()) == item.id
        ids[item.id] = item.id if plain else f"d{number}"
        more = {**item.metadata, **({} if plain else {"id": item.id})}
        row = {"_id": ids[item.id], "text": item.text, **store.fields(item.kind, item.path, item.page)}
        lines.append(json.dumps({**row, **({"metadata": more} if more else {})}) + "\n")
    asked = []
    for query in queries:
        path = query.image or query.video or (query.page[0] if query.page else None)
        kind = "image" if query.image else "video" if query.video else "page" if query.page else "text"
        row = {"_id": query.id, "text": query.text}
        row |= store.fields(kind, path, query.page[1] if query.page else None)
        asked.append(json.dumps({**row, **_some(instruction=query.instruction)}) + "\n")
    # A right answer that is in no pool stays one that nobody finds.
    judged = [
        f"{name}\t{ids.get(document) or '_'.join(document.split())}\t{grade}\n"
        for name, grades in qrels.items()
        for document, grade in grades.items()
    ]
    (out / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged), "utf-8")
    (out / "queries.jsonl").write_text("".join(asked), "utf-8")
    (out / "corpus.jsonl").write_text("".join(lines), "utf-8")
    return Written(len(lines), len(asked), len(judged), ids)


class _Media:
    """Media in the folder, named after where they come from."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def fields(self, kind: str, path: str | None, page: int | None) -> dict[str, Any]:
        """What a row says of its medium."""
        if path is None:
            return {}
        name = self._kept(Path(path))
        if kind == "page":
            return {"pdf": name, "page": 1 if page is None else page}
        return {kind: name} if kind in ("image", "video") else {}

    def _kept(self, path: Path) -> str:
        digest = hashlib.sha256(str(path.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
        name = f"{MEDIA}/{digest}{path.suffix}"
        there = self._out / name
        if not there.exists():
            made(there.parent, "OUT")
            try:
                if path.is_dir():
                    shutil.copytree(path, there, copy_function=_linked)
                else:
                    _linked(str(path), str(there))
            except OSError as error:
                raise InputInvalid(f"cannot be copied: {error.strerror}", str(path), "check it") from error
        return name


def _linked(source: str, target: str) -> str:
    """A hard link, or a copy where that cannot be: on another disk, say."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def _some(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
