"""``ponder reason``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.cli.partly import finish
from ponder.cli.present import skipped_json
from ponder.cli.rows import rows_of
from ponder.cli.spreading import SHARD_SECONDS, spread_of, tell_costs

if TYPE_CHECKING:
    from ponder.records import Item, Skipped
    from ponder.shelf.making import MakesRows


def reason(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="BEIR folder with media; without it, its rows on stdin."),
    ] = None,
    models: options.Models = "lite",
    out: Annotated[Path | None, typer.Option(help="The file of JSON lines; stdout unless told.")] = None,
    queries: Annotated[
        str | None, typer.Option(metavar="SPLIT", help="Reason about the queries of qrels/SPLIT.tsv too.")
    ] = None,
    reason_tokens: options.ReasonTokens = None,
    query_tokens: Annotated[int, typer.Option(min=1, help="Most read and written for a query.")] = 256,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first documents and queries.")] = None,
    on: options.On = "local",
    actors: options.Actors = None,
    actor_gpus: options.ActorGpus = 0.0,
    shard_seconds: options.ShardSeconds = SHARD_SECONDS,
    spool: options.SpoolFolder = None,
    as_json: options.Json = False,
) -> None:
    """Write what a reasoner has to say about each document, a JSON object a line.

    What it said of a content before is taken from the cache: the same command goes on where it was stopped,
    and indexing or evaluating with the same models finds all of it. Documents that workers reason about
    (--on ray) come as they are done, in another order, and are embedded on the way, so that indexing finds
    that too.
    """
    from ponder.evaluate.beir import load_beir, read_corpus
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.shelf.ingest import Ingest
    from ponder.shelf.making import maker_of
    from ponder.train import writing_ecrs

    spread = spread_of(on, actors=actors, gpus=actor_gpus, seconds=shard_seconds, spool=spool)
    # Without a file the lines are what stdout is for; --json then changes nothing.
    with quiet_stdout(active=True), user_cache() as cache:
        with rows_of(folder, "corpus.jsonl") as (base, file):
            items, lost = read_corpus(base, file)
        asked = load_beir(folder, split=queries).queries if folder and queries else ()
        ingest = Ingest(load(models, cache=cache), cache, reason_tokens=reason_tokens)
        elsewhere = None if spread is None else maker_of(ingest, spread)
        with progress("reasoning") as advance:
            lines: Iterator[dict[str, Any] | Skipped] = chain(
                writing_ecrs.documents(items[:limit], ingest, advance)
                if elsewhere is None
                else _made(items[:limit], elsewhere, advance),
                writing_ecrs.queries([each.query for each in asked][:limit], ingest, query_tokens, advance),
            )
            if out is None:
                left_out = [*lost, *(_printed(lines))]
            else:
                left_out = [*lost, *writing_ecrs.write_file(out, lines)]
        tell_costs(spread)
        skipped = skipped_json(left_out)
        if out is not None and as_json:
            usage = ingest.usage if elsewhere is None else ingest.usage + elsewhere.usage
            tokens = {"read": usage.read, "written": usage.written, "cached": usage.cached}
            print_json(
                {"out": str(out), "documents": len(items[:limit]), "tokens": tokens, "skipped": skipped}
            )
    finish(skipped)


def _made(
    items: Sequence[Item], maker: MakesRows, advance: Callable[[int, int], None]
) -> Iterator[dict[str, Any] | Skipped]:
    """The lines of documents whose rows workers make."""
    from ponder.records import Row
    from ponder.shelf.making import rows_made
    from ponder.train.ecrs import fields

    for done, (_, row) in enumerate(rows_made(maker, items), 1):
        advance(done, len(items))
        yield fields(row.item.id, "document", row.digest, row.reasoning) if isinstance(row, Row) else row


def _printed(lines: Iterator[dict[str, Any] | Skipped]) -> Iterator[Skipped]:
    from ponder.records import Skipped

    for line in lines:
        if isinstance(line, Skipped):
            yield line
        else:
            print_json(line)
