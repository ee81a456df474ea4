"""``ponder rerank``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.cli.partly import finish
from ponder.errors import InputInvalid

if TYPE_CHECKING:
    from ponder.protocols import BlobCache, Models


def rerank(
    models: options.Models = "lite",
    budget: options.Budget = 512,
    stages: options.Stages = None,
    top_k: Annotated[int | None, typer.Option("-k", min=1, help="Documents to print of each; all.")] = None,
    reason_tokens: options.ReasonTokens = None,
    allocate: options.Allocate = "uniform",
    as_json: options.Json = False,
) -> None:
    """Rank the documents of each line of stdin for its query, a JSON object a line.

    In: ``{"_id", "query", "documents": [...]}``; query and documents are texts, or objects with ``text``,
    ``image``, ``video`` or ``page`` (``[file, number]``), files relative to where the command runs. Out:
    ``{"_id", "results": [{"index", "score", "reasoning"}], "usage"}``, best first.
    """
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    # The lines are what stdout is for: --json changes nothing.
    _ = as_json
    lost: list[dict[str, str]] = []
    with quiet_stdout(active=True), user_cache() as cache:
        chosen = load(models, cache=cache)
        told = {
            "budget": budget,
            "stages": stages,
            "reason_tokens": reason_tokens,
            "allocate": allocate,
        }
        with progress("reranking") as advance:
            for done, (where, row) in enumerate(_rows(), 1):
                print_json(_ranked(row, where, chosen, cache, told, top_k, lost))
                advance(done, 0)
    finish(lost)


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(sys.stdin.buffer, 1):
        where = f"stdin:{number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputInvalid(f"not JSON: {error}", where, "write an object a line") from None
        if not isinstance(row, dict) or not isinstance(row.get("documents"), list) or not row.get("query"):
            raise InputInvalid("no query or no documents", where, 'write {"query": …, "documents": […]}')
        yield where, row


def _ranked(
    row: dict[str, Any],
    where: str,
    models: Models,
    cache: BlobCache,
    told: dict[str, Any],
    top_k: int | None,
    lost: list[dict[str, str]],
) -> dict[str, Any]:
    from ponder.adapters.hits import tokens_of
    from ponder.shelf.given import rank_given

    documents = [_given(each) for each in row["documents"]]
    found = rank_given(_given(row["query"]), documents, models, cache, **told)
    lost += [{"uri": f"{where}, document {place}", "error": why} for place, why in found.unread.items()]
    results = [
        {"index": place, "score": hit.score, "reasoning": hit.reason}
        for place, hit in zip(found.places, found.ranking.hits, strict=True)
    ]
    return {"_id": row.get("_id"), "results": results[:top_k], "usage": tokens_of(found.ranking.usage)}


def _given(value: Any) -> Any:
    """Files as paths, so that no text is ever taken for one."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name in ("image", "video"):
        if isinstance(found.get(name), str):
            found[name] = Path(found[name])
    return found
