"""``ponder train adapter``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ponder.cli import options as general
from ponder.cli.console import print_json, progress, quiet_stdout, show
from ponder.cli.partly import finish
from ponder.cli.train import options, results
from ponder.errors import BadArguments


def adapter(
    out: options.Out,
    folders: options.Folders = None,
    data: options.Data = None,
    split: options.Split = "train",
    pairs: options.Pairs = None,
    dev: options.Dev = None,
    models: general.Models = "lite",
    steps: Annotated[int, typer.Option(help="Of the optimiser.")] = 200,
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 0.02,
    decay: Annotated[float, typer.Option(help="Weight decay.")] = 6.0,
    temperature: Annotated[float, typer.Option(help="Of InfoNCE.")] = 0.02,
    batch: Annotated[int, typer.Option(help="Most queries of a step.")] = 512,
    negatives: Annotated[int, typer.Option(help="Most mined negatives of a query.")] = 8,
    strangers: Annotated[
        bool, typer.Option("--strangers", help="Also negatives that answer no query of the training set.")
    ] = False,
    classes: Annotated[float, typer.Option(help="Weight of what the classifier knows already.")] = 1.0,
    dropout: Annotated[
        float, typer.Option(help="Share of a look's features that a step does not see.")
    ] = 0.3,
    akin: Annotated[
        str,
        typer.Option(help="Share of the loss for labels softened by what is asked; of several, the mean."),
    ] = "0,0.3",
    warmth_akin: Annotated[float, typer.Option(help="Of likenesses, for --akin.")] = 0.1,
    distil: Annotated[float, typer.Option(help="Weight of the judge's ranking; needs --pairs.")] = 0.0,
    warmth: Annotated[float, typer.Option(help="Of the judge's scores, for --distil.")] = 0.5,
    promote: Annotated[bool, typer.Option("--promote", help="False negatives are positives.")] = False,
    suspects: options.Suspects = True,
    licence: options.Licence = None,
    seed: options.Seed = 0,
    fresh: options.Fresh = False,
    resume: options.Resume = False,
    as_json: general.Json = False,
) -> None:
    """Teach lite what labelled pictures mean: a map from looks to meaning, in a minute on a CPU.

    OUT/model is the result; use it as --models lite,adapter=OUT/model.
    """
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.train.adapter import AdapterSettings
    from ponder.train.adapter_job import AdapterJob, train_adapter
    from ponder.train.checkpoints import TrainingFolder
    from ponder.train.pictures import lite_of

    settings = AdapterSettings(
        steps=steps,
        rate=rate,
        decay=decay,
        temperature=temperature,
        batch=batch,
        negatives=negatives,
        strangers=strangers,
        classes=classes,
        dropout=dropout,
        akin=_shares(akin),
        warmth_akin=warmth_akin,
        distil=distil,
        warmth=warmth,
        promote=promote,
        suspects=suspects,
        seed=seed,
    )
    datasets = options.datasets(options.given(folders, data), split)
    with quiet_stdout(as_json), user_cache() as cache:
        job = AdapterJob(
            datasets,
            options.pairs_of(pairs, datasets),
            options.dev_of(dev, options.given(folders, data)),
            lite_of(load(models, cache=cache)),
            cache,
            settings,
            options.licences(licence, datasets),
            ("ponder", *options.lasting(sys.argv[1:])),
        )
        outcome = train_adapter(job, TrainingFolder(out), progress, fresh=fresh)
        skipped, left_out = results.left_out(outcome.left_out)
        if as_json:
            print_json(
                {
                    "queries": outcome.queries,
                    "pictures": outcome.pictures,
                    "before": outcome.before,
                    "after": outcome.after,
                    "model": str(out / "model"),
                    "skipped": skipped,
                    "left_out": left_out,
                }
            )
    if not as_json:
        measures = ("hit@1", "hit@10", "ndcg@10", "recall@100")
        results.show_before_after(outcome.before, outcome.after, measures)
        show(
            f"learned from {outcome.queries} queries, {outcome.pictures} pictures; use it:"
            f" --models lite,adapter={out / 'model'}"
        )
    finish(skipped, left_out)


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadArguments(
            f"not shares: {text!r}", "--akin", "give numbers from 0 to 1, as in 0,0.3"
        ) from None
