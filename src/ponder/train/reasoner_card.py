"""What stands beside a trained reasoner: its card, its preset, and the report on its lessons."""

from __future__ import annotations

from typing import Any

from ponder.presets.spec import ReasonerSpec
from ponder.train.chat_base import reasoner_spec
from ponder.train.describing import Card, data_lines, preset
from ponder.train.lessons import Lesson, counted
from ponder.train.reasoner_data import ReasonerJob, ReasonerReady
from ponder.train.stream import Stream
from ponder.train.student import Student, digest_of


def said(lesson: Lesson) -> dict[str, Any]:
    """A line of the report: an ECR and what was decided about it."""
    measured = lesson.measured
    return {
        "id": lesson.item.id,
        "model": lesson.ecr.model,
        "decision": lesson.decision,
        "why": lesson.why,
        "usefulness": measured.value,
        "up": measured.up,
        "down": measured.down,
        "tokens": lesson.tokens,
        "reasoning": lesson.ecr.text,
    }


def preset_of(job: ReasonerJob, student: Student) -> str:
    """The preset that has ponder reason with the student."""
    spec = reasoner_spec(job.models) or ReasonerSpec(engine="")
    part = {**spec.model_dump(mode="json", exclude_defaults=True), "engine": "trained-reasoner"}
    engines = {"trained-reasoner": student.trained_settings(job.adapter)}
    names = ", ".join(each.name for each in job.datasets)
    return preset(
        job.models, {"reasoner": part}, engines, f"{job.base.model}, trained to reason about {names}"
    )


def card_of(job: ReasonerJob, ready: ReasonerReady, order: Stream) -> Card:
    """The model card."""
    s = job.settings
    counts = counted(ready.lessons)
    teachers = sorted({each.ecr.model for each in ready.lessons if each.ecr.model}) or ["not told"]
    lora = f"LoRA, rank {s.rank}, alpha {s.alpha}, {job.adapter}"
    learned = f"{len(ready.preferences)} preferences" if s.prefer else f"{len(ready.kept)} ECRs"
    how = "direct preference optimization (arXiv:2305.18290)" if s.prefer else "on the answers' tokens alone"
    return Card(
        f"A reasoner trained on {', '.join(each.name for each in job.datasets)}",
        "train reasoner",
        job.base.model,
        digest_of(job.base),
        [
            "It writes embedding-centric reasoning about documents (TTE, arXiv:2510.05014). `preset.yaml`,"
            " which lies beside this folder, asks it as it was asked in training."
        ],
        [
            f"Trained: {lora if s.tuning == 'lora' else 'all weights of the language model'}, eye frozen;"
            f" {order.steps} steps, {how}",
            f"Learned from: {learned}, of at most {job.longest} tokens",
            f"Teachers: {', '.join(f'`{each}`' for each in teachers)}",
            f"Measured with: `{job.models.embedder.fingerprint}`",
        ],
        data_lines(job.datasets, job.pairs, job.licences),
        {
            "Filter": "\n".join(f"- {name}: {number}" for name, number in counts.items())
            + "\n\nEach ECR and what was decided about it is in `ecrs.jsonl` beside this folder."
        },
        job.command,
        s.fields(),
        ["reasoner", *(["lora"] if s.tuning == "lora" else [])],
    )
