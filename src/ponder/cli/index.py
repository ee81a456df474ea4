"""``ponder index``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.cli.indexing_price import price
from ponder.cli.partly import finish
from ponder.cli.spreading import SHARD_SECONDS, spread_of, tell_costs
from ponder.errors import InputNotFound

DEFAULT_WORKERS = 2
"""Threads that open files while the models work; more help only where opening is slower than the models."""


def index(
    shelf: options.Shelf,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files and folders.", show_default=False)
    ],
    models: Annotated[
        str | None, typer.Option(help="A preset's name; the shelf's own, or lite for a new shelf.")
    ] = None,
    reason_tokens: options.ReasonTokens = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads that open files.")] = DEFAULT_WORKERS,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Follow symbolic links that lead out of PATH.")
    ] = False,
    store: options.Store = None,
    shard: options.FileShard = None,
    on: options.On = "local",
    actors: options.Actors = None,
    actor_gpus: options.ActorGpus = 0.0,
    shard_seconds: options.ShardSeconds = SHARD_SECONDS,
    spool: options.SpoolFolder = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what it would take, by a few items that are tried, and stop."),
    ] = False,
    isolate: options.Isolate = "auto",
    as_json: options.Json = False,
) -> None:
    """Put files into a shelf, or update it.

    What has not changed is left alone. After an interruption, the same command goes on where it stopped.
    """
    began = time.perf_counter()
    part = options.parse_shard(shard)
    from ponder.media.scan import expanded

    shelf = expanded(shelf)
    for path in paths:
        if not expanded(path).exists():
            raise InputNotFound("no such file or folder", str(path), "check the path")
    spread = spread_of(
        on, actors=actors, gpus=actor_gpus, seconds=shard_seconds, spool=spool, threads=workers
    )
    if dry_run:
        price(
            shelf,
            paths,
            models,
            reason_tokens,
            spread,
            part,
            follow_links=follow_links,
            as_json=as_json,
        )
        return
    from ponder.cli.present import report_json, report_line, skipped_json
    from ponder.media import isolated
    from ponder.shelf.opening import open_shelf

    isolated.isolate(isolate)
    with (
        quiet_stdout(as_json),
        open_shelf(shelf, models, reason_tokens=reason_tokens, store=store) as opened,
        progress("indexing") as advance,
    ):
        report = opened.add(
            *paths,
            follow_links=follow_links,
            workers=workers,
            progress=lambda done, total, skipped: advance(done, total),
            spread=spread,
            shard=part,
        )
    seconds = time.perf_counter() - began
    if as_json:
        cost = {} if spread is None else {"cost": spread.costs.fields()}
        print_json(report_json(report, seconds) | cost)
    else:
        typer.echo(report_line(report, seconds))
    tell_costs(spread)
    finish(skipped_json(report.skipped))
