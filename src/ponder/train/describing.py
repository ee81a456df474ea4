"""Model cards and presets of trained reasoners, rerankers and heads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from ponder.evaluate.beir import Dataset
from ponder.presets.chat import ChatModels
from ponder.protocols import Models

_PACKAGES = ("torch", "transformers", "sentence-transformers", "peft", "trl", "accelerate")


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card says.

    Attributes:
        title: Heading.
        command: The sub-command that made it, as in "train reasoner".
        base: Folder or name on the hub.
        digest: Of the base.
        about: Paragraphs below the heading.
        facts: One a line.
        data: One a line.
        sections: By heading, what stands there.
        told: As on the command line.
        settings: All of them.
        tags: For model hubs.
    """

    title: str
    command: str
    base: str
    digest: str
    about: Sequence[str]
    facts: Sequence[str]
    data: Sequence[str]
    sections: Mapping[str, str]
    told: Sequence[str]
    settings: Mapping[str, Any]
    tags: Sequence[str] = field(default_factory=tuple)

    def text(self) -> str:
        """Markdown with the front matter of model hubs."""
        front = {"base_model": self.base, "tags": ["ponder", *self.tags]}
        parts = [
            f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n",
            f"# {self.title}\n",
            f"Made by `ponder {self.command}`.",
            *(f"{each}\n" for each in self.about),
            f"- Base: `{self.base}`, digest `{self.digest}`",
            *(f"- {each}" for each in self.facts),
            "\n## Data\n",
            *(f"- {each}" for each in self.data),
            *(f"\n## {heading}\n\n{text}" for heading, text in self.sections.items()),
            "\n## How to make it again\n",
            f"```sh\n{shlex.join(self.told)}\n```\n",
            "| setting | value |\n| --- | --- |",
            *(f"| {key} | {value} |" for key, value in self.settings.items()),
            "\nWith " + ", ".join(_versions()) + ".",
        ]
        return "\n".join(parts) + "\n"


def _versions() -> Iterator[str]:
    for name in _PACKAGES:
        # trl is needed for preferences only.
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"


def data_lines(
    datasets: Sequence[Dataset], pairs: Sequence[Path | None], licences: Mapping[str, str]
) -> list[str]:
    """A line of a card for each data set."""
    return [
        f"{each.name}, split {each.split}, {f'pairs of `{file.name}`' if file else 'labels alone'};"
        f" licence: {licences.get(each.name) or 'not told'}"
        for each, file in zip(datasets, pairs, strict=True)
    ]


def preset(models: Models, parts: Mapping[str, Any], engines: Mapping[str, Any], about: str) -> str:
    """A preset's file: some parts anew, all else as it was in the models that were trained with.

    A preset of a file is written out in full, so that engines which old and new parts share load once; what
    was measured about its judges is left out, because it was measured beside other parts.

    Args:
        models: That were trained with.
        parts: By name, "reasoner", "embedder" or "judges", what the file says of it. Judges are added to
            those that are there.
        engines: To add, by name.
        about: One line.
    """
    if isinstance(models, ChatModels):
        table = models.preset.model_dump(mode="json", exclude_defaults=True)
        table.pop("calibration", None)
    else:
        table = {"parts_of": models.name, "reason_tokens": models.reason_tokens}
        table["reason_batch"] = int(getattr(models, "reason_batch", 1))
    table |= {"name": "trained", "about": about}
    if engines:
        table["engines"] = {**table.get("engines", {}), **engines}
    for name, part in parts.items():
        table[name] = {**table.get("judges", {}), **part} if name == "judges" else part
    return yaml.safe_dump(table, sort_keys=False, allow_unicode=True)
