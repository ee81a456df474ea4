"""A training of an embedder before it begins: what is asked for, and the data made ready and planned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ponder.errors import BadArguments
from ponder.evaluate.beir import Dataset
from ponder.models.folder import sha256_of
from ponder.protocols import BlobCache, Models
from ponder.records import Skipped
from ponder.shelf.ingest import Ingest
from ponder.train.adapters import need_training
from ponder.train.base import Base, Ruler
from ponder.train.batching import plan
from ponder.train.estimate import Estimate, estimate, measured_tflops, shape_of
from ponder.train.examples import Examples, examples_of
from ponder.train.pairs import read_pairs
from ponder.train.prepared import Advance, Prepared, Preparing
from ponder.train.settings import EmbedderSettings

Progress = Callable[[str], AbstractContextManager[Advance]]
"""From what is being done to a context that gives a function to tell how far it is."""


@dataclass(frozen=True, slots=True)
class Job:
    """A training.

    Attributes:
        datasets: A task each.
        pairs: A file of mined pairs for each, or None.
        dev: What to measure on as it goes; may be none.
        models: Their reasoner writes the ECRs.
        base: What to train.
        settings: How.
        cache: Has the reasonings, and gets those that are missing.
        reason_tokens: Longest reasoning about a document; None takes the models' own.
        adapter: Whether LoRA is "merged" into the weights, or "kept" as an adapter of its base.
        licences: By data set's name, for the card.
        command: For the card.
        report_to: Where the trainer reports to beside our log: "tensorboard", "wandb", …
    """

    datasets: Sequence[Dataset]
    pairs: Sequence[Path | None]
    dev: Sequence[Dataset]
    models: Models
    base: Base
    settings: EmbedderSettings
    cache: BlobCache
    reason_tokens: int | None = None
    adapter: Literal["merged", "kept"] = "merged"
    licences: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    report_to: Sequence[str] = ("tensorboard",)

    def manifest(self, ready: Ready) -> dict[str, Any]:
        """Whatever decides the result: a training is gone on with only where all of it is the same."""
        return {
            "base": self.base.digest,
            "inputs": asdict(self.base.form),
            "prompts": dict(self.base.prompts),
            "reasoner": self.models.reasoner.fingerprint,
            "reason_tokens": self.ingest.reason_tokens,
            "settings": self.settings.fields(),
            "bfloat16": ready.half,
            "adapter": self.adapter if ready.lora else "",
            "processes": processes(),
            "batches": len(ready.batches),
            "training set": ready.prepared.digest,
            "data": {each.name: digests(each) for each in self.datasets},
            "dev": {each.name: digests(each) for each in self.dev},
            "pairs": [pairs_digest(file) for file in self.pairs],
        }

    @property
    def ingest(self) -> Ingest:
        """Opens documents and has their reasonings."""
        return Ingest(self.models, self.cache, reason_tokens=self.reason_tokens)


@dataclass(frozen=True, slots=True)
class Ready:
    """A job whose data was looked through.

    Attributes:
        prepared: What is trained on.
        batches: In order.
        lora: Whether an adapter is trained.
        half: Whether arithmetic is in bfloat16.
        left_out: Queries and files that are not trained on, and why.
    """

    prepared: Prepared
    batches: Sequence[Sequence[int]]
    lora: bool
    half: bool
    left_out: tuple[Skipped, ...]


def get_ready(job: Job, progress: Progress, *, look_only: bool = False) -> Ready:
    """Look through a job's data and plan its batches; no weights of the base are loaded.

    Args:
        job: The training.
        progress: Tells how far it is.
        look_only: For an estimate: nothing is reasoned about that was not before.

    Raises:
        MissingDependency: The extra ``train`` is not installed, or the base cannot be had.
        InputInvalid: Nothing can be trained on.
        BadArguments: The settings ask for what the data has not.
    """
    need_training(job.report_to)
    s = job.settings
    examples = [_examples(dataset, file, s) for dataset, file in zip(job.datasets, job.pairs, strict=True)]
    ruler = Ruler(job.base)
    with progress("training set") as advance:
        prepared = Preparing(job.ingest, ruler, s.negatives, look_only=look_only).of(
            [
                (dataset.name, found.kept, dataset.items)
                for dataset, found in zip(job.datasets, examples, strict=True)
            ],
            advance,
        )
    if (s.kl or s.cosent) and not prepared.scored:
        raise BadArguments(
            "no query has two documents that a judge scored", "--kl, --cosent", "give --pairs with its scores"
        )
    batches = plan(
        prepared.rows,
        prepared.costs,
        tokens=s.batch_tokens,
        pairs=s.batch,
        epochs=s.epochs,
        seed=s.seed,
        multiple=processes(),
    )
    lora = s.tuning == "lora" or (s.tuning == "auto" and ruler.sees)
    return Ready(prepared, batches, lora, _half(s), tuple(left_out_of(job.datasets, examples, prepared)))


def estimate_of(job: Job, ready: Ready, tflops: float | None = None) -> Estimate:
    """What the training will take; `tflops` of the device that it is meant for, measured here unless told."""
    rate = measured_tflops(half=ready.half) if tflops is None else tflops
    return estimate(
        ready.prepared,
        ready.batches,
        shape_of(job.base),
        job.settings,
        lora=ready.lora,
        half=ready.half,
        tflops=rate,
    )


def _examples(dataset: Dataset, file: Path | None, settings: EmbedderSettings) -> Examples:
    pairs = read_pairs(file) if file else ()
    return examples_of(dataset, pairs, promote=settings.promote, suspects=settings.suspects)


def digests(dataset: Dataset) -> dict[str, str]:
    """A data set's files by name, for a manifest."""
    return {"split": dataset.split, **{file.name: sha256_of(file) for file in dataset.files}}


def pairs_digest(file: Path | None) -> dict[str, str]:
    """A file of pairs, or a folder's files; none for none."""
    if file is None:
        return {}
    files = sorted(file.glob("*.parquet")) if file.is_dir() else [file]
    return {each.name: sha256_of(each) for each in files}


def left_out_of(
    datasets: Sequence[Dataset], examples: Sequence[Examples], prepared: Prepared
) -> Iterator[Skipped]:
    """All that is not trained on, and why."""
    for dataset, found in zip(datasets, examples, strict=True):
        yield from dataset.skipped
        yield from found.left_out()
    yield from prepared.skipped
    for name in prepared.alone:
        yield Skipped(f"query {name}", "none of its positives can be opened")


def processes() -> int:
    """That train together, as torchrun or accelerate says."""
    return max(1, int(os.environ.get("WORLD_SIZE", "1")))


def first() -> bool:
    """Whether this is the process that writes, of those that train together."""
    return os.environ.get("RANK", "0") == "0"


def _half(settings: EmbedderSettings) -> bool:
    import torch

    if settings.dtype == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return settings.dtype == "bfloat16"
