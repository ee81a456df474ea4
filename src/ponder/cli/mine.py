"""``ponder mine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.feedback.mining import Mining


def mine(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A BEIR folder.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(help="Folder for the pairs; the same command again goes on.", show_default=False),
    ],
    split: Annotated[str, typer.Option(help="Mine for qrels/SPLIT.tsv.")] = "train",
    models: options.Models = "lite",
    budget: Annotated[int, typer.Option(help="Tokens a query; 0: by retrieval alone.")] = 1024,
    ranks: Annotated[str, typer.Option(metavar="FIRST-LAST", help="Of the retriever's ranking.")] = "1-30",
    stages: Annotated[
        str, typer.Option(metavar="NAME,…", help="The judges, without retrieve.")
    ] = "ecr,query-aware:10",
    negatives: Annotated[int, typer.Option(help="Most hard negatives of a query.")] = 8,
    relative: Annotated[
        float, typer.Option(help="Above this share of the positive's score: doubtful.")
    ] = 0.95,
    margin: Annotated[float, typer.Option(help="Nearer to the positive's score: doubtful.")] = 0.0,
    chance: Annotated[float, typer.Option(help="From this probability on: a false negative.")] = 0.5,
    sure: Annotated[float, typer.Option(help="Up to this probability: a hard negative anyway.")] = 0.0,
    copy: Annotated[float, typer.Option(help="Closeness from which two are the same thing.")] = 0.8,
    easy: Annotated[float, typer.Option(help="Below this share of the positive's score: easy.")] = 0.3,
    suspect: Annotated[
        float, typer.Option(help="A positive below this share of the best score is suspect,")
    ] = 0.4,
    deep: Annotated[int, typer.Option(help="where so many documents are nearer.")] = 100,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where OUT holds pairs already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and stop.")] = False,
    as_json: options.Json = False,
) -> None:
    """Mine training pairs: hard negatives, and the false ones among them, by the judge's word.

    Writes OUT/pairs, Parquet, a row a pair with every figure behind its decision: what ponder train takes.
    """
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.settings import Settings
    from ponder.feedback.deciding import Thresholds
    from ponder.feedback.mining import MiningSettings
    from ponder.feedback.mining import mine as run
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    lines = Thresholds(relative, margin, chance, sure, copy, easy, suspect, deep)
    settings = MiningSettings(_ranks(ranks), budget, negatives, stages, lines)
    dataset = load_beir(folder, split=split)
    if dry_run:
        _price(len(dataset.queries), settings.ranks, budget, as_json)
        return
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        settings.cascade().check(chosen)
        with progress("documents") as advance:
            corpus = build_corpus(dataset.items, chosen, cache, Settings(), advance)
        with progress("queries") as advance:
            found = run(dataset, corpus, settings, out, advance, fresh=fresh)
        left_out = [{"uri": each.uri, "error": each.error} for each in found.left_out]
        if as_json:
            print_json(
                {
                    "pairs": str(found.path),
                    "queries": found.queries,
                    "decisions": dict(found.decisions),
                    "negatives": {str(key): value for key, value in found.negatives.items()},
                    "tokens": found.tokens,
                    "skipped": left_out,
                }
            )
    if not as_json:
        _show(found)
    finish(left_out)


def _ranks(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash or not (first.strip().isdigit() and last.strip().isdigit()):
        raise BadArguments(f"not places: {text!r}", "--ranks", "give two, as in 1-30")
    return int(first), int(last)


def _price(queries: int, ranks: tuple[int, int], budget: int, as_json: bool) -> None:
    most = queries * budget
    if as_json:
        print_json(
            {"queries": queries, "candidates": queries * (ranks[1] - ranks[0] + 1), "most_tokens": most}
        )
    else:
        show(f"{queries} queries, at most {most:,} tokens of judging")


def _show(found: Mining) -> None:
    rows = table("decision", "pairs")
    for name, count in sorted(found.decisions.items(), key=lambda each: -each[1]):
        rows.add_row(name, f"{count:,}")
    show(rows)
    counts = ", ".join(f"{key}: {value}" for key, value in found.negatives.items())
    show(f"{found.queries} queries; hard negatives a query: {counts}")
    show(f"{found.tokens:,} tokens; train on them: --pairs {found.path}")
