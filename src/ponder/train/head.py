"""``ponder train head``: an embedding head on a frozen reasoner (TTE_u, arXiv:2510.05014, section 3.3)."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ponder.models.local.heads import make_head
from ponder.models.sentence import having
from ponder.train.base import Base
from ponder.train.checkpoints import TrainingFolder
from ponder.train.contrastive import make_loss
from ponder.train.estimate import measured_tflops, shape_of
from ponder.train.head_card import card_of, preset_of
from ponder.train.head_data import HeadJob, HeadReady
from ponder.train.head_settings import HeadSettings
from ponder.train.head_states import States, headed
from ponder.train.job import digests, pairs_digest
from ponder.train.planned import Advance, planned
from ponder.train.pricing import Load, Price, price
from ponder.train.running import Outcome, Pace, Progress, Run, finished, following, run
from ponder.train.stream import Stream
from ponder.train.student import digest_of, half_here


def train(
    job: HeadJob,
    ready: HeadReady,
    folder: TrainingFolder,
    progress: Progress,
    *,
    stop_after: int = 0,
    fresh: bool = False,
) -> Outcome:
    """Train, or go on with what was begun; arguments as for `ponder.train.reasoner.train`.

    Raises:
        InputInvalid, BackendFailed: As `ponder.train.running.run`.
    """
    s = job.settings
    embedder = job.embedder()
    states = States(folder.path / "states", ready.prepared, embedder, job.ingest)
    pace = Pace(s.rate, s.warmup, s.decay, s.every, s.seed, False, job.report_to)
    told = s.fields()
    del told["mini_tokens"]
    manifest = {
        "what": "head",
        "base": digest_of(job.backbone),
        "backbone": embedder.fingerprint,
        "inputs": asdict(embedder.form),
        "mark": job.spec.mark,
        "reasoner": job.models.reasoner.fingerprint,
        "reason_tokens": job.ingest.reason_tokens,
        "settings": told,
        "training set": ready.prepared.digest,
        "data": {each.name: digests(each) for each in job.datasets},
        "pairs": [pairs_digest(file) for file in job.pairs],
    }
    made: dict[str, Any] = {}

    def trainer(advance: Advance) -> Any:
        if fresh:
            states.remove()
        if not s.learns:
            made["head"] = make_head(s.pooling, embedder.engine.loaded.inner)
            return SimpleNamespace(model=made["head"])
        with progress("hidden states") as told_states:
            states.compute(told_states)
        # The backbone's own copies of layers begin the head; it is never in the trainer's hands.
        made["head"] = make_head(s.pooling, embedder.engine.loaded.inner, seed=s.seed).float().train(True)
        model = headed(made["head"], embedder.dim)
        return _trainer(model, states, s, folder, ready.order, pace, advance, stop_after)

    def before() -> None:
        folder.write("preset.yaml", preset_of(job))

    def write(target: Path) -> None:
        from safetensors.torch import save_file

        if s.learns:
            weights = {name: each.cpu().contiguous() for name, each in made["head"].state_dict().items()}
            save_file(weights, target / "head.safetensors")
        (target / "README.md").write_text(card_of(job, ready).text(), encoding="utf-8")

    total = ready.order.steps
    told_run = Run(folder, manifest, total, s.seed, trainer, write, before, ready.left_out)
    outcome = run(told_run, progress, fresh=fresh)
    if folder.done:
        states.remove()
    return outcome


def estimate_of(job: HeadJob, ready: HeadReady, tflops: float | None = None) -> Price:
    """What the training will take; the states' reading by the backbone is in its time and tokens."""
    costs = ready.prepared.costs
    shape = shape_of(Base(job.backbone.model, job.backbone.revision))
    tokens = sum(costs.queries) + sum(costs.documents)
    longest = max(*costs.queries, *costs.documents)
    half = half_here(job.settings.dtype)
    rate = measured_tflops(half=half) if tflops is None else tflops
    load = Load(len(ready.prepared.rows), ready.order.steps, tokens, longest, longest, 0)
    trained = _head_parameters(job)
    found = price(load, shape, trained=trained, lora=True, half=half, checkpointing=False, tflops=rate)
    batches = [costs.of([ready.prepared.rows[place] for place in piece]) for piece in ready.order.pieces]
    memory = {
        "weights": found.memory["weights"] + trained * 4,
        "training": trained * 12,
        "states of a batch": max(batches, default=0) * shape.hidden * 4,
        "states on disk": tokens * shape.hidden * (2 if half else 4),
    }
    # The backbone goes forward only, once.
    return replace(found, memory=memory, seconds=found.seconds / 2)


def _head_parameters(job: HeadJob) -> int:
    import torch
    import transformers

    read: Any = transformers
    with having(job.backbone.model, "a chat model"), torch.device("meta"):
        config = read.AutoConfig.from_pretrained(job.backbone.model)
        inner = read.AutoModel.from_config(config)
    head = make_head(job.settings.pooling, inner)
    return sum(each.numel() for each in head.parameters())


def _trainer(
    model: Any,
    states: States,
    settings: HeadSettings,
    folder: TrainingFolder,
    order: Stream,
    pace: Pace,
    advance: Advance,
    stop_after: int,
) -> Any:
    import transformers

    loud: Any = transformers
    loss = make_loss(model, temperature=settings.temperature, mini_tokens=settings.mini_tokens)
    schedule = pace.schedule(order, stop_after)

    class Heading(planned(loud.Trainer, folder, schedule, states.batch)):  # type: ignore[misc]
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            return loss(inputs["features"], inputs["label"])

    trainer = Heading(
        model=model,
        args=loud.TrainingArguments(**pace.arguments(folder, order)),
        train_dataset=schedule.rows,
        callbacks=following(folder, schedule, advance),
    )
    trainer.model_accepts_loss_kwargs = False
    return finished(trainer)
