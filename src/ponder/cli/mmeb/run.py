"""``ponder mmeb run``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.mmeb.pricing import prices, show_prices
from ponder.cli.partly import finish
from ponder.cli.spreading import SHARD_SECONDS, spread_of, tell_costs
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.evaluate.mmeb.loading import Loaded
    from ponder.evaluate.mmeb.running import TaskRun
    from ponder.protocols import BlobCache, Models
    from ponder.records import Skipped
    from ponder.spread.maker import Spread


def run(
    data: Annotated[Path, typer.Argument(metavar="DATA_DIR", help="The official files.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", help="Answers, rankings and scores; go on with what is there.")
    ],
    models: options.Models = "lite",
    tasks: Annotated[
        str | None,
        typer.Option(
            "--tasks", metavar="NAME,…", help="Tasks, meta-tasks, modalities; those of the 78 here."
        ),
    ] = None,
    budget: options.Budgets = "0",
    stages: options.Stages = None,
    allocate: options.Allocate = "uniform",
    gates: options.Gates = "on",
    reasoning: options.Reasoning = "on",
    reason_tokens: options.ReasonTokens = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="So many queries of each task, drawn by --seed.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    shard: Annotated[
        str, typer.Option("--shard", metavar="K/N", help="Every Nth query: one process, one GPU each.")
    ] = "1/1",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and stop.")] = False,
    tflops: Annotated[
        str | None,
        typer.Option(
            "--tflops",
            metavar="READ,WRITE",
            help="With --dry-run: reckon GPU hours at this speed, as in 125,3, and run no model.",
        ),
    ] = None,
    on: options.On = "local",
    actors: options.Actors = None,
    actor_gpus: options.ActorGpus = 0.0,
    shard_seconds: options.ShardSeconds = SHARD_SECONDS,
    spool: options.SpoolFolder = None,
    as_json: options.Json = False,
) -> None:
    """Run tasks through a cascade, each query within its budget; score them as the official evaluator does.

    A query's own pool is judged whole, as far as the budget goes; a shared pool from the best on. With
    --json, a line a task and budget. What was answered before a kill is kept: the same command goes on.
    """
    from ponder.cascade.pacing import check_allocation
    from ponder.evaluate.mmeb.reckoning import Speed
    from ponder.evaluate.mmeb.shard import Shard
    from ponder.evaluate.settings import Settings
    from ponder.index.cache import Overlay, user_cache
    from ponder.models.registry import load

    settings = Settings(
        budgets=options.parse_budgets(budget),
        cascade=options.cascade_of(stages),
        reasoning=reasoning,
        allocate=check_allocation(allocate),
        gates=gates == "on",
        reason_tokens=reason_tokens,
        seed=seed,
    )
    if tflops is not None and not dry_run:
        raise BadArguments("a run takes what it takes", "--tflops", "give --dry-run too")
    speed = None if tflops is None else Speed.parse(tflops)
    part = Shard.parse(shard)
    spread = spread_of(on, actors=actors, gpus=actor_gpus, seconds=shard_seconds, spool=spool)
    left_out: list[Skipped] = []
    with quiet_stdout(as_json), user_cache() as cache:
        store = Overlay(cache) if dry_run else cache
        chosen = load(models, cache=store)
        settings.cascade.check(chosen)
        runs = _runs(data, tasks, out, settings, limit, part, left_out, cut=not dry_run)
        rows = (
            prices((each for _, each in runs), chosen, store, speed)
            if dry_run
            else _scores(runs, chosen, store, out, left_out, spread)
        )
        shown = []
        for row in rows:
            shown.append(row)
            if as_json:
                print_json(row)
    if not as_json:
        (show_prices if dry_run else _show)(shown)
    tell_costs(spread)
    finish([{"uri": each.uri, "error": each.error} for each in left_out])


def _runs(
    data: Path,
    names: str | None,
    out: Path,
    settings: Any,
    limit: int | None,
    shard: Any,
    left_out: list[Skipped],
    *,
    cut: bool,
) -> Iterator[tuple[Loaded, TaskRun]]:
    """The tasks whose data are here; those that were asked for by name have to be."""
    from ponder.errors import InputInvalid, InputNotFound, MissingDependency
    from ponder.evaluate.mmeb.loading import load
    from ponder.evaluate.mmeb.running import TaskRun
    from ponder.evaluate.mmeb.tasks import chosen
    from ponder.records import Skipped

    by_name = {part.strip().casefold() for part in (names or "").split(",")}
    every = chosen(names)
    lacking = 0
    for task in every:
        try:
            with progress(f"{task.name}: media") as advance:
                loaded = load(data, task, cut=cut, advance=advance)
        except MissingDependency as error:
            if task.name.casefold() in by_name:
                raise
            lacking += 1
            if lacking == len(every):
                hint = f"`ponder mmeb verify {data}` names the commands that fetch them"
                raise InputNotFound("no task's data are here", str(data), hint) from None
            left_out.append(Skipped(task.name, error.what))
            continue
        except InputInvalid as error:
            # One damaged file does not stop the others' days of work.
            if len(every) == 1:
                raise
            left_out.append(Skipped(task.name, str(error)))
            continue
        if loaded.uncut and not cut:
            what = f"{loaded.uncut} clips are cut into frames first, and are not priced"
            left_out.append(Skipped(task.name, what))
        yield (
            loaded,
            TaskRun(
                name=task.name,
                modality=task.modality,
                local=task.local,
                parsed=loaded.parsed,
                root=loaded.root,
                out=out,
                settings=settings,
                revision=loaded.revision,
                limit=limit,
                shard=shard,
            ),
        )


def _scores(
    runs: Iterator[tuple[Loaded, TaskRun]],
    models: Models,
    cache: BlobCache,
    out: Path,
    left_out: list[Skipped],
    spread: Spread | None,
) -> Iterator[dict[str, Any]]:
    from ponder.evaluate.mmeb.manifest import note
    from ponder.evaluate.mmeb.marking import all_answers, mark
    from ponder.evaluate.mmeb.running import run_task
    from ponder.records import Skipped

    for loaded, each in runs:
        note(out, each, models, ["ponder", *sys.argv[1:]])
        began = time.perf_counter()
        with progress(f"{each.name}: candidates") as documents, progress(f"{each.name}: queries") as queries:
            for budget, mine in run_task(
                each, models, cache, documents=documents, queries=queries, spread=spread
            ):
                answers = all_answers(each, budget, models)
                if answers is None:
                    left_out.append(Skipped(each.name, f"{len(mine)} answers; other shards have the rest"))
                    continue
                marked = mark(each, budget, answers, loaded.task.metric, models)
                left_out += [
                    Skipped(f"{each.name}, budget {budget}", f"{count} queries: {why}")
                    for why, count in marked.lost.items()
                ]
                yield {**marked.fields, "seconds": round(time.perf_counter() - began, 3)}


def _show(rows: list[dict[str, Any]]) -> None:
    scored = table(
        "task", "budget", "metric", "value", "95 %", "ties against", "queries", "missing", "tokens"
    )
    for row in rows:
        tokens = row["tokens_per_query"]
        value, bounds = row["value"], row["ci95"]
        scored.add_row(
            row["task"],
            str(row["budget"]),
            row["metric"],
            "" if value is None else f"{value:.3f}",
            "" if bounds is None else f"{bounds[0]:.3f}-{bounds[1]:.3f}",
            f"{row['ties_against']:.3f}" if "ties_against" in row else "",
            str(row["queries"]),
            str(row["missing"]),
            f"{tokens['read'] + tokens['written']:.0f}",
        )
    show(scored)
