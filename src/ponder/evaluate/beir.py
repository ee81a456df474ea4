"""Data sets: a BEIR folder (Thakur et al., 2021) whose rows may point at media.

``corpus.jsonl`` {"_id", "text", "image" | "video" | ("pdf", "page")}, ``queries.jsonl`` {"_id", "text",
"image"?, "video"?, ("pdf", "page")?, "instruction"?} and ``qrels/SPLIT.tsv``. Media paths are relative to the
folder. A query's ``metadata.exclude`` may list documents that leave its ranking: with picture -> picture
the query picture itself stands in the corpus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.rows import Line, media_path, missing, read_lines, unique_id
from ponder.records import Item, Kind, Query, Skipped

_MOST = 2**31 - 1
"""Largest grade: pairs keep it in 32 bits, and gains of 2^grade overflow far below."""

Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query with its judgements.

    Attributes:
        query: What is asked.
        grades: Document id → grade; above 0 is relevant.
        exclude: Documents that leave this query's ranking.
        metadata: For breakdowns. Never shown to a model.
    """

    query: Query
    grades: Mapping[str, int]
    exclude: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set's split.

    Attributes:
        name: The folder's name.
        split: Of the qrels.
        items: The whole corpus, in the file's order, but what is skipped; without metadata, so that no
            model can be shown any.
        queries: The queries with judgements in the split, in the file's order.
        files: The files that were read, for the manifest.
        skipped: Documents and queries whose media file is missing.
    """

    name: str
    split: str
    items: tuple[Item, ...]
    queries: tuple[JudgedQuery, ...]
    files: tuple[Path, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class _Media:
    """The media of a row; `path` is None for a plain text."""

    kind: Kind = "text"
    path: Path | None = None
    page: int | None = None

    @property
    def lost(self) -> Skipped | None:
        """What to list when it is not there; a clip may be a folder of frames."""
        return None if self.path is None else missing(self.path, folder=self.kind == "video")


def load_beir(
    folder: Path, *, split: str = "dev", queries: Path | None = None, present: bool = True
) -> Dataset:
    """Read a data set.

    Args:
        folder: Holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/``.
        split: Read ``qrels/SPLIT.tsv``.
        queries: Another file of queries; its media paths are relative to `folder` too.
        present: Skip rows whose media file is missing; False takes them all, where nothing is opened.

    Raises:
        InputNotFound: The folder or one of its files does not exist.
        InputInvalid: A row cannot be used; the message names file and line.
    """
    if not folder.is_dir():
        raise InputNotFound("no such folder", str(folder), "give the folder that holds corpus.jsonl")
    corpus_file = folder / "corpus.jsonl"
    queries_file = queries or folder / "queries.jsonl"
    if not corpus_file.is_file():
        hint = "give a BEIR folder: corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv"
        raise InputNotFound("no data set: corpus.jsonl is missing", str(folder), hint)
    qrels_file = folder / "qrels" / f"{split}.tsv"
    qrels = read_qrels(qrels_file)
    items, lost_items = read_corpus(folder, corpus_file, present=present)
    judged, lost_queries = _read_queries(folder, queries_file, qrels, present)
    if not items:
        raise InputInvalid("no document can be opened", str(corpus_file), "check the corpus and its media")
    if not judged and not lost_queries:
        raise InputInvalid(
            f"no query of {queries_file.name} has judgements", str(qrels_file), "check --split and --queries"
        )
    name = folder.resolve().name
    files = (corpus_file, queries_file, qrels_file)
    return Dataset(name, split, items, judged, files, lost_items + lost_queries)


def read_qrels(path: Path) -> Qrels:
    """The judgements of a file of ``query-id TAB corpus-id TAB score``, with or without that header.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A row has not three columns, its score is no whole number, or it contradicts another.
    """
    if not path.is_file():
        present = sorted(each.stem for each in path.parent.glob("*.tsv"))
        hint = f"splits here: {', '.join(present)}" if present else "a data set needs qrels/SPLIT.tsv"
        raise InputNotFound("no such split", str(path), hint)
    qrels: dict[str, dict[str, int]] = {}
    try:
        rows = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputInvalid("not UTF-8", str(path), str(error)) from error
    for number, row in enumerate(rows, 1):
        where = f"{path}:{number}"
        columns = row.split("\t")
        if not row.strip() or (number == 1 and columns[-1].strip().lower() == "score"):
            continue
        if len(columns) != 3:
            raise InputInvalid("not three columns", where, "write query-id TAB corpus-id TAB score")
        query, doc = columns[0].strip(), columns[1].strip()
        try:
            grade = int(columns[2])
        except ValueError as error:
            raise InputInvalid("the score is not a whole number", where, f"it is {columns[2]!r}") from error
        if abs(grade) > _MOST:
            raise InputInvalid("the score is too large", where, f"it is {grade}, at most {_MOST:,} is read")
        if qrels.setdefault(query, {}).setdefault(doc, grade) != grade:
            raise InputInvalid(f"{query} and {doc} are judged twice, differently", where, "keep one of them")
    return qrels


def read_corpus(
    folder: Path, path: Path, *, present: bool = True
) -> tuple[tuple[Item, ...], tuple[Skipped, ...]]:
    """The documents of a corpus file, and those whose media file is missing.

    Args:
        folder: Media paths are relative to it, and stay inside.
        path: The file.
        present: As for `load_beir`.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A row cannot be used; the message names file and line.
    """
    items: list[Item] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    for line in read_lines(path):
        doc = unique_id(line, seen)
        media = _media(folder, line)
        # BEIR's own sets have a title beside the text; it is part of what the document says.
        text = "\n".join(part for part in (line.text("title"), line.text("text")) if part.strip())
        if media.path is None and not text:
            raise InputInvalid(f"{doc} has neither text nor media", line.where, 'give "text" or "image"')
        if present and (lost := media.lost):
            skipped.append(lost)
            continue
        items.append(
            Item(
                id=doc,
                kind=media.kind,
                uri=_uri(media),
                path=str(media.path) if media.path else None,
                page=media.page,
                text=text,
            )
        )
    return tuple(items), tuple(skipped)


def read_queries(folder: Path, path: Path) -> tuple[tuple[Query, ...], tuple[Skipped, ...]]:
    """The queries of a file, judged or not, and those whose media file is missing.

    Args:
        folder: Media paths are relative to it, and stay inside.
        path: The file.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A row cannot be used; the message names file and line.
    """
    judged, skipped = _read_queries(folder, path, None, True)
    return tuple(each.query for each in judged), skipped


def _read_queries(
    folder: Path, path: Path, qrels: Qrels | None, present: bool
) -> tuple[tuple[JudgedQuery, ...], tuple[Skipped, ...]]:
    """Those with judgements; all where there are none to look in."""
    judged: list[JudgedQuery] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    for line in read_lines(path):
        name = unique_id(line, seen)
        media = _media(folder, line)
        text = line.text("text")
        if media.path is None and not text.strip():
            raise InputInvalid(f"the query {name} is empty", line.where, 'give "text" or "image"')
        exclude = line.metadata.get("exclude", [])
        if not isinstance(exclude, list) or not all(isinstance(each, str) for each in exclude):
            raise InputInvalid('"metadata.exclude" is not a list of ids', line.where, 'write ["id", …]')
        if qrels is not None and name not in qrels:
            continue
        if present and (lost := media.lost):
            skipped.append(lost)
            continue
        file = str(media.path) if media.path else None
        query = Query(
            text=text,
            image=file if media.kind == "image" else None,
            video=file if media.kind == "video" else None,
            page=(file, media.page) if file and media.page else None,
            instruction=line.text("instruction"),
            id=name,
        )
        grades = qrels[name] if qrels is not None else {}
        judged.append(JudgedQuery(query, grades, frozenset(exclude), line.metadata))
    return tuple(judged), tuple(skipped)


def _media(folder: Path, line: Line) -> _Media:
    given = [name for name in ("image", "video", "pdf") if line.text(name)]
    if len(given) > 1:
        raise InputInvalid(f"both {given[0]} and {given[1]}", line.where, "one row, one medium")
    if not given:
        return _Media()
    path = media_path(folder, line.text(given[0]), line.where)
    if given[0] == "pdf":
        return _Media("page", path, line.integer("page", low=1))
    return _Media("image" if given[0] == "image" else "video", path)


def _uri(media: _Media) -> str:
    if media.path is None:
        return ""
    return f"{media.path}#page={media.page}" if media.page else str(media.path)
