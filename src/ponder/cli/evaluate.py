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


_SHOWN = ("hit@10", "ndcg@5", "ndcg@10", "mrr@10", "recall@100")

_WITH_RUN = ("folder", "run", "split", "queries", "by", "as_json")
"""What may be said beside ``--run``: everything else is about models, and none runs."""


def evaluate(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A BEIR folder with media.", show_default=False)
    ],
    split: Annotated[str, typer.Option(help="Which qrels/SPLIT.tsv.")] = "dev",
    queries: Annotated[Path | None, typer.Option(help="Another file of queries.")] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="FILE", help="Score this TREC run of anyone's instead; no model runs."),
    ] = None,
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

    A TREC run is ordered as trec_eval does it: by score, equal ones by id from the last to the first; ranks
    are not looked at. A judged query that it lacks has 0 throughout.
    """
    if run is not None:
        _score(context, folder, run, split=split, queries=queries, by=by, as_json=as_json)
        return
    from ponder.cascade.pacing import check_allocation
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.report import check_field
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
    check_field(dataset, by)
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
            for each in run_budgets(dataset, corpus, settings, advance):
                reports.append(each.report)
                if keep:
                    keep.add(each)
                if as_json:
                    print_json(each.report.fields)
    if not as_json:
        _show(reports, settings)
    finish([each for report in reports for each in report.fields["skipped"]])


def _score(
    context: typer.Context,
    folder: Path,
    run: Path,
    *,
    split: str,
    queries: Path | None,
    by: str,
    as_json: bool,
) -> None:
    from ponder.errors import BadArguments
    from ponder.evaluate.run_scoring import score_run

    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in _WITH_RUN and source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise BadArguments("a run is only scored", option, "leave it out, or leave --run out")
    found = score_run(folder, run, split=split, queries=queries, by=by).fields
    if as_json:
        print_json(found)
        return
    show(f"{found['dataset']} {found['split']}: {found['queries']} queries, {run.name} of {found['tag']}")
    rows = table("hit@1", "95 %", *_SHOWN)
    rows.add_row(*_figures(found))
    show(rows)
    if by:
        _show_breakdown([found], by)
    for what in ("queries_without_results", "unknown_queries", "unknown_documents"):
        count, ids = found[what]["count"], found[what]["ids"]
        if count:
            more = " …" if count > len(ids) else ""
            show(f"{what.replace('_', ' ')}: {count} ({', '.join(ids)}{more})")
    if found["excluded"]:
        show(f"results that their query excludes: {found['excluded']}")


def _figures(found: dict[str, Any]) -> tuple[str, ...]:
    """hit@1 with its interval, then `_SHOWN`."""
    values, (low, high) = found["metrics"], found["ci95"]["hit@1"]
    return (f"{values['hit@1']:.3f}", f"{low:.3f}-{high:.3f}", *(f"{values[name]:.3f}" for name in _SHOWN))


def _show(reports: list[Report], settings: Settings) -> None:
    rows = table("budget", "hit@1", "95 %", *_SHOWN, "tokens", "s")
    for report in reports:
        found = report.fields
        tokens = found["tokens_per_query"]
        rows.add_row(
            str(found["budget"]),
            *_figures(found),
            f"{tokens['read'] + tokens['written']:.0f}",
            f"{found['seconds_per_query']:.3f}",
        )
    first = reports[0].fields
    about = f"{first['dataset']} {first['split']}: {first['queries']} queries, {first['models']}"
    show(f"{about}, reasoning {settings.reasoning}")
    show(rows)
    if settings.by:
        _show_breakdown([report.fields for report in reports], settings.by)


def _show_breakdown(reports: list[dict[str, Any]], field: str) -> None:
    rows = table("budget", field, "queries", "hit@1", "ndcg@5", "mrr@10")
    for report in reports:
        groups: dict[str, Any] = report["by"]
        for value, group in groups.items():
            shown = (f"{group['metrics'][name]:.3f}" for name in ("hit@1", "ndcg@5", "mrr@10"))
            rows.add_row(str(report.get("budget", "")), value, str(group["queries"]), *shown)
    show(rows)
