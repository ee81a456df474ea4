"""``ponder scale``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show
from ponder.cli.partly import finish
from ponder.errors import BadArguments, MissingDependency

if TYPE_CHECKING:
    from ponder.cascade.pacing import Allocation
    from ponder.evaluate.against.compare import Plan
    from ponder.evaluate.beir import Dataset
    from ponder.evaluate.scaling import Curve, Way
    from ponder.evaluate.settings import Pool, ReasoningMode, Settings
    from ponder.protocols import BlobCache

_BUDGETS = "0,64,256,1024,4096"

_COMPARED = 256
"""Largest budget that is held against dimensions and models."""


def scale(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A BEIR folder with media.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Where curve.json, curve.svg, curve.png and report.md go.")],
    split: Annotated[str, typer.Option(help="Which qrels/SPLIT.tsv.")] = "dev",
    queries: Annotated[Path | None, typer.Option(help="Another file of queries.")] = None,
    models: options.Models = "lite",
    budget: Annotated[str, typer.Option("--budget", metavar="N,N,…", help="The ladder.")] = _BUDGETS,
    stages: options.Stages = None,
    metric: Annotated[str, typer.Option(help="The main measure, as in hit@1 or ndcg@5.")] = "hit@1",
    allocate: Annotated[
        str, typer.Option(help="Allocators to compare; common: adaptive, with one budget for all queries.")
    ] = "uniform,adaptive",
    reasoning: Annotated[str, typer.Option(help="Ablations to run.")] = "on,off,shuffled",
    think: Annotated[
        int, typer.Option(min=0, help="Each reasoning also with so many tokens of thinking about the query.")
    ] = 0,
    text_layer: options.TextLayer = "on",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many queries, drawn by --seed.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample and the shuffling.")] = 0,
    against: Annotated[
        str, typer.Option(help="Hold tokens against dims, models or both: dims,models writes against.svg.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and stop.")] = False,
    as_json: options.Json = False,
) -> None:
    """Draw accuracy against tokens: the ladder of budgets, allocator beside allocator, with ablations.

    Each run is kept in OUT/runs as it ends: the same command goes on where it was stopped.
    """
    from dataclasses import replace

    from ponder.evaluate.against.compare import Plan
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.corpus import Corpus, build_corpus
    from ponder.evaluate.metrics import METRICS
    from ponder.evaluate.run_folder import made
    from ponder.evaluate.scaling.curve import curve_of
    from ponder.evaluate.scaling.kept import Runs
    from ponder.evaluate.scaling.ladder import Ladder
    from ponder.evaluate.scaling.pricing import price_of, sample
    from ponder.evaluate.settings import Settings
    from ponder.index.cache import Overlay, user_cache
    from ponder.models.registry import load

    if metric not in METRICS:
        raise BadArguments(f"unknown measure {metric!r}", "--metric", f"known: {', '.join(METRICS)}")
    ways = _ways(reasoning, allocate, think)
    settings = Settings(
        budgets=options.parse_budgets(budget),
        cascade=options.cascade_of(stages),
        text_layer=text_layer == "on",
        seed=seed,
    )
    dataset = sample(load_beir(folder, split=split, queries=queries), limit, seed)
    command = ["ponder", *sys.argv[1:]]
    with quiet_stdout(as_json), user_cache() as cache:
        # Nothing is written by a dry run: what its probes make stays in memory.
        store = Overlay(cache) if dry_run else cache
        chosen = load(models, cache=store)
        settings.cascade.check(chosen)
        runs = Runs(out, dataset, chosen, settings)
        if dry_run:
            price = price_of(dataset, ways, settings, chosen, runs, store)
            print_json(price.fields()) if as_json else show(price.line())
            return

        def build(mode: ReasoningMode) -> Corpus:
            with progress(f"documents, reasoning {mode}") as advance:
                return build_corpus(dataset.items, chosen, cache, replace(settings, reasoning=mode), advance)

        made(out, "--out")
        ladder = Ladder(runs, dataset, build, settings, command)
        with progress("queries") as advance:
            kept = list(ladder.climb(ways, advance))
        curve = curve_of(kept, metric, ladder.refused, runs.about)
        text, missing = _write(curve, out, command)
        if against:
            plan_ = Plan(models, ("tokens", *_names(against)), _affordable(settings), metric)
            _compare(dataset, plan_, cache, out)
        if as_json:
            print_json(curve.fields())
    if not as_json:
        show(text)
    if missing is not None:
        raise missing
    refused = [{"uri": f"{each.way.name} @ {each.budget}", "error": each.error} for each in curve.refused]
    finish([*kept[0].report["skipped"], *refused])


def _write(curve: Curve, out: Path, command: list[str]) -> tuple[str, MissingDependency | None]:
    """The report, and why there are no pictures: what was measured is written all the same."""
    from ponder.evaluate.scaling.drawing import draw
    from ponder.evaluate.scaling.report import markdown

    (out / "curve.json").write_text(json.dumps(curve.fields(), indent=1) + "\n", encoding="utf-8")
    missing: MissingDependency | None = None
    try:
        draw(curve, out)
    except MissingDependency as error:
        missing = error
    text = markdown(curve, command, pictured=missing is None)
    (out / "report.md").write_text(text, encoding="utf-8")
    return text, missing


def _affordable(settings: Settings) -> tuple[int, ...]:
    """The ladder's lower part: each point of a comparison is computed anew, to be timed and counted."""
    return tuple(budget for budget in settings.budgets if budget <= _COMPARED) or settings.budgets[:1]


def _compare(dataset: Dataset, plan: Plan, cache: BlobCache, out: Path) -> None:
    from ponder.evaluate.against.compare import compare
    from ponder.evaluate.against.drawing import draw
    from ponder.evaluate.against.verdict import verdict

    rows = [
        point.row() for point in compare(dataset, plan, cache, say=lambda line: typer.echo(line, err=True))
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (out / "against.jsonl").write_text(lines, encoding="utf-8")
    (out / "against.md").write_text(verdict(rows), encoding="utf-8")
    draw(rows, out)


def _ways(reasoning: str, allocate: str, think: int) -> list[Way]:
    """With reasoning every allocator; the ablations under uniform alone: what they show is not spending."""
    from ponder.evaluate.scaling.kept import Way

    spending = [_spending(name) for name in _names(allocate)]
    ways: list[Way] = []
    for mode in [_mode(name) for name in _names(reasoning)]:
        if mode == "on":
            ways += [Way(mode, allocator, pool=pool) for allocator, pool in spending]
        else:
            ways.append(Way(mode, "uniform"))
        if think:
            ways += [Way(mode, "uniform", tokens) for tokens in (0, think)]
    return list(dict.fromkeys(ways))


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",")))


def _spending(name: str) -> tuple[Allocation, Pool]:
    from ponder.cascade.pacing import check_allocation

    return ("adaptive", "common") if name == "common" else (check_allocation(name), "each")


def _mode(name: str) -> ReasoningMode:
    from ponder.evaluate.settings import REASONING_MODES

    for known in REASONING_MODES:
        if name == known:
            return known
    raise BadArguments(f"unknown mode {name!r}", "--reasoning", f"known: {', '.join(REASONING_MODES)}")
