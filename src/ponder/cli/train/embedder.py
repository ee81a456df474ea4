"""``ponder train embedder``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ponder.cli import options as general
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish
from ponder.cli.train import options, results
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.train.embedder import Outcome
    from ponder.train.estimate import Estimate


def embedder(
    out: options.Out,
    folders: options.Folders = None,
    data: options.Data = None,
    split: options.Split = "train",
    pairs: options.Pairs = None,
    dev: options.Dev = None,
    models: general.Models = "lite",
    base: options.Base = None,
    tuning: Annotated[
        Literal["auto", "lora", "full"],
        typer.Option(help="auto: LoRA for models that see, else all weights."),
    ] = "auto",
    adapter: Annotated[
        Literal["merged", "kept"], typer.Option(help="Whether LoRA is merged into the result.")
    ] = "merged",
    rank: Annotated[int, typer.Option(help="Of LoRA.")] = 16,
    alpha: Annotated[int, typer.Option(help="Of LoRA.")] = 64,
    epochs: Annotated[int, typer.Option(help="Times over all pairs.")] = 1,
    rate: Annotated[float, typer.Option(help="Learning rate; 0: 1e-4 for LoRA, else 2e-5.")] = 0.0,
    warmup: Annotated[float, typer.Option(help="Share of the steps.")] = 0.1,
    decay: Annotated[float, typer.Option(help="Weight decay.")] = 0.01,
    batch: Annotated[int, typer.Option(help="Most pairs of a batch.")] = 256,
    batch_tokens: Annotated[int, typer.Option(help="Most tokens of a batch.")] = 65536,
    mini_tokens: Annotated[int, typer.Option(help="Most tokens in a graph at a time: bounds memory.")] = 4096,
    negatives: Annotated[int, typer.Option(help="Most hard negatives of a query.")] = 4,
    temperature: Annotated[float, typer.Option(help="Of InfoNCE.")] = 0.02,
    kl: Annotated[float, typer.Option(help="Weight of the KL divergence from the judge's ranking.")] = 0.0,
    cosent: Annotated[float, typer.Option(help="Weight of CoSENT from the judge's gaps.")] = 0.0,
    dims: Annotated[str, typer.Option(metavar="N,N,…", help="Shorter lengths too (Matryoshka).")] = "",
    checkpointing: Annotated[bool, typer.Option("--checkpointing", help="Slower, in less memory.")] = False,
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16"], typer.Option(help="auto: bfloat16 on a GPU that has it.")
    ] = "auto",
    every: Annotated[int, typer.Option(help="Steps between evaluations; 0: one an epoch.")] = 0,
    metric: Annotated[str, typer.Option(help="By which the best checkpoint is chosen.")] = "ndcg@10",
    promote: Annotated[bool, typer.Option("--promote", help="False negatives are positives.")] = False,
    suspects: options.Suspects = True,
    reason_tokens: general.ReasonTokens = None,
    licence: options.Licence = None,
    report_to: options.ReportTo = "tensorboard",
    seed: options.Seed = 0,
    stop_after: options.StopAfter = 0,
    fresh: options.Fresh = False,
    resume: options.Resume = False,
    dry_run: options.DryRun = False,
    tflops: Annotated[
        float | None, typer.Option(help="For --dry-run: the device's 10^12 operations a second.")
    ] = None,
    as_json: general.Json = False,
) -> None:
    """Fine-tune an embedding model of sentence-transformers on labels and mined pairs.

    Documents are embedded with their reasoning, as a search will have them. OUT/model is the result,
    OUT/preset.yaml has ponder use it. The same command again resumes; --dry-run says what it would take.
    """
    from ponder.index.cache import user_cache
    from ponder.models.registry import load
    from ponder.train.base import base_of
    from ponder.train.checkpoints import TrainingFolder
    from ponder.train.embedder import train
    from ponder.train.job import Job, estimate_of, first, get_ready
    from ponder.train.settings import EmbedderSettings

    settings = EmbedderSettings(
        tuning=tuning,
        rank=rank,
        alpha=alpha,
        epochs=epochs,
        rate=rate,
        warmup=warmup,
        decay=decay,
        batch=batch,
        batch_tokens=batch_tokens,
        mini_tokens=mini_tokens,
        negatives=negatives,
        temperature=temperature,
        kl=kl,
        cosent=cosent,
        dims=_dims(dims),
        checkpointing=checkpointing,
        dtype=dtype,
        every=every,
        metric=metric,
        promote=promote,
        suspects=suspects,
        seed=seed,
    )
    datasets = options.datasets(options.given(folders, data), split)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        job = Job(
            datasets,
            options.pairs_of(pairs, datasets),
            options.dev_of(dev, options.given(folders, data)),
            chosen,
            base_of(chosen, base),
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
            found = estimate_of(job, ready, tflops)
            print_json(asdict(found)) if as_json else _show_estimate(found)
            return
        outcome = train(job, ready, TrainingFolder(out), progress, stop_after=stop_after, fresh=fresh)
        if not first():
            return
        skipped, left_out = results.left_out(outcome.left_out)
        if as_json:
            print_json({**_fields(outcome, out), "skipped": skipped, "left_out": left_out})
    if not as_json:
        _show(outcome, out)
    finish(skipped, left_out)


def _dims(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise BadArguments(f"not lengths: {text!r}", "--dims", "give whole numbers, as in 256,128,64")
    return tuple(int(part) for part in parts)


def _fields(outcome: Outcome, out: Path) -> dict[str, Any]:
    done = outcome.best > 0
    return {
        "done": done,
        "steps": outcome.steps,
        "total": outcome.total,
        "best": outcome.best,
        "before": outcome.before,
        "after": outcome.after,
        "model": str(out / "model") if done else None,
        "preset": str(out / "preset.yaml") if done else None,
    }


def _show(outcome: Outcome, out: Path) -> None:
    if not outcome.best:
        show(f"stopped after {outcome.steps} of {outcome.total} steps: the same command goes on")
        return
    measures = ("hit@1", "ndcg@5", "ndcg@10", "mrr@10", "recall@100")
    results.show_before_after(outcome.before, outcome.after, measures)
    show(f"step {outcome.best} of {outcome.total} is {out / 'model'}; use it: --models {out / 'preset.yaml'}")


def _show_estimate(found: Estimate) -> None:
    rows = table("what", "how much")
    rows.add_row("pairs, queries, documents", f"{found.examples}, {found.queries}, {found.documents}")
    rows.add_row("documents to reason about before", str(found.unreasoned))
    rows.add_row("steps", str(found.steps))
    rows.add_row("tokens", f"{found.tokens:,}, longest document {found.longest:,}")
    rows.add_row("trained parameters", f"{found.trained:,}")
    for name, size in found.memory.items():
        rows.add_row(f"memory for {name}", f"{size / 2**30:.2f} GiB")
    rows.add_row("memory", f"{sum(found.memory.values()) / 2**30:.2f} GiB")
    rows.add_row("time", f"{found.seconds / 60:.1f} min at {found.tflops:.2f} TFLOP/s")
    show(rows)
