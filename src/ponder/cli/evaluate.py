"""``ponder evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish
from ponder.cli.spreading import SHARD_SECONDS, spread_of, tell_costs

if TYPE_CHECKING:
    from ponder.evaluate.report import Report
    from ponder.evaluate.settings import Settings


def evaluate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A BEIR folder with media.", show_default=False)
    ],
    split: Annotated[str, typer.Option(help="Which qrels/SPLIT.tsv.")] = "dev",
    queries: Annotated[Path | None, typer.Option(help="Another file of queries.")] = None,
    models: options.Models = "lite",
    budget: options.Budgets = options.BUDGETS,
    stages: options.Stages = None,
    reasoning: options.Reasoning = "on",
    allocate: options.Allocate = "uniform",
    pool: options.Pool = "each",
    gates: options.Gates = "on",
    reason_tokens: options.ReasonTokens = None,
    text_layer: options.TextLayer = "on",
    by: Annotated[
        str, typer.Option(metavar="FIELD", help="Break down by this field of queries' metadata.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the shuffling.")] = 0,
    run_dir: options.RunDir = None,
    on: options.On = "local",
    actors: options.Actors = None,
    actor_gpus: options.ActorGpus = 0.0,
    shard_seconds: options.ShardSeconds = SHARD_SECONDS,
    spool: options.SpoolFolder = None,
    as_json: options.Json = False,
) -> None:
    """Measure retrieval on a data set.

    With --json, one JSON object a line, a line a budget. Reasonings and vectors are kept in the user's cache
    (PONDER_CACHE), so that another budget, split or run embeds nothing again.
    """
    from ponder.cascade.pacing import check_allocation
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.retrieval import run_budgets
    from ponder.evaluate.settings import Settings
    from ponder.evaluate.trec import TrecFolder
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    settings = Settings(
        budgets=options.parse_budgets(budget),
        cascade=options.cascade_of(stages),
        reasoning=reasoning,
        allocate=check_allocation(allocate),
        pool=pool,
        gates=gates == "on",
        reason_tokens=reason_tokens,
        text_layer=text_layer == "on",
        by=by,
        seed=seed,
    )
    spread = spread_of(on, actors=actors, gpus=actor_gpus, seconds=shard_seconds, spool=spool)
    dataset = load_beir(folder, split=split, queries=queries)
    reports: list[Report] = []
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        settings.cascade.check(chosen)
        keep = TrecFolder(run_dir) if run_dir else None
        with progress("documents") as advance:
            corpus = build_corpus(dataset.items, chosen, cache, settings, advance, spread=spread)
        tell_costs(spread)
        if keep:
            keep.begin(dataset, corpus, settings, ["ponder", *sys.argv[1:]])
        with progress("queries") as advance:
            for run in run_budgets(dataset, corpus, settings, advance):
                reports.append(run.report)
                if keep:
                    keep.add(run)
                if as_json:
                    print_json(run.report.fields)
    if not as_json:
        _show(reports, settings)
    finish([each for report in reports for each in report.fields["skipped"]])


def _show(reports: list[Report], settings: Settings) -> None:
    rows = table(
        "budget", "hit@1", "95 %", "hit@10", "ndcg@5", "ndcg@10", "mrr@10", "recall@100", "tokens", "s"
    )
    for report in reports:
        values, found = report.metrics, report.fields
        low, high = found["ci95"]["hit@1"]
        tokens = found["tokens_per_query"]
        rows.add_row(
            str(found["budget"]),
            f"{values['hit@1']:.3f}",
            f"{low:.3f}-{high:.3f}",
            *(f"{values[name]:.3f}" for name in ("hit@10", "ndcg@5", "ndcg@10", "mrr@10", "recall@100")),
            f"{tokens['read'] + tokens['written']:.0f}",
            f"{found['seconds_per_query']:.3f}",
        )
    first = reports[0].fields
    about = f"{first['dataset']} {first['split']}: {first['queries']} queries, {first['models']}"
    show(f"{about}, reasoning {settings.reasoning}")
    show(rows)
    if settings.by:
        _show_breakdown(reports, settings.by)


def _show_breakdown(reports: list[Report], field: str) -> None:
    rows = table("budget", field, "queries", "hit@1", "ndcg@5", "mrr@10")
    for report in reports:
        groups: dict[str, Any] = report.fields["by"]
        for value, group in groups.items():
            shown = (f"{group['metrics'][name]:.3f}" for name in ("hit@1", "ndcg@5", "mrr@10"))
            rows.add_row(str(report.fields["budget"]), value, str(group["queries"]), *shown)
    show(rows)
