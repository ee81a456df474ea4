"""``ponder mine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish
from ponder.cli.present import skipped_json
from ponder.cli.reviewing import correct, review
from ponder.cli.spreading import SHARD_SECONDS, spread_of, tell_costs
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.evaluate.beir import Dataset
    from ponder.feedback.mining import MiningSettings
    from ponder.feedback.summary import Mining
    from ponder.spread.maker import Spread


def mine(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A BEIR folder.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.parquet, or a folder of parts; the same command again goes on.", show_default=False
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Mine for qrels/SPLIT.tsv.")] = "train",
    models: options.Models = "lite",
    budget: Annotated[int, typer.Option(help="Tokens a query; 0: by retrieval alone.")] = 1024,
    ranks: Annotated[
        str, typer.Option("--range", metavar="FIRST:LAST", help="Places of the retriever's ranking, from 1.")
    ] = "1:30",
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
        float, typer.Option(help="A label so many times likelier for a random document is suspect.")
    ] = 4.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where OUT holds pairs already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and stop.")] = False,
    review_of: Annotated[
        Path | None,
        typer.Option("--review", metavar="PAIRS", help="Write a page of doubtful pairs to OUT.html instead."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Pairs on that page.")] = 200,
    corrections: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take the page's corrections.json back into --pairs instead."),
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="Mined before; see --corrections.")] = None,
    on: options.On = "local",
    actors: options.Actors = None,
    actor_gpus: options.ActorGpus = 0.0,
    shard_seconds: options.ShardSeconds = SHARD_SECONDS,
    spool: options.SpoolFolder = None,
    as_json: options.Json = False,
) -> None:
    """Mine training pairs: hard negatives, and the false ones among them, by the judge's word.

    Writes Parquet, a row a pair with every figure behind its decision: what ponder train takes. A person's
    corrections are kept beside it, and hold when it is mined again.
    """
    if corrections is not None:
        correct(pairs, corrections, as_json=as_json)
        return
    if review_of is not None:
        review(review_of, folder, out, most, as_json=as_json)
        return
    if pairs is not None:
        raise BadArguments("pairs, and nothing to do with them", "--pairs", "it goes with --corrections FILE")
    if folder is None:
        raise BadArguments("nothing to mine", "DIR", "name the data set")
    if out is None:
        raise BadArguments("no place for the pairs", "--out", "give FILE.parquet or a folder")
    from ponder.evaluate.beir import load_beir
    from ponder.feedback.deciding import Thresholds
    from ponder.feedback.mining import MiningSettings

    lines = Thresholds(relative, margin, chance, sure, copy, easy, suspect)
    settings = MiningSettings(_places(ranks), budget, negatives, stages, lines)
    dataset = load_beir(folder, split=split)
    if dry_run:
        _price(dataset, settings, models, out, as_json=as_json)
        return
    spread = spread_of(on, actors=actors, gpus=actor_gpus, seconds=shard_seconds, spool=spool)
    found = _mine(dataset, settings, models, out, spread, fresh=fresh, as_json=as_json)
    left_out = skipped_json(found.left_out)
    if not as_json:
        _show(found)
    finish(left_out)


def _mine(
    dataset: Dataset,
    settings: MiningSettings,
    models: str,
    out: Path,
    spread: Spread | None,
    *,
    fresh: bool,
    as_json: bool,
) -> Mining:
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.settings import Settings
    from ponder.feedback.mining import mine as run
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        settings.cascade().check(chosen)
        with progress("documents") as advance:
            corpus = build_corpus(dataset.items, chosen, cache, Settings(), advance, spread=spread)
        tell_costs(spread)
        with progress("queries") as advance:
            found = run(dataset, corpus, settings, out, advance, fresh=fresh)
        if as_json:
            print_json(_fields(found))
    return found


def _fields(found: Mining) -> dict[str, object]:
    from ponder.train.pairs import spelt

    return {
        "pairs": str(found.path),
        "queries": found.queries,
        "decisions": {spelt(name): count for name, count in found.decisions.items()},
        "negatives": {str(key): value for key, value in found.negatives.items()},
        "tokens": found.tokens,
        "skipped": skipped_json(found.left_out),
    }


def _places(text: str) -> tuple[int, int]:
    first, _, last = text.replace("-", ":").partition(":")
    if not (first.strip().isdigit() and last.strip().isdigit()):
        raise BadArguments(f"not places: {text!r}", "--range", "give two, as in 1:30")
    return int(first), int(last)


def _price(dataset: Dataset, settings: MiningSettings, models: str, out: Path, *, as_json: bool) -> None:
    from ponder.feedback.pricing import price_mining
    from ponder.index.cache import Overlay, user_cache
    from ponder.models.registry import load

    with quiet_stdout(as_json), user_cache() as cache:
        # Nothing is written by a dry run: what is tried stays in memory.
        store = Overlay(cache)
        price = price_mining(dataset, settings, out, load(models, cache=store), store)
        if as_json:
            print_json(price.fields())
    if not as_json:
        for line in price.lines():
            show(line)


def _show(found: Mining) -> None:
    from ponder.feedback.labels import LEAST
    from ponder.train.pairs import spelt

    rows = table("decision", "pairs", "a query")
    for name, count in sorted(found.decisions.items(), key=lambda each: -each[1]):
        rows.add_row(spelt(name), f"{count:,}", f"{count / found.queries:.1f}")
    show(rows)
    counts = ", ".join(f"{key}: {value}" for key, value in found.negatives.items())
    show(f"{found.queries} queries; hard negatives a query → queries: {counts}")
    labels = sum(found.decisions.get(name, 0) for name in ("positive", "suspect-positive"))
    if labels < LEAST:
        show(
            f"{labels} labels: with fewer than {LEAST} none is doubted, so that none is suspect says nothing"
        )
    show(f"{found.tokens:,} tokens, {found.tokens / found.queries:.0f} a query")
    show(f"train on them: --pairs {found.path}; look at them: ponder mine --review {found.path}")
