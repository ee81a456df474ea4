"""``ponder train head``."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from ponder.cli import options as general
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.cli.partly import finish
from ponder.cli.train import options, results


def head(
    out: options.Out,
    folders: options.Folders = None,
    data: options.Data = None,
    pooling: Annotated[
        Literal["last", "mean", "attention", "q-former", "self-attention"],
        typer.Option(help="Which head; last and mean have no weights: their preset alone is made."),
    ] = "attention",
    split: options.Split = "train",
    pairs: options.Pairs = None,
    models: general.Models = "lite",
    base: options.Base = None,
    epochs: options.Epochs = 1,
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 1e-4,
    warmup: options.Warmup = 0.1,
    decay: options.Decay = 0.01,
    batch: Annotated[int, typer.Option(help="Most pairs of a batch.")] = 256,
    batch_tokens: Annotated[int, typer.Option(help="Most tokens of a batch.")] = 65536,
    mini_tokens: Annotated[int, typer.Option(help="Most tokens in the head's graph at a time.")] = 8192,
    negatives: Annotated[int, typer.Option(help="Most hard negatives of a query.")] = 4,
    temperature: Annotated[float, typer.Option(help="Of InfoNCE.")] = 0.02,
    promote: Annotated[bool, typer.Option("--promote", help="False negatives are positives.")] = False,
    suspects: options.Suspects = True,
    dtype: options.Dtype = "auto",
    every: options.Every = 0,
    reason_tokens: general.ReasonTokens = None,
    licence: options.Licence = None,
    report_to: options.ReportTo = "tensorboard",
    seed: options.Seed = 0,
    stop_after: options.StopAfter = 0,
    fresh: options.Fresh = False,
    resume: options.Resume = False,
    dry_run: options.DryRun = False,
    tflops: options.Tflops = None,
    as_json: general.Json = False,
) -> None:
    """Train an embedding head on a frozen chat model, so that one model reasons and embeds.

    The model of --models that embeds, or else reasons, is read once and not changed. OUT/model holds the
    head, OUT/preset.yaml has ponder use it. The same command again resumes.
    """
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.train.checkpoints import TrainingFolder
    from ponder.train.head import estimate_of, train
    from ponder.train.head_data import HeadJob, backbone_of, get_ready
    from ponder.train.head_settings import HeadSettings

    settings = HeadSettings(
        pooling=pooling,
        epochs=epochs,
        rate=rate,
        warmup=warmup,
        decay=decay,
        batch=batch,
        batch_tokens=batch_tokens,
        mini_tokens=mini_tokens,
        negatives=negatives,
        temperature=temperature,
        promote=promote,
        suspects=suspects,
        dtype=dtype,
        every=every,
        seed=seed,
    )
    datasets = options.datasets(options.given(folders, data), split)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        job = HeadJob(
            datasets,
            options.pairs_of(pairs, datasets),
            chosen,
            *backbone_of(chosen, base),
            settings,
            cache,
            reason_tokens,
            options.licences(licence, datasets),
            ("ponder", *options.lasting(sys.argv[1:])),
            options.reports(report_to),
        )
        ready = get_ready(job, progress, look_only=dry_run)
        if dry_run:
            results.price(estimate_of(job, ready, tflops), as_json=as_json)
            return
        outcome = train(job, ready, TrainingFolder(out), progress, stop_after=stop_after, fresh=fresh)
        skipped, left_out = results.left_out(outcome.left_out)
        if as_json:
            print_json(
                {**results.fields(outcome, out), "pooling": pooling, "skipped": skipped, "left_out": left_out}
            )
    if not as_json:
        results.show_outcome(outcome, out)
    finish(skipped, left_out)
