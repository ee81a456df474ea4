"""The model card of a trained embedder, and the preset that has ponder use it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import yaml

from ponder.train.base import Base
from ponder.train.prepared import Prepared
from ponder.train.settings import EmbedderSettings

_PACKAGES = ("torch", "transformers", "sentence-transformers", "peft", "accelerate")


@dataclass(frozen=True, slots=True)
class Told:
    """What a card says.

    Attributes:
        base: What the training began with.
        digest: Of the base.
        settings: The training's.
        lora: Whether an adapter was trained.
        merged: Whether it was merged into the weights.
        prepared: The training set.
        data: By data set's name, what is told of it: split, licence.
        reasoner: Fingerprint of what wrote the documents' reasoning.
        reason_tokens: Its longest.
        before, after: Metrics by data set on dev, of the base and of the result; empty without dev.
        step: Of the result.
        steps: Of the training.
        command: As on the command line.
    """

    base: Base
    digest: str
    settings: EmbedderSettings
    lora: bool
    merged: bool
    prepared: Prepared
    data: Mapping[str, Mapping[str, str]]
    reasoner: str
    reason_tokens: int
    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, float]]
    step: int
    steps: int
    command: Sequence[str]


def card(told: Told) -> str:
    """The card, Markdown with the front matter of model hubs."""
    s, prepared = told.settings, told.prepared
    front = {
        "library_name": "sentence-transformers",
        "base_model": told.base.model,
        "tags": ["sentence-transformers", "ponder", *(["lora"] if told.lora else [])],
    }
    negatives = [len(row.documents) - 1 for row in prepared.rows]
    spared = sum(len(each.spared) for each in prepared.queries)
    adapter = f"LoRA, rank {s.rank}, alpha {s.alpha}, {'merged' if told.merged else 'kept beside the base'}"
    revision = f" at {told.base.revision}" if told.base.revision else ""
    prompts = "; ".join(f"{side}: {text!r}" for side, text in told.base.prompts.items())
    chosen = ", the best on dev" if told.after else ""
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n",
        f"# An embedder trained on {', '.join(prepared.tasks)}\n",
        "Made by `ponder train embedder`. Documents are embedded with what a reasoner wrote about them",
        "(TTE, arXiv:2510.05014): give it the same, or use `preset.yaml`, which lies beside this folder.\n",
        f"- Base: `{told.base.model}`{revision}, digest `{told.digest}`",
        f"- Trained: {adapter if told.lora else 'all weights'}; {told.step} of {told.steps} steps{chosen}",
        f"- Prompts: {prompts or 'the base has none of ours, or its own'}",
        f"- Instructions: document {told.base.form.document!r}, query {told.base.form.query!r}",
        f"- Budgets: {told.reason_tokens} tokens of reasoning a document, {told.base.form.words} words,"
        f" {told.base.form.frames} frames",
        f"- Reasoner: `{told.reasoner}`\n",
        "## Data\n",
        *(_data(name, about) for name, about in told.data.items()),
        f"\n{len(prepared.queries)} queries, {len(prepared.rows)} pairs, {len(prepared.documents)} documents."
        f" {len(prepared.skipped)} files could not be opened and were left out.\n",
        "## Negatives\n",
        f"All other documents of a batch, and up to {s.negatives} mined ones a query ({sum(negatives)},"
        f" {sum(not each for each in negatives)} pairs without). Never against a query: its positives, known"
        f" false negatives, near-duplicates, and whatever has the same content ({spared} barred in all).\n",
        *_scores(told),
        "## How to make it again\n",
        f"```sh\n{shlex.join(told.command)}\n```\n",
        "| setting | value |\n| --- | --- |",
        *(f"| {key} | {value} |" for key, value in s.fields().items()),
        "\nWith " + ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES) + ".",
    ]
    return "\n".join(parts) + "\n"


def _data(name: str, about: Mapping[str, str]) -> str:
    licence = about.get("licence") or "not told"
    pairs = f", pairs of `{about['pairs']}`" if about.get("pairs") else ", labels alone"
    return f"- {name}, split {about['split']}{pairs}; licence: {licence}"


def _scores(told: Told) -> list[str]:
    if not told.after:
        return ["## Scores\n", "Nothing was measured: there was no dev split.\n"]
    measures = ("hit@1", "ndcg@5", "ndcg@10", "mrr@10", "recall@100")
    lines = ["## Scores\n", "Plain retrieval, no judge, base → result, on dev:\n"]
    lines.append(f"| data | {' | '.join(measures)} |\n| --- |{' --- |' * len(measures)}")
    for name, after in told.after.items():
        before = told.before[name]
        cells = (f"{before[each]:.3f} → {after[each]:.3f}" for each in measures)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, "\nThe checkpoint was chosen by these figures: on other queries expect a little less.\n"]


def preset(told: Told, models: str, reason_batch: int) -> str:
    """A preset's file: the trained embedder, and all other parts of the models that it was trained with.

    Args:
        told: As for the card.
        models: As in ``--models``.
        reason_batch: Of those models.
    """
    embedder: dict[str, Any] = {"kind": "sentence", "model": "./model", "format": asdict(told.base.form)}
    if told.base.prompts:
        embedder["prompts"] = dict(told.base.prompts)
    if told.base.trust:
        embedder["remote_code"] = told.base.trust
    table = {
        "name": "trained",
        "about": f"{told.base.model}, trained on {', '.join(told.prepared.tasks)}",
        "parts_of": models,
        "reason_tokens": told.reason_tokens,
        "reason_batch": reason_batch,
        # Weights of judges were measured beside another embedder: `ponder calibrate` measures them anew.
        "embedder": embedder,
    }
    return yaml.safe_dump(table, sort_keys=False, allow_unicode=True)
