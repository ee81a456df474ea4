"""A head's training before it begins: which model it is put on, and the data made ready and planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ponder.embed.backbone import BackboneEmbedder
from ponder.embed.conditioned import Format
from ponder.evaluate.beir import Dataset
from ponder.models.local.engine import LocalEngine
from ponder.models.local.loading import Loaded, without_weights
from ponder.models.local.settings import LocalSettings
from ponder.presets.chat import ChatModels
from ponder.presets.spec import BackboneSpec
from ponder.protocols import BlobCache, Models
from ponder.records import Skipped
from ponder.shelf.ingest import Ingest
from ponder.train.adapters import need_training
from ponder.train.batching import plan
from ponder.train.chat_base import reasoner_spec, settings_of
from ponder.train.examples import examples_of
from ponder.train.head_settings import HeadSettings
from ponder.train.job import left_out_of
from ponder.train.pairs import read_pairs
from ponder.train.prepared import Prepared, Preparing
from ponder.train.running import Progress
from ponder.train.stream import Stream
from ponder.train.student import half_here


@dataclass(frozen=True, slots=True)
class HeadJob:
    """A training of a head.

    Attributes:
        datasets: A task each.
        pairs: A file of mined pairs for each, or None.
        models: Their reasoner writes the documents' ECRs.
        backbone: The frozen model.
        engine: Its name in the models' preset; None for another model.
        spec: How it reads inputs.
        settings: How.
        cache: Has reasonings, and gets those that are missing.
        reason_tokens: Longest reasoning about a document; None takes the models' own.
        licences: By data set's name, for the card.
        command: For the card.
        report_to: As for `ponder.train.job.Job`.
    """

    datasets: Sequence[Dataset]
    pairs: Sequence[Path | None]
    models: Models
    backbone: LocalSettings
    engine: str | None
    spec: BackboneSpec
    settings: HeadSettings
    cache: BlobCache
    reason_tokens: int | None = None
    licences: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    report_to: Sequence[str] = ("tensorboard",)

    @property
    def ingest(self) -> Ingest:
        """Opens documents and has their reasonings."""
        return Ingest(self.models, self.cache, reason_tokens=self.reason_tokens)

    def embedder(self, loaded: Loaded | None = None) -> BackboneEmbedder:
        """The backbone as ponder embeds with it; with `loaded`, without weights."""
        dtype: Literal["bfloat16", "float32"] = "bfloat16" if half_here(self.settings.dtype) else "float32"
        engine = LocalEngine(replace(self.backbone, dtype=dtype))
        if loaded is not None:
            engine.loaded = loaded
        form = Format(**self.spec.format.model_dump())
        return BackboneEmbedder(engine, pooling=self.settings.pooling, form=form, mark=self.spec.mark)


@dataclass(frozen=True, slots=True)
class HeadReady:
    """A job whose data was looked through.

    Attributes:
        prepared: What is trained on.
        order: Batches; none for a head without weights.
        left_out: What is not trained on, and why.
    """

    prepared: Prepared
    order: Stream
    left_out: tuple[Skipped, ...]


def backbone_of(models: Models, name: str | None) -> tuple[LocalSettings, str | None, BackboneSpec]:
    """The model that a head is put on: one that was named, the models' own backbone, or else their reasoner.

    Raises:
        BadArguments: The models have none here, and none was named.
    """
    spec = models.preset.embedder if isinstance(models, ChatModels) else None
    own = spec if isinstance(spec, BackboneSpec) else None
    reasons = reasoner_spec(models)
    engine = own.engine if own else reasons.engine if reasons else None
    found = settings_of(models, engine, name, "reasons")
    return found, None if name else engine, own or BackboneSpec(kind="backbone", engine="")


def get_ready(job: HeadJob, progress: Progress, *, look_only: bool = False) -> HeadReady:
    """Look through a job's data and plan its batches; no weights are loaded.

    Args:
        job: The training.
        progress: Tells how far it is.
        look_only: For an estimate: nothing is reasoned about that was not before.

    Raises:
        MissingDependency: The extra ``train`` is not installed, or the backbone's files cannot be had.
        InputInvalid: Nothing can be trained on.
    """
    need_training(job.report_to)
    s = job.settings
    examples = [
        examples_of(dataset, read_pairs(file) if file else (), promote=s.promote, suspects=s.suspects)
        for dataset, file in zip(job.datasets, job.pairs, strict=True)
    ]
    counter = job.embedder(without_weights(job.backbone))
    tasks = [(d.name, found.kept, d.items) for d, found in zip(job.datasets, examples, strict=True)]
    with progress("training set") as advance:
        prepared = Preparing(job.ingest, counter, s.negatives, look_only=look_only).of(tasks, advance)
    batches = plan(
        prepared.rows,
        prepared.costs,
        tokens=s.batch_tokens,
        pairs=s.batch,
        epochs=s.epochs,
        seed=s.seed,
    )
    order = Stream(tuple(tuple(each) for each in batches) if s.learns else (), 1)
    return HeadReady(prepared, order, tuple(left_out_of(job.datasets, examples, prepared)))
