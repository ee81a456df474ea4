"""What stands beside a trained head: its card, and the preset that puts it on its backbone."""

from __future__ import annotations

from dataclasses import asdict

from ponder.train.describing import Card, data_lines, preset
from ponder.train.head_data import HeadJob, HeadReady
from ponder.train.student import digest_of

_ENGINE = "backbone"


def preset_of(job: HeadJob) -> str:
    """The preset that has ponder embed with the head."""
    part = job.spec.model_dump(mode="json", exclude_defaults=True)
    part |= {"kind": "backbone", "engine": job.engine or _ENGINE, "pooling": job.settings.pooling}
    part.pop("weights", None)
    if job.settings.learns:
        part["weights"] = "./model/head.safetensors"
    engines = {}
    if job.engine is None:
        told = asdict(job.backbone)
        told.pop("device")
        told.pop("dtype")
        engines = {_ENGINE: {"kind": "local", **told}}
    names = ", ".join(each.name for each in job.datasets)
    about = f"{job.backbone.model} with a {job.settings.pooling} head trained on {names}"
    return preset(job.models, {"embedder": part}, engines, about)


def card_of(job: HeadJob, ready: HeadReady) -> Card:
    """The model card."""
    s, prepared = job.settings, ready.prepared
    negatives = sum(len(row.documents) - 1 for row in prepared.rows)
    trained = f"the head alone, {ready.order.steps} steps" if s.learns else "nothing: it has no weights"
    return Card(
        f"An embedding head trained on {', '.join(each.name for each in job.datasets)}",
        "train head",
        job.backbone.model,
        digest_of(job.backbone),
        [
            "A frozen chat model reasons and embeds (TTE_u, arXiv:2510.05014, section 3.3). `preset.yaml`,"
            " which lies beside this folder, puts the head on it."
        ],
        [
            f"Head: {s.pooling}",
            f"Trained: {trained}; InfoNCE, temperature {s.temperature:g}",
            f"Reasoner: `{job.models.reasoner.fingerprint}`, {job.ingest.reason_tokens} tokens a document",
        ],
        data_lines(job.datasets, job.pairs, job.licences),
        {
            "Negatives": f"All other documents of a batch, and up to {s.negatives} mined ones a query"
            f" ({negatives}). {len(prepared.queries)} queries, {len(prepared.rows)} pairs,"
            f" {len(prepared.documents)} documents. Never against a query: its positives, known false"
            " negatives, near-duplicates, and whatever has the same content."
        },
        job.command,
        s.fields(),
        ["embedding-head"],
    )
