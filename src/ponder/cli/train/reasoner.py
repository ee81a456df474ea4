"""``ponder train reasoner``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ponder.cli import options as general
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish
from ponder.cli.train import options, results
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.train.reasoner_data import ReasonerReady


def reasoner(
    out: options.Out,
    folders: options.Folders = None,
    data: options.Data = None,
    ecrs: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="ECRs of ponder reason to learn from.")
    ] = None,
    teacher: Annotated[
        list[str] | None, typer.Option(metavar="MODELS", help="Models whose reasoner writes ECRs.")
    ] = None,
    split: options.Split = "train",
    pairs: options.Pairs = None,
    models: general.Models = "lite",
    base: options.Base = None,
    tuning: Annotated[
        Literal["full", "lora"], typer.Option(help="full: all weights of the language model.")
    ] = "full",
    adapter: options.Adapter = "merged",
    rank: options.Rank = 16,
    alpha: options.Alpha = 64,
    epochs: options.Epochs = 1,
    rate: Annotated[
        float, typer.Option(help="Learning rate; 0: 2e-5, LoRA 1e-4; a twentieth with --prefer.")
    ] = 0.0,
    warmup: options.Warmup = 0.03,
    decay: options.Decay = 0.0,
    batch: Annotated[int, typer.Option(help="ECRs of a step.")] = 128,
    mini: options.Mini = 4,
    shortest: Annotated[int, typer.Option(help="Tokens of an ECR, at least.")] = 4,
    longest: Annotated[int, typer.Option(help="Tokens of an ECR, at most; 0: the models' own.")] = 0,
    useful: Annotated[
        str, typer.Option(metavar="N", help="Least usefulness of an ECR; none does not measure.")
    ] = "0",
    prefer: Annotated[
        bool, typer.Option("--prefer", help="Learn which of two ECRs is the more useful one (DPO).")
    ] = False,
    beta: Annotated[float, typer.Option(help="Of DPO: how dear it is to leave the base.")] = 0.1,
    gap: Annotated[float, typer.Option(help="Of DPO: usefulness that two ECRs differ by, at least.")] = 0.0,
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
    """Teach a chat model to write a teacher's ECRs: those of good form that help a search.

    --models says how it is asked and whose embedder measures. OUT/model is the result, OUT/preset.yaml has
    ponder use it, OUT/ecrs.jsonl says of each ECR what was decided. The same command again resumes.
    """
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.train.chat_base import reasoner_spec, settings_of
    from ponder.train.checkpoints import TrainingFolder
    from ponder.train.reasoner import estimate_of, train
    from ponder.train.reasoner_data import ReasonerJob, get_ready
    from ponder.train.reasoner_settings import ReasonerSettings

    settings = ReasonerSettings(
        tuning=tuning,
        rank=rank,
        alpha=alpha,
        epochs=epochs,
        rate=rate,
        warmup=warmup,
        decay=decay,
        batch=batch,
        mini=mini,
        shortest=shortest,
        longest=longest,
        useful=_useful(useful),
        prefer=prefer,
        beta=beta,
        gap=gap,
        checkpointing=checkpointing,
        dtype=dtype,
        every=every,
        seed=seed,
    )
    datasets = options.datasets(options.given(folders, data), split)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        spec = reasoner_spec(chosen)
        job = ReasonerJob(
            datasets,
            options.pairs_of(pairs, datasets),
            ecrs or [],
            [load(each, cache=cache) for each in teacher or []],
            chosen,
            settings_of(chosen, spec.engine if spec else None, base, "reasons"),
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
        told = results.fields(outcome, out)
        if as_json:
            print_json({**told, **_counts(ready), "skipped": skipped, "left_out": left_out})
    if not as_json:
        rows = table("ECRs", "")
        for name, number in _counts(ready)["ecrs"].items():
            rows.add_row(name, str(number))
        show(rows)
        results.show_outcome(outcome, out)
    finish(skipped, left_out)


def _counts(ready: ReasonerReady) -> dict[str, dict[str, int]]:
    from ponder.train.lessons import counted

    return {"ecrs": counted(ready.lessons)}


def _useful(text: str) -> float | None:
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise BadArguments(f"no number: {text!r}", "--useful", "give a number, or none") from error
