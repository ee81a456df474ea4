"""``ponder train embedder``: from a planned training to a model, its card and the preset that uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.embed.sentence import SentenceEmbedder
from ponder.errors import InputInvalid, InputNotFound, ModelInvalid
from ponder.models.quiet import quiet
from ponder.records import Skipped
from ponder.train.adapters import merge, put_on
from ponder.train.card import Told, card, preset
from ponder.train.checkpoints import TrainingFolder
from ponder.train.collating import Collator
from ponder.train.contrastive import make_loss
from ponder.train.evaluating import mean_of, measure
from ponder.train.job import Job, Progress, Ready, first, processes
from ponder.train.planned import Schedule, load_weights
from ponder.train.prepared import Advance
from ponder.train.trainer import make_trainer

Scores = Mapping[str, Mapping[str, float]]
"""Metrics by data set."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training.

    Attributes:
        steps: That were made.
        total: That there are.
        best: The step whose weights are the result; 0 while there is none.
        before, after: Metrics by data set on dev; empty without dev, `after` also while there is no result.
        left_out: As in `Ready`.
    """

    steps: int
    total: int
    best: int
    before: Scores
    after: Scores
    left_out: tuple[Skipped, ...]


def train(
    job: Job,
    ready: Ready,
    folder: TrainingFolder,
    progress: Progress,
    *,
    stop_after: int = 0,
    fresh: bool = False,
) -> Outcome:
    """Train, or go on with what was begun; on a CPU the weights are the same to the bit either way.

    Args:
        job: The training.
        ready: Of `get_ready`.
        folder: Where it lives.
        progress: Tells how far it is.
        stop_after: Stop after so many steps, as if interrupted; 0 goes to the end.
        fresh: Begin anew.

    Raises:
        InputInvalid: Something else was begun in the folder; says what differs.
        BackendFailed: A checkpoint could not be written; the one before is there. Or the loss is not finite.
    """
    import torch

    if first():
        folder.open(job.manifest(ready), fresh=fresh)
    total = len(ready.batches) // processes()
    at = (folder.steps() or [0])[-1]
    if not folder.done:
        torch.manual_seed(job.settings.seed)
        embedder = _embedder(job, ready)
        if first():
            folder.forget_after(at)
            if job.dev and not folder.logged():
                _reason(job, progress)
                folder.log({"step": 0, "eval": _measured(job, embedder, 0)})
        if at < total:
            with progress("steps") as advance:
                trainer = _trainer(job, ready, folder, embedder, advance, stop_after)
                trainer.train(resume_from_checkpoint=str(folder.checkpoint(at)) if at else None)
            at = int(trainer.state.global_step)
        if at == total and first():
            best = _best(folder, job.settings.metric) or total
            load_weights(embedder.model, folder.checkpoint(best))
            _write(job, ready, folder, embedder.model, best)
    if not first():
        return Outcome(at, total, 0, {}, {}, ())
    best = (_best(folder, job.settings.metric) or total) if folder.done else 0
    if folder.done:
        # What going on would take is as large as the model a few times over.
        at = total
        folder.remove_checkpoints()
    evals = {line["step"]: line["eval"] for line in folder.logged() if "eval" in line}
    return Outcome(at, total, best, evals.get(0, {}), evals.get(best, {}) if best else {}, ready.left_out)


def _embedder(job: Job, ready: Ready) -> SentenceEmbedder:
    """The base, with its adapter if there is one; weights loaded."""
    import torch

    device = "" if torch.cuda.is_available() else "cpu"
    # All weights are kept in float32: AdamW's steps are too small for what bfloat16 can hold.
    embedder = job.base.embedder(dtype="bfloat16" if ready.half and ready.lora else "float32", device=device)
    if ready.lora:
        put_on(embedder.model, rank=job.settings.rank, alpha=job.settings.alpha, seed=job.settings.seed)
    if job.settings.checkpointing:
        # Not through the trainer's argument: the library passes it on by a name that is given up.
        with quiet():
            embedder.model.transformers_model.activation_checkpointing_enable()
    return embedder


def _trainer(
    job: Job,
    ready: Ready,
    folder: TrainingFolder,
    embedder: SentenceEmbedder,
    advance: Advance,
    stop_after: int,
) -> Any:
    import torch

    s, model = job.settings, embedder.model
    loss = make_loss(
        model, temperature=s.temperature, kl=s.kl, cosent=s.cosent, dims=s.dims, mini_tokens=s.mini_tokens
    )
    steps = len(ready.batches) // processes()
    arguments = {
        # TensorBoard's files go to its folder "runs".
        "output_dir": str(folder.path),
        "seed": s.seed,
        "learning_rate": s.learning_rate(lora=ready.lora),
        "warmup_steps": int(s.warmup * steps),
        "weight_decay": s.decay,
        "report_to": list(job.report_to),
        "bf16": ready.half,
        "use_cpu": not torch.cuda.is_available(),
    }

    def evaluate(step: int) -> dict[str, dict[str, float]]:
        return _measured(job, embedder, step)

    return make_trainer(
        model,
        loss,
        Collator(ready.prepared, embedder, job.ingest),
        folder,
        Schedule(ready.batches, s.every or -(-steps // s.epochs), stop_after),
        evaluate if job.dev else None,
        lambda: _best(folder, s.metric),
        arguments,
        advance,
    )


def _reason(job: Job, progress: Progress) -> None:
    """Have dev's documents reasoned about, so that every evaluation finds it in the cache."""
    ingest = job.ingest
    items = [item for dataset in job.dev for item in dataset.items]
    with progress("dev documents") as advance:
        for number, item in enumerate(items, 1):
            try:
                ingest.reason(ingest.document(item))
            except ModelInvalid:
                raise
            except (InputInvalid, InputNotFound):
                pass  # no evaluation can open it either; what is left is measured
            advance(number, len(items))


def _measured(job: Job, embedder: SentenceEmbedder, step: int) -> dict[str, dict[str, float]]:
    with quiet():
        return measure(job.dev, job.models, embedder, job.cache, step=step, reason_tokens=job.reason_tokens)


def _best(folder: TrainingFolder, metric: str) -> int:
    """The step with the best mean of a metric, the first of equals; 0 where nothing was measured."""
    scores = {line["step"]: mean_of(line["eval"], metric) for line in folder.logged() if "eval" in line}
    scores.pop(0, None)
    return max(scores, key=lambda step: (scores[step], -step)) if scores else 0


def _write(job: Job, ready: Ready, folder: TrainingFolder, model: Any, best: int) -> None:
    """The result: preset first, then the model with its card, whose folder says that all is done."""
    merged = job.adapter == "merged"
    if ready.lora and merged:
        merge(model)
    evals = {line["step"]: line["eval"] for line in folder.logged() if "eval" in line}
    told = Told(
        job.base,
        job.base.digest,
        job.settings,
        ready.lora,
        merged,
        ready.prepared,
        {
            dataset.name: {
                "split": dataset.split,
                "pairs": file.name if file else "",
                "licence": job.licences.get(dataset.name, ""),
            }
            for dataset, file in zip(job.datasets, job.pairs, strict=True)
        },
        job.models.reasoner.fingerprint,
        job.ingest.reason_tokens,
        evals.get(0, {}),
        evals.get(best, {}),
        best,
        len(ready.batches) // processes(),
        job.command,
    )
    folder.write("preset.yaml", preset(told, job.models.name, int(getattr(job.models, "reason_batch", 1))))

    def write(target: Path) -> None:
        with quiet():
            model.save_pretrained(str(target), create_model_card=False)
        if ready.lora and not merged:
            bound = {"model": job.base.model, "revision": job.base.revision, "digest": told.digest}
            (target / "base.json").write_text(json.dumps(bound, indent=1) + "\n", encoding="utf-8")
        (target / "README.md").write_text(card(told), encoding="utf-8")

    folder.replace(folder.model, write)
