"""``ponder train adapter``: from data sets to an adapter's folder, its card, and what it does on dev."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ponder.evaluate.beir import Dataset
from ponder.evaluate.media_sums import media_sha256
from ponder.models.folder import sha256_of
from ponder.models.lite.adapter import FILE, save_adapter
from ponder.presets.lite import LiteModels
from ponder.protocols import BlobCache, Models
from ponder.records import Skipped
from ponder.train.adapter import AdapterSettings, fit_adapter
from ponder.train.checkpoints import TrainingFolder
from ponder.train.evaluating import Overlay, retrieved
from ponder.train.examples import Example, Examples, examples_of
from ponder.train.job import Progress, digests, pairs_digest
from ponder.train.pairs import read_pairs
from ponder.train.pictures import Pictures, classes_of, pictures_of

Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class AdapterJob:
    """A training of an adapter.

    Attributes:
        datasets: To learn from.
        pairs: A file of mined pairs for each, or None.
        dev: To measure on; may be none.
        models: `lite` without an adapter.
        cache: Has perceptions and vectors, and gets those that are missing.
        settings: How.
        licences: By data set's name, for the card.
        command: For the card.
    """

    datasets: Sequence[Dataset]
    pairs: Sequence[Path | None]
    dev: Sequence[Dataset]
    models: LiteModels
    cache: BlobCache
    settings: AdapterSettings = field(default_factory=AdapterSettings)
    licences: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()

    def manifest(self) -> dict[str, Any]:
        """Whatever decides the result."""
        return {
            "part": "adapter",
            "base": self.models.embedder.fingerprint,
            "reasoner": self.models.reasoner.fingerprint,
            "settings": self.settings.fields(),
            "data": {each.name: digests(each) for each in self.datasets},
            "dev": {each.name: {file.name: sha256_of(file) for file in each.files} for each in self.dev},
            "media": [media_sha256(each) for each in (*self.datasets, *self.dev)],
            "pairs": [pairs_digest(file) for file in self.pairs],
        }


@dataclass(frozen=True, slots=True)
class AdapterOutcome:
    """What came of it.

    Attributes:
        queries: That were learned from.
        pictures: That were learned from, mined negatives among them.
        before, after: Metrics of plain retrieval by data set, on dev.
        left_out: Queries and files that were not learned from, and why.
    """

    queries: int
    pictures: int
    before: Scores
    after: Scores
    left_out: tuple[Skipped, ...]


def train_adapter(
    job: AdapterJob, folder: TrainingFolder, progress: Progress, *, fresh: bool = False
) -> AdapterOutcome:
    """Fit an adapter and write it to ``model`` in the folder; a minute or so, so there are no checkpoints.

    Args:
        job: The training.
        folder: Where it lives. The same job again fits nothing anew.
        progress: Tells how far it is.
        fresh: Begin anew.

    Raises:
        InputInvalid: Another training is in the folder, or there is nothing to learn from.
        BackendFailed: The result could not be written.
    """
    manifest, s = job.manifest(), job.settings
    folder.check(manifest, fresh=fresh)
    found = [
        examples_of(dataset, read_pairs(file) if file else (), promote=s.promote, suspects=s.suspects)
        for dataset, file in zip(job.datasets, job.pairs, strict=True)
    ]
    with progress("pictures") as advance:
        examples = _apart(job.datasets, found)
        pictures = pictures_of(
            examples,
            job.models,
            job.cache,
            negatives=s.negatives,
            strangers=s.strangers,
            advance=advance,
        )
    # Not before: what is here is forgotten only once there is something to learn from.
    folder.open(manifest, fresh=fresh)
    if not folder.done:
        classes = classes_of(job.models.sight, pictures.features) if s.classes else None
        with progress("steps") as advance:
            grid, mean = fit_adapter(pictures, classes, s, advance)
        sight = job.models.sight
        told = {"vision": sight.vision.fingerprint, "text": sight.encoder.fingerprint}
        folder.replace(folder.model, lambda target: save_adapter(target, grid, mean, **told))
    before = _measured(job, job.models, progress)
    after = _measured(job, LiteModels(job.cache, adapter=str(folder.model)), progress)
    outcome = AdapterOutcome(
        len(pictures.names),
        len(pictures.documents),
        before,
        after,
        tuple(_left_out(job.datasets, found, pictures)),
    )
    folder.write("README.md", _card(job, outcome, sha256_of(folder.model / FILE)))
    return outcome


def _apart(datasets: Sequence[Dataset], found: Sequence[Examples]) -> list[Example]:
    """Examples of all data sets; ids are told apart by the data set where there are several."""
    if len(datasets) == 1:
        return list(found[0].kept)
    apart = []
    for dataset, examples in zip(datasets, found, strict=True):
        name = dataset.name
        apart += [
            Example(
                replace(each.query, id=f"{name}/{each.query.id}"),
                tuple(replace(item, id=f"{name}/{item.id}") for item in each.positives),
                tuple(replace(item, id=f"{name}/{item.id}") for item in each.negatives),
                {f"{name}/{key}": score for key, score in each.scores.items()},
                frozenset(f"{name}/{key}" for key in each.spared),
            )
            for each in examples.kept
        ]
    return apart


def _measured(job: AdapterJob, models: Models, progress: Progress) -> dict[str, dict[str, float]]:
    scores = {}
    for dataset in job.dev:
        with progress(f"documents of {dataset.name}") as advance:
            scores[dataset.name] = retrieved(dataset, models, Overlay(job.cache), advance=advance)
    return scores


def _left_out(datasets: Sequence[Dataset], found: Sequence[Examples], pictures: Pictures) -> list[Skipped]:
    left: list[Skipped] = []
    for dataset, examples in zip(datasets, found, strict=True):
        left += [*dataset.skipped, *examples.left_out()]
    return [*left, *pictures.skipped]


def _card(job: AdapterJob, outcome: AdapterOutcome, digest: str) -> str:
    lines = [
        f"# An adapter of lite, trained on {', '.join(each.name for each in job.datasets)}\n",
        "Made by `ponder train adapter`; use it: `--models lite,adapter=FOLDER/model`.\n",
        f"- `{FILE}`: a map from EfficientNet's features (1280) to MiniLM's space (384), sha256 `{digest}`",
        f"- Between: `{job.models.embedder.fingerprint}`",
        f"- Learned from {outcome.queries} queries and {outcome.pictures} pictures\n",
        "## Data\n",
    ]
    for dataset, file in zip(job.datasets, job.pairs, strict=True):
        licence = job.licences.get(dataset.name) or "not told"
        mined = f", pairs of `{file.name}`" if file else ", labels alone"
        lines.append(f"- {dataset.name}, split {dataset.split}{mined}; licence: {licence}")
    lines.append("\n## Scores\n\nPlain retrieval, before → after, on dev:\n")
    for name, after in outcome.after.items():
        told = (f"{key} {outcome.before[name][key]:.3f} → {after[key]:.3f}" for key in ("hit@1", "hit@10"))
        lines.append(f"- {name}: {', '.join(told)}")
    lines.append(f"\n## How to make it again\n\n```sh\n{shlex.join(job.command)}\n```\n")
    lines += ["| setting | value |\n| --- | --- |"]
    lines += [f"| {key} | {value} |" for key, value in job.settings.fields().items()]
    return "\n".join(lines) + "\n"
