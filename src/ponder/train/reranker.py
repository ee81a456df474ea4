"""``ponder train reranker``: a judge learns from labels, from mined pairs, and from a larger judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.protocols import BlobCache, Models
from ponder.records import Skipped
from ponder.train.adapters import need_training
from ponder.train.checkpoints import TrainingFolder
from ponder.train.describing import Card, data_lines, preset
from ponder.train.estimate import measured_tflops, shape_of
from ponder.train.job import digests, pairs_digest
from ponder.train.judge_base import JudgeBase
from ponder.train.pairs import read_pairs
from ponder.train.planned import Advance
from ponder.train.pricing import Load, Price, price
from ponder.train.ranking_trainer import make_ranking
from ponder.train.reranker_data import Listed, Listing, Told, digest_of_lists
from ponder.train.reranker_settings import RerankerSettings
from ponder.train.running import Outcome, Pace, Progress, Run, run
from ponder.train.stream import Stream, stream
from ponder.train.student import Adapter, half_here


@dataclass(frozen=True, slots=True)
class RerankerJob:
    """A training of a reranker.

    Attributes:
        datasets: A task each.
        pairs: A file of mined pairs for each, or None; a judge's scores in it can be learned from.
        models: Their reasoner and embedder make what the judge reads; its stage is one of theirs.
        base: The judge.
        settings: How.
        cache: Has reasonings and vectors, and gets those that are missing.
        reason_tokens: Longest reasoning about a document; None takes the models' own.
        adapter: Whether LoRA is "merged" into the weights, or "kept".
        licences: By data set's name, for the card.
        command: For the card.
        report_to: As for `ponder.train.job.Job`.
    """

    datasets: Sequence[Dataset]
    pairs: Sequence[Path | None]
    models: Models
    base: JudgeBase
    settings: RerankerSettings
    cache: BlobCache
    reason_tokens: int | None = None
    adapter: Adapter = "merged"
    licences: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    report_to: Sequence[str] = ("tensorboard",)


@dataclass(frozen=True, slots=True)
class RerankerReady:
    """A job whose data was looked through.

    Attributes:
        lists: What is learned from.
        left_out: What is not, and why.
    """

    lists: tuple[Listed, ...]
    left_out: tuple[Skipped, ...]


def get_ready(job: RerankerJob, progress: Progress, *, look_only: bool = False) -> RerankerReady:
    """Look through a job's data; documents are reasoned about and embedded where they were not.

    Args:
        job: The training.
        progress: Tells how far it is.
        look_only: For an estimate: nothing is reasoned about or embedded.

    Raises:
        MissingDependency: The extra ``train`` is not installed.
        BadArguments: The settings ask for what base or data have not.
        InputInvalid: Nothing can be trained on.
    """
    need_training(job.report_to)
    s = job.settings
    job.base.check(s, job.adapter)
    told = Told(s.negatives, s.fill, s.promote, s.suspects, s.seed)
    lists: list[Listed] = []
    left_out: list[Skipped] = []
    for dataset, file in zip(job.datasets, job.pairs, strict=True):
        listing = Listing(
            job.models, job.cache, job.base.showing, told, job.reason_tokens, look_only=look_only
        )
        with progress(f"lists of {dataset.name}") as advance:
            lists += listing.of(dataset, list(read_pairs(file)) if file else [], advance)
        left_out += listing.skipped
    if not lists:
        first = f"first: {left_out[0].uri}: {left_out[0].error}" if left_out else ""
        names = ", ".join(each.name for each in job.datasets)
        raise InputInvalid("no query has both a positive and a negative", names, first)
    if s.distill != "none" and not any(each.scored > 1 for each in lists):
        raise BadArguments(
            "no query has two documents that a judge scored", "--distill", "give --pairs with its scores"
        )
    return RerankerReady(tuple(lists), tuple(left_out))


def train(
    job: RerankerJob,
    ready: RerankerReady,
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
    half = half_here(s.dtype)
    lora = job.base.lora(s)
    order = order_of(job, ready)
    scorer = job.base.scorer(s, half=half)
    pace = Pace(s.learning_rate(lora=lora), s.warmup, s.decay, s.every, s.seed, half, job.report_to)
    manifest = {
        "what": "reranker",
        "base": job.base.digest,
        "asks": job.base.asks,
        "settings": s.fields(),
        "bfloat16": half,
        "adapter": job.adapter if lora else "",
        "lists": digest_of_lists(ready.lists),
        "data": {each.name: digests(each) for each in job.datasets},
        "pairs": [pairs_digest(file) for file in job.pairs],
    }

    def trainer(advance: Advance) -> Any:
        return make_ranking(scorer, ready.lists, s, folder, order, pace, advance, stop_after)

    def before() -> None:
        parts, engines = job.base.preset(s, job.adapter)
        names = ", ".join(each.name for each in job.datasets)
        about = f"{job.base.name}, trained to judge on {names}"
        folder.write("preset.yaml", preset(job.models, {"judges": parts}, engines, about))

    def write(target: Path) -> None:
        scorer.save(target, job.adapter)
        (target / "README.md").write_text(_card(job, ready, order).text(), encoding="utf-8")

    told = Run(folder, manifest, order.steps, s.seed, trainer, write, before, ready.left_out)
    return run(told, progress, fresh=fresh)


def estimate_of(job: RerankerJob, ready: RerankerReady, tflops: float | None = None) -> Price:
    """What the training will take; `tflops` of the device that it is meant for, measured here unless told."""
    s, order = job.settings, order_of(job, ready)
    half, lora = half_here(s.dtype), job.base.lora(s)
    shape = shape_of(job.base.model)
    counter = job.base.counter()
    lengths = [counter.lengths(each.content(), each.candidates) for each in ready.lists]
    # Each list is as wide as its longest pair.
    reads = [len(some) * max(some) for some in lengths]
    load = Load(
        len(ready.lists),
        order.steps,
        sum(reads[place] for piece in order.pieces for place in piece),
        max(max(some) for some in lengths),
        max(sum(reads[place] for place in piece) for piece in order.pieces),
        max(map(len, lengths)) * s.mini * job.base.vocabulary(),
    )
    trained = s.rank * shape.targets if lora else shape.parameters - shape.eye
    rate = measured_tflops(half=half) if tflops is None else tflops
    return price(
        load, shape, trained=trained, lora=lora, half=half, checkpointing=s.checkpointing, tflops=rate
    )


def order_of(job: RerankerJob, ready: RerankerReady) -> Stream:
    """The order of lists."""
    s = job.settings
    return stream(len(ready.lists), epochs=s.epochs, batch=s.batch, mini=s.mini, seed=s.seed)


def _card(job: RerankerJob, ready: RerankerReady, order: Stream) -> Card:
    s = job.settings
    lora = f"LoRA, rank {s.rank}, alpha {s.alpha}, {job.adapter}"
    negatives = sum(gain == 0 for each in ready.lists for gain in each.gains)
    scored = sum(each.scored for each in ready.lists)
    losses = [s.loss] * (s.loss != "none") + [f"{s.distill} of a judge's scores x {s.weight:g}"] * (
        s.distill != "none"
    )
    tuned = lora if job.base.lora(s) else "all weights, but for an eye's"
    return Card(
        f"A reranker trained on {', '.join(each.name for each in job.datasets)}",
        "train reranker",
        job.base.name,
        job.base.digest,
        ["`preset.yaml`, which lies beside this folder, shows it what it was shown in training."],
        [
            f"Trained: {tuned}; {order.steps} steps; loss: {' + '.join(losses)}",
            f"Asked: {job.base.asks}",
            f"Stage: {job.base.stage}",
        ],
        data_lines(job.datasets, job.pairs, job.licences),
        {
            "Lists": f"{len(ready.lists)} queries, {negatives} negatives, mined ones first; {scored} pairs"
            " with a judge's score. Never a negative: labelled positives, known false negatives,"
            " near-duplicates, and whatever has the same content."
        },
        job.command,
        s.fields(),
        ["reranker", *(["lora"] if job.base.lora(s) else [])],
    )
