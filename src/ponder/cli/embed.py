"""``ponder embed``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.cli.partly import finish
from ponder.cli.rows import rows_of
from ponder.cli.spreading import SHARD_SECONDS, spread_of, tell_costs
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.protocols import BlobCache, Models
    from ponder.records import Item, Query, Skipped
    from ponder.shelf.making import Spreads


def embed(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="BEIR folder with media; without it, its rows on stdin."),
    ] = None,
    models: options.Models = "lite",
    role: Annotated[
        Literal["document", "query"], typer.Option(help="document: item + ECR; query: plain.")
    ] = "document",
    parts: Annotated[
        bool, typer.Option("--parts", help="Also the vectors of passages and segments, by their labels.")
    ] = False,
    reason_tokens: options.ReasonTokens = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    on: options.On = "local",
    actors: options.Actors = None,
    actor_gpus: options.ActorGpus = 0.0,
    shard_seconds: options.ShardSeconds = SHARD_SECONDS,
    spool: options.SpoolFolder = None,
    as_json: options.Json = False,
) -> None:
    """Write each row's vector, a JSON object a line: ``_id``, ``vector``, and of documents their ``tokens``.

    Vectors are of unit norm; dot products between a query's and a document's are what retrieval ranks by.
    What was embedded before is taken from the cache. Documents that workers embed (--on ray) come as they are
    done, in another order.
    """
    from ponder.evaluate.beir import read_corpus, read_queries
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    # The lines are what stdout is for: --json changes nothing.
    _ = as_json
    skipped: list[Skipped] = []
    spread = spread_of(on, actors=actors, gpus=actor_gpus, seconds=shard_seconds, spool=spool)
    if spread is not None and role == "query":
        raise BadArguments("workers embed documents only", "--on, --role", "leave --on away for queries")
    with quiet_stdout(active=True), user_cache() as cache:
        chosen = load(models, cache=cache)
        if role == "query":
            with rows_of(folder, "queries.jsonl") as (base, file):
                queries, lost = read_queries(base, file)
            lines = _queries(queries[:limit], chosen, skipped)
        else:
            with rows_of(folder, "corpus.jsonl") as (base, file):
                items, lost = read_corpus(base, file)
            lines = _embedded(items[:limit], chosen, cache, reason_tokens, parts, skipped, spread)
        skipped += lost
        for line in lines:
            print_json(line)
        tell_costs(spread)
    finish([{"uri": each.uri, "error": each.error} for each in skipped])


def _embedded(
    items: Sequence[Item],
    models: Models,
    cache: BlobCache,
    reason_tokens: int | None,
    parts: bool,
    skipped: list[Skipped],
    spread: Spreads | None,
) -> Iterator[dict[str, Any]]:
    from ponder.records import Row
    from ponder.shelf.ingest import Ingest
    from ponder.shelf.making import maker_of, rows_made

    ingest = Ingest(models, cache, reason_tokens=reason_tokens)
    with progress("embedding") as advance:
        for done, (_, row) in enumerate(rows_made(maker_of(ingest, spread), items), 1):
            advance(done, len(items))
            if not isinstance(row, Row):
                skipped.append(row)
                continue
            line: dict[str, Any] = {
                "_id": row.item.id,
                "vector": row.embedded.vectors[0].tolist(),
                "tokens": row.reasoning.tokens,
            }
            if parts:
                labelled = zip(row.embedded.labels[1:], row.embedded.vectors[1:], strict=True)
                line["parts"] = {label: vector.tolist() for label, vector in labelled}
            yield line


def _queries(queries: Sequence[Query], models: Models, skipped: list[Skipped]) -> Iterator[dict[str, Any]]:
    from ponder.errors import InputInvalid, InputNotFound
    from ponder.media.content import open_query
    from ponder.media.limits import Limits
    from ponder.records import Skipped

    with progress("embedding") as advance:
        for done, query in enumerate(queries, 1):
            advance(done, len(queries))
            try:
                content = open_query(query, Limits())
            except (InputInvalid, InputNotFound) as error:
                skipped.append(Skipped(f"query {query.id}", str(error)))
                continue
            [vector] = models.embedder.embed_queries([content], [None])
            yield {"_id": query.id, "vector": vector.tolist()}
