"""``ponder train reranker``."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from ponder.cli import options as general
from ponder.cli.console import print_json, progress, quiet_stdout
from ponder.cli.partly import finish
from ponder.cli.train import options, results


def reranker(
    out: options.Out,
    folders: options.Folders = None,
    data: options.Data = None,
    split: options.Split = "train",
    pairs: options.Pairs = None,
    models: general.Models = "lite",
    stage: Annotated[
        Literal["ecr", "query-aware"], typer.Option(help="Whose judge: it sees what that stage shows.")
    ] = "ecr",
    base: options.Base = None,
    loss: Annotated[
        Literal["pointwise", "listwise", "lambda", "none"], typer.Option(help="Over the labels.")
    ] = "listwise",
    distill: Annotated[
        Literal["none", "margin", "kl"], typer.Option(help="Over the scores of the judge of --pairs.")
    ] = "none",
    weight: Annotated[float, typer.Option(help="Of --distill beside --loss.")] = 1.0,
    tuning: Annotated[
        Literal["auto", "full", "lora"], typer.Option(help="auto: LoRA for chat models, else full.")
    ] = "auto",
    adapter: options.Adapter = "merged",
    rank: options.Rank = 16,
    alpha: options.Alpha = 64,
    epochs: options.Epochs = 1,
    rate: Annotated[float, typer.Option(help="Learning rate; 0: 1e-4 for LoRA, else 2e-5.")] = 0.0,
    warmup: options.Warmup = 0.1,
    decay: options.Decay = 0.01,
    batch: Annotated[int, typer.Option(help="Queries of a step.")] = 32,
    mini: Annotated[int, typer.Option(help="Queries, with all their documents, in a graph at a time.")] = 2,
    negatives: Annotated[int, typer.Option(help="Most negatives of a query.")] = 7,
    fill: Annotated[
        bool, typer.Option("--fill/--mined-only", help="Take others at random where fewer were mined.")
    ] = True,
    promote: Annotated[bool, typer.Option("--promote", help="False negatives are positives.")] = False,
    suspects: options.Suspects = True,
    checkpointing: options.Checkpointing = False,
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
    """Train a judge: a cross-encoder, or a chat model that answers yes or no.

    It learns from labels and mined pairs, from a larger judge's scores in --pairs, or from both. OUT/model is
    the result, OUT/preset.yaml has ponder use it. The same command again resumes.
    """
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.train.checkpoints import TrainingFolder
    from ponder.train.judge_base import judge_base
    from ponder.train.reranker import RerankerJob, estimate_of, get_ready, train
    from ponder.train.reranker_settings import RerankerSettings

    settings = RerankerSettings(
        tuning=tuning,
        rank=rank,
        alpha=alpha,
        epochs=epochs,
        rate=rate,
        warmup=warmup,
        decay=decay,
        batch=batch,
        mini=mini,
        negatives=negatives,
        fill=fill,
        loss=loss,
        distill=distill,
        weight=weight,
        promote=promote,
        suspects=suspects,
        checkpointing=checkpointing,
        dtype=dtype,
        every=every,
        seed=seed,
    )
    datasets = options.datasets(options.given(folders, data), split)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        job = RerankerJob(
            datasets,
            options.pairs_of(pairs, datasets),
            chosen,
            judge_base(chosen, stage, base),
            settings,
            cache,
            reason_tokens,
            adapter,
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
            told = {**results.fields(outcome, out), "queries": len(ready.lists)}
            print_json({**told, "skipped": skipped, "left_out": left_out})
    if not as_json:
        results.show_outcome(outcome, out)
    finish(skipped, left_out)
