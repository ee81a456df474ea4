"""``ponder mmeb show``: a task's queries and candidates, as the official loaders form them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, quiet_stdout, table
from ponder.cli.console import show as display

if TYPE_CHECKING:
    from ponder.evaluate.mmeb.loading import Loaded
    from ponder.evaluate.mmeb.parsed import Side

Data = Annotated[
    Path, typer.Argument(metavar="DATA_DIR", help="Holds hf/ and data_basedir/, or a hub's cache.")
]
_CELL = 60


def show(
    data: Data,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task's name.", show_default=False)],
    queries: Annotated[bool, typer.Option("--queries", help="Queries; the default.")] = False,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="The pool instead; with --queries, behind the queries.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many of each.")] = None,
    as_json: options.Json = False,
) -> None:
    """Print a task's queries, with what each is ranked over and the right answers.

    With --json a line each. A query has "kind": "query", "index", "text" (as an official model reads it),
    "media" (paths relative to DATA_DIR, or null), "candidates" (names of its own pool in order, or of its
    right answers where all queries share one pool), "gold" (the right answers, a list), "rel_scores" (their
    grades, or null), "problem" (why it cannot be scored as meant, or "") and "note" (what is odd in the
    data). The same stands there under the official names: "query_text", "query_media", "cand_names",
    "label_name", and "info" with all of the official line. The first query has "pool" besides: the names of
    all candidates in the order of the pool.

    A candidate has "kind": "candidate", "index" (its place in the pool), "name", "text", "media", "problem",
    and "cand_name", "cand_text", "cand_media" as the official names of the same.

    Pictures of pages lie in Parquet and are not written to disk by this.
    """
    from ponder.evaluate.mmeb.loading import load
    from ponder.evaluate.mmeb.tasks import task_named

    with quiet_stdout(as_json):
        loaded = load(data, task_named(task), write=False)
        lines: list[Iterator[dict[str, Any]]] = []
        if queries or not candidates:
            lines.append(query_lines(loaded, limit))
        if candidates:
            lines.append(candidate_lines(loaded, limit))
        if as_json:
            for each in lines:
                for line in each:
                    print_json(line)
            return
    for each in lines:
        _print(each)


def query_lines(loaded: Loaded, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """The lines of ``--queries``."""
    for index, query in enumerate(loaded.parsed.queries[:limit]):
        info = query.info.fields
        line = {
            "kind": "query",
            "index": index,
            "text": query.side.text,
            "media": _media(query.side),
            "candidates": info["cand_names"],
            "gold": list(query.info.label_names),
            "rel_scores": info.get("rel_scores"),
            "problem": query.problem,
            "note": query.note,
            "query_text": query.side.text,
            "query_media": _media(query.side),
            "cand_names": info["cand_names"],
            "label_name": info["label_name"],
            "info": {**query.details, **info},
        }
        if index == 0:
            line["pool"] = [each.name for each in loaded.parsed.candidates]
        yield line


def candidate_lines(loaded: Loaded, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """The lines of ``--candidates``."""
    for index, each in enumerate(loaded.parsed.candidates[:limit]):
        media = _media(each.side)
        yield {
            "kind": "candidate",
            "index": index,
            "name": each.name,
            "text": each.side.text,
            "media": media,
            "problem": each.problem,
            "cand_name": each.name,
            "cand_text": each.side.text,
            "cand_media": media,
        }


def _media(side: Side) -> list[str] | None:
    return list(side.media) or None


def _print(lines: Iterator[dict[str, Any]]) -> None:
    rows = table("", "text", "media", "name or gold", "of", "")
    for line in lines:
        gold = line.get("gold") or [line.get("name", "")]
        media = line["media"] or []
        shown = f"{Path(media[0]).name}{f' and {len(media) - 1} more' if media[1:] else ''}" if media else ""
        said = line["problem"] or line.get("note", "")
        count = str(len(line["candidates"])) if "candidates" in line else ""
        rows.add_row(
            str(line["index"]), *map(_cell, (line["text"], shown, ", ".join(map(str, gold)))), count, said
        )
    display(rows)


def _cell(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _CELL else f"{flat[: _CELL - 1]}…"
