"""A reasoner's training before it begins: ECRs gathered, looked at, measured, and made into prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.index.cache import cache_key
from ponder.models.local.loading import Loaded, without_weights
from ponder.models.local.rendering import Renderer
from ponder.models.local.settings import LocalSettings
from ponder.protocols import BlobCache, Models
from ponder.records import Skipped
from ponder.train.adapters import need_training
from ponder.train.chat_base import reasoner_spec
from ponder.train.ecrs import read_ecrs
from ponder.train.gathering import Gathering, Sources
from ponder.train.lessons import Lesson, Preference, Rules, chosen_of, counted, preferences
from ponder.train.pairs import read_pairs
from ponder.train.reasoner_settings import ReasonerSettings
from ponder.train.running import Progress
from ponder.train.student import Adapter, check_adapter


@dataclass(frozen=True, slots=True)
class ReasonerJob:
    """A training of a reasoner.

    Attributes:
        datasets: What the ECRs are about.
        pairs: A file of mined pairs for each, or None.
        ecrs: Files of ECRs (`ponder.train.ecrs`).
        teachers: Sets of models whose reasoners write ECRs, beside those of the files.
        models: Their reasoner says how the student is asked; their embedder measures usefulness.
        base: The student.
        settings: How.
        cache: Has reasonings and vectors, and gets those that are missing.
        reason_tokens: Longest reasoning; None takes the models' own.
        adapter: Whether LoRA is "merged" into the weights, or "kept".
        licences: By data set's name, for the card.
        command: For the card.
        report_to: As for `ponder.train.job.Job`.
    """

    datasets: Sequence[Dataset]
    pairs: Sequence[Path | None]
    ecrs: Sequence[Path]
    teachers: Sequence[Models]
    models: Models
    base: LocalSettings
    settings: ReasonerSettings
    cache: BlobCache
    reason_tokens: int | None = None
    adapter: Adapter = "merged"
    licences: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    report_to: Sequence[str] = ("tensorboard",)

    @property
    def longest(self) -> int:
        """Tokens of a reasoning."""
        own = self.models.reason_tokens if self.reason_tokens is None else self.reason_tokens
        return self.settings.longest or own

    @property
    def sources(self) -> Sources:
        """Who writes and who measures."""
        measures = self.settings.useful is not None
        return Sources(self.teachers, self.models, self.cache, self.reason_tokens, measures)

    @property
    def traces(self) -> bool:
        """Whether the student is to think before it writes."""
        spec = reasoner_spec(self.models)
        return bool(spec and spec.trace > 0)


@dataclass(frozen=True, slots=True)
class ReasonerReady:
    """A job whose ECRs were looked through.

    Attributes:
        lessons: All ECRs, with their decisions.
        kept: Those that are learned from, in writing.
        preferences: Those that are, in preferring.
        left_out: Documents and ECRs that nothing could be made of, and why.
        loaded: The base without its weights.
    """

    lessons: tuple[Lesson, ...]
    kept: tuple[Lesson, ...]
    preferences: tuple[Preference, ...]
    left_out: tuple[Skipped, ...]
    loaded: Loaded

    @property
    def digest(self) -> str:
        """Over what is learned."""
        some = [[each.ecr.digest, each.ecr.text, each.ecr.trace] for each in self.kept]
        two = [
            [each.chosen.ecr.digest, each.chosen.ecr.text, each.rejected.ecr.text]
            for each in self.preferences
        ]
        return cache_key(what="lessons", kept=some, preferences=two)


def get_ready(job: ReasonerJob, progress: Progress, *, look_only: bool = False) -> ReasonerReady:
    """Gather ECRs and see which of them teach; no weights of the base are loaded.

    Args:
        job: The training.
        progress: Tells how far it is.
        look_only: For an estimate: no teacher writes, what the cache has is taken; nothing is measured.

    Raises:
        MissingDependency: The extra ``train`` is not installed, or the base's files cannot be had.
        BadArguments: There is nobody to learn from.
        InputInvalid: No usable ECR is left; says why most were left out.
    """
    need_training(job.report_to, more=("trl",) if job.settings.prefer else ())
    if not job.ecrs and not job.teachers:
        raise BadArguments(
            "nobody to learn from", "--teacher, --ecrs", "name models, or a file of ponder reason"
        )
    check_adapter(job.base, job.adapter, lora=job.settings.tuning == "lora")
    loaded = without_weights(job.base)
    renderer = Renderer(loaded)
    written = [ecr for file in job.ecrs for ecr in read_ecrs(file)]
    lessons: list[Lesson] = []
    chosen: list[Preference] = []
    left_out: list[Skipped] = []
    known: set[str] = set()
    for dataset, file in zip(job.datasets, job.pairs, strict=True):
        pairs = list(read_pairs(file)) if file else []
        known |= {item.id for item in dataset.items}
        left_out += dataset.skipped
        gathering = Gathering(job.sources, dataset, pairs, renderer, look_only)
        with progress(f"ECRs of {dataset.name}") as advance:
            found = list(gathering.lessons(written, advance))
        rules = Rules(job.settings.shortest, job.longest, job.settings.useful)
        with progress("usefulness") as advance:
            decided = chosen_of(found, rules, gathering.measuring(len(found), advance))
        lessons += decided
        chosen += preferences(decided, job.settings.gap)
        left_out += gathering.skipped
    left_out += [
        Skipped(f"ECR of {each.id}", "no such document in the data")
        for each in written
        if each.id not in known
    ]
    kept = () if job.settings.prefer else tuple(each for each in lessons if each.decision == "kept")
    ready = ReasonerReady(
        tuple(lessons), kept, tuple(chosen) if job.settings.prefer else (), tuple(left_out), loaded
    )
    _some_left(job, ready)
    return ready


def _some_left(job: ReasonerJob, ready: ReasonerReady) -> None:
    if ready.kept or ready.preferences:
        return
    where = ", ".join(each.name for each in job.datasets)
    if not ready.lessons:
        why = f"first: {ready.left_out[0].uri}: {ready.left_out[0].error}" if ready.left_out else ""
        raise InputInvalid("no ECR about any document", where, why or "see ponder reason")
    counts = ", ".join(f"{number} {name}" for name, number in counted(ready.lessons).items())
    if job.settings.prefer:
        how = "give several --teacher or --ecrs that differ, and --pairs"
        raise InputInvalid(f"no two ECRs about an item differ in usefulness: {counts}", where, how)
    first = next(each for each in ready.lessons if each.decision != "kept")
    raise InputInvalid(f"no usable ECR is left: {counts}", where, f"first: {first.item.id}, {first.why}")
