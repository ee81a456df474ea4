"""What a loop teaches: from mined pairs to another set of models, by the name that ``--models`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ponder.evaluate.beir import Dataset
from ponder.presets.lite import LiteModels
from ponder.protocols import BlobCache, Models
from ponder.train.adapter import AdapterSettings
from ponder.train.adapter_job import AdapterJob, train_adapter
from ponder.train.base import base_of
from ponder.train.checkpoints import TrainingFolder
from ponder.train.embedder import train
from ponder.train.job import Job, Progress, get_ready
from ponder.train.settings import EmbedderSettings


class Trainee(Protocol):
    """A retriever that learns from pairs, each time from its base."""

    @property
    def settings(self) -> object:
        """Of the training."""
        ...

    def learn(self, dataset: Dataset, pairs: Path | None, out: Path, progress: Progress) -> str:
        """Train.

        Args:
            dataset: The training split.
            pairs: Mined for it; None to learn from its labels alone.
            out: Where the training lives; the same again goes on or finds the result.
            progress: Tells how far it is.

        Returns:
            The models with what was learned, as in ``--models``.
        """
        ...


@dataclass(frozen=True, slots=True)
class LiteTrainee:
    """`lite`: its adapter is fitted anew.

    Attributes:
        models: Without an adapter.
        cache: Of perceptions and vectors.
        settings: How.
        command: For the card.
    """

    models: LiteModels
    cache: BlobCache
    settings: AdapterSettings = field(default_factory=AdapterSettings)
    command: Sequence[str] = ()

    def learn(self, dataset: Dataset, pairs: Path | None, out: Path, progress: Progress) -> str:
        """See `Trainee`."""
        job = AdapterJob([dataset], [pairs], (), self.models, self.cache, self.settings, command=self.command)
        folder = TrainingFolder(out)
        train_adapter(job, folder, progress)
        return f"{self.models.name},adapter={folder.model.absolute()}"


@dataclass(frozen=True, slots=True)
class SentenceTrainee:
    """A set of models that embeds with a model of sentence-transformers: that is fine-tuned.

    Attributes:
        models: The base.
        cache: Of reasonings.
        settings: How.
        command: For the card.
    """

    models: Models
    cache: BlobCache
    settings: EmbedderSettings = field(default_factory=EmbedderSettings)
    command: Sequence[str] = ()

    def learn(self, dataset: Dataset, pairs: Path | None, out: Path, progress: Progress) -> str:
        """See `Trainee`."""
        job = Job(
            [dataset],
            [pairs],
            (),
            self.models,
            base_of(self.models, None),
            self.settings,
            self.cache,
            command=self.command,
        )
        train(job, get_ready(job, progress), TrainingFolder(out), progress)
        return str((out / "preset.yaml").absolute())


def trainee_of(models: Models, cache: BlobCache, *, seed: int, command: Sequence[str] = ()) -> Trainee:
    """What of these models can learn.

    Raises:
        BadArguments: Nothing that ponder trains.
    """
    if isinstance(models, LiteModels) and models.adapter is None:
        return LiteTrainee(models, cache, AdapterSettings(seed=seed), command)
    _ = base_of(models, None)
    return SentenceTrainee(models, cache, EmbedderSettings(seed=seed), command)
