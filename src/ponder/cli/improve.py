"""``ponder improve``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.feedback.rounds import Round


def improve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A BEIR folder.", show_default=False)],
    out: Annotated[
        Path, typer.Option(help="Folder of the loop; the same command again goes on.", show_default=False)
    ],
    models: options.Models = "lite",
    train: Annotated[str, typer.Option(help="Learn from qrels/SPLIT.tsv,")] = "train",
    dev: Annotated[str, typer.Option(help="and measure on this one.")] = "dev",
    guard: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="A data set whose dev is not to be harmed.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="At most; a round that does not help is the last.")] = 3,
    budget: Annotated[int, typer.Option(help="Tokens a query, to mine and on dev.")] = 1024,
    metric: Annotated[str, typer.Option(help="That the retriever is to gain.")] = "ndcg@10",
    harm: Annotated[float, typer.Option(help="That a guarded figure may lose.")] = 0.01,
    stages: options.Stages = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove the loop that OUT holds, and begin anew.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Close the loop: the reranker mines for the retriever, which learns, and is measured; again.

    Writes OUT/report.md with every round's figures, decisions and examples; OUT/best says which models won.
    """
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.metrics import METRICS
    from ponder.feedback.improving import Loop, best_of, mining
    from ponder.feedback.loop_report import write_report
    from ponder.feedback.mining import MiningSettings
    from ponder.feedback.rounds import Rule
    from ponder.feedback.trainees import trainee_of
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.train.checkpoints import TrainingFolder

    if metric not in METRICS:
        raise BadArguments(f"unknown measure {metric!r}", "--metric", f"known: {', '.join(METRICS)}")
    cascade = options.cascade_of(stages)
    guards = [load_beir(each) for each in guard or []]
    data = (load_beir(folder, split=train), load_beir(folder, split=dev))
    command = ("ponder", *sys.argv[1:])
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        cascade.check(chosen)
        settings = MiningSettings(budget=budget)
        loop = Loop(
            *data,
            guards,
            models,
            trainee_of(chosen, cache, seed=seed, command=command),
            mining(settings),
            cascade,
            budget,
            Rule(metric, harm),
            cache,
        )
        made = ("round-*", "report.md", "curve.svg", "best")
        TrainingFolder(out).open(loop.manifest(settings), fresh=fresh, forget=made)
        done = loop.run(out, rounds, progress, (lambda _: None) if as_json else _tell(metric))
        best = best_of(done)
        write_report(out, done, metric, command)
        if as_json:
            print_json(
                {
                    "best": best.number,
                    "models": best.figures.models,
                    "rounds": [_fields(each, metric) for each in done],
                }
            )
    if not as_json:
        rows = table("round", "retriever", "cascade", "guards", "kept", "why")
        for each in done:
            told = _fields(each, metric)
            guarded = ", ".join(f"{name} {value:.3f}" for name, value in each.figures.guards.items())
            rows.add_row(
                str(each.number),
                f"{told['retrieval']:.3f}",
                f"{told['cascade']:.3f}",
                guarded,
                "yes" if each.kept else "no",
                each.why,
            )
        show(rows)
        show(f"best: round {best.number}; use it: --models {best.figures.models}")


def _fields(found: Round, metric: str) -> dict[str, object]:
    return {
        "round": found.number,
        "models": found.figures.models,
        "retrieval": found.figures.mean("retrieval", metric),
        "cascade": found.figures.mean("cascade", metric),
        "tokens": found.figures.tokens,
        "guards": dict(found.figures.guards),
        "decisions": dict(found.decisions),
        "mining_tokens": found.mining_tokens,
        "seconds": dict(found.seconds),
        "kept": found.kept,
        "why": found.why,
    }


def _tell(metric: str) -> Callable[[Round], None]:
    def tell(found: Round) -> None:
        alone, whole = (found.figures.mean(stage, metric) for stage in ("retrieval", "cascade"))
        show(f"round {found.number}: {metric} {alone:.3f} alone, {whole:.3f} with judges; {found.why}")

    return tell
