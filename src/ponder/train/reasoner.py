"""``ponder train reasoner``: a student learns to write a teacher's ECRs, or to prefer the more useful."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ponder.models.folder import sha256_of
from ponder.train.base import Base
from ponder.train.checkpoints import TrainingFolder
from ponder.train.estimate import measured_tflops, shape_of
from ponder.train.job import digests, pairs_digest
from ponder.train.planned import Advance
from ponder.train.preferring import make_preferring
from ponder.train.pricing import Load, Price, price
from ponder.train.reasoner_card import card_of, preset_of, said
from ponder.train.reasoner_data import ReasonerJob, ReasonerReady
from ponder.train.reasoner_lines import Lines, chat_reasoner
from ponder.train.running import Outcome, Pace, Progress, Run, run
from ponder.train.stacks import padding
from ponder.train.stream import Stream, stream
from ponder.train.student import Student, Tuning, digest_of, half_here
from ponder.train.writing import make_writing


def train(
    job: ReasonerJob,
    ready: ReasonerReady,
    folder: TrainingFolder,
    progress: Progress,
    *,
    stop_after: int = 0,
    fresh: bool = False,
) -> Outcome:
    """Train, or go on with what was begun.

    Args:
        job: The training.
        ready: Of `ponder.train.reasoner_data.get_ready`.
        folder: Where it lives.
        progress: Tells how far it is.
        stop_after: Stop after so many steps, as if interrupted; 0 goes to the end.
        fresh: Begin anew.

    Raises:
        InputInvalid, BackendFailed: As `ponder.train.running.run`.
    """
    s = job.settings
    half = half_here(s.dtype)
    lora = s.tuning == "lora"
    student = Student(job.base, Tuning(lora, s.rank, s.alpha, s.seed, half, s.checkpointing))
    order = order_of(job, ready)
    pace = Pace(s.learning_rate, s.warmup, s.decay, s.every, s.seed, half, job.report_to)
    manifest = {
        "what": "reasoner",
        "base": digest_of(job.base),
        "reads": [job.base.max_pixels, job.base.frames],
        "asks": chat_reasoner(job, student.engine).fingerprint.partition("/chat-reasoner")[2],
        "settings": s.fields(),
        "bfloat16": half,
        "adapter": job.adapter if lora else "",
        "lessons": ready.digest,
        "data": {each.name: digests(each) for each in job.datasets},
        "pairs": [pairs_digest(file) for file in job.pairs],
        "ecrs": {file.name: sha256_of(file) for file in job.ecrs},
    }

    def trainer(advance: Advance) -> Any:
        lines = Lines(job, ready, student)
        if s.prefer:
            return make_preferring(student, lines, folder, order, pace, advance, stop_after, s.beta)
        return make_writing(student, lines, folder, order, pace, advance, stop_after)

    def before() -> None:
        folder.write("ecrs.jsonl", "".join(json.dumps(said(each)) + "\n" for each in ready.lessons))
        folder.write("preset.yaml", preset_of(job, student))

    def write(target: Path) -> None:
        student.save(target, job.adapter)
        (target / "README.md").write_text(card_of(job, ready, order).text(), encoding="utf-8")

    told = Run(folder, manifest, order.steps, s.seed, trainer, write, before, ready.left_out)
    return run(told, progress, fresh=fresh)


def estimate_of(job: ReasonerJob, ready: ReasonerReady, tflops: float | None = None) -> Price:
    """What the training will take; `tflops` of the device that it is meant for, measured here unless told."""
    s, order = job.settings, order_of(job, ready)
    half, lora = half_here(s.dtype), s.tuning == "lora"
    shape = shape_of(Base(job.base.model, job.base.revision))
    lines = Lines(job, ready, None)
    found = [lines.of(place) for place in range(lines.count)]
    pieces = [[line for place in piece for line in found[place]] for piece in order.pieces]
    vocabulary = len(ready.loaded.tokenizer)
    answers = [sum(len(line.answer) for line in piece) for piece in pieces]
    # Preferring reads each line once more, for what the base thinks of it.
    load = Load(
        lines.count,
        order.steps,
        sum(map(padding, pieces)),
        max(len(line.ids) for some in found for line in some),
        max(map(padding, pieces)),
        max(answers) * vocabulary,
    )
    trained = s.rank * shape.targets if lora else shape.parameters - shape.eye
    rate = measured_tflops(half=half) if tflops is None else tflops
    return price(
        load, shape, trained=trained, lora=lora, half=half, checkpointing=s.checkpointing, tflops=rate
    )


def order_of(job: ReasonerJob, ready: ReasonerReady) -> Stream:
    """The order of lessons or preferences; a preference about a picture is a piece alone."""
    s = job.settings
    pictured = any(each.chosen.item.kind != "text" for each in ready.preferences)
    count = len(ready.preferences) if s.prefer else len(ready.kept)
    return stream(
        count, epochs=s.epochs, batch=s.batch, mini=1 if s.prefer and pictured else s.mini, seed=s.seed
    )
