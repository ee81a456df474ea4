"""Items as embedders read them: the item, and its reasoning behind it (TTE's h = f(x, ECR))."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.records import Content, PartReasoning, Reasoning

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Format:
    """How item and reasoning become what an embedder reads.

    Attributes:
        document: Instruction for documents.
        query: Instruction for queries without one of their own.
        joined: Text with reasoning: ``{text}`` and ``{reasoning}`` are filled in.
        words: Longest text, in words.
        frames: Most pictures of one input.
    """

    document: str = "Represent the item for retrieval."
    query: str = "Find what the query asks for."
    joined: str = "{text}\n{reasoning}"
    words: int = 400
    frames: int = 8

    @property
    def fingerprint(self) -> str:
        """All of it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]

    def text(self, text: str, reasoning: str) -> str:
        """Words of an input; reasoning that only repeats the text is not said twice."""
        text, reasoning = _cut(text, self.words), reasoning.strip()
        if not text or not reasoning or reasoning in text or text in reasoning:
            return reasoning if text in reasoning else text or reasoning
        return self.joined.format(text=text, reasoning=reasoning)


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """What is embedded as one vector.

    Attributes:
        instruction: What the embedding is for.
        pictures: RGB, in order.
        text: The item's words together with its reasoning, as `Format.joined` has them.
        reasoning: The reasoning alone, for embedders that read it as the model's own words.
        label: Of the part, "" for the whole.
        own: The item's words without reasoning.
    """

    instruction: str
    pictures: tuple[Image, ...]
    text: str
    reasoning: str = ""
    label: str = ""
    own: str = ""


def document_inputs(content: Content, reasoning: Reasoning, form: Format, *, sees: bool) -> list[Input]:
    """The whole and its parts: a text's and page's passages, a clip's segments."""
    from ponder.media.passages import passages_of

    whole = reasoning.text if reasoning.text.strip() != content.text.strip() else ""
    pictures = _spread(content.images, form.frames) if sees else ()
    found = [_input(form, form.document, pictures, content.text, whole, "")]
    passages = [p for p in reasoning.parts if p.label.startswith("chars=")] or [
        PartReasoning(f"chars={p.start}-{p.end}", p.text) for p in passages_of(content)
    ]
    if len(passages) > 1:
        found += [_input(form, form.document, (), p.text, whole, p.label) for p in passages]
    if content.kind == "video" and sees and len(content.segments) > 1:
        said = {part.label: part.text for part in reasoning.parts}
        for start, end in content.segments:
            label = f"t={start:g},{end:g}"
            frames = [
                image
                for image, time in zip(content.images, content.times, strict=True)
                if start <= time < end
            ]
            if frames:
                shown = _spread(frames, form.frames)
                found.append(_input(form, form.document, shown, "", said.get(label, whole), label))
    return found


def query_input(content: Content, reasoning: Reasoning | None, form: Format, *, sees: bool) -> Input:
    """A query, with its reasoning if there is some."""
    pictures = _spread(content.images, form.frames) if sees else ()
    thought = "" if reasoning is None else reasoning.text
    return _input(form, content.instruction or form.query, pictures, content.text, thought, "")


def _input(
    form: Format, instruction: str, pictures: tuple[Image, ...], text: str, reasoning: str, label: str
) -> Input:
    joined = form.text(text, reasoning)
    return Input(instruction, pictures, joined, reasoning.strip(), label, _cut(text, form.words))


def _cut(text: str, words: int) -> str:
    return " ".join(text.split()[:words])


def _spread(pictures: Sequence[Image], most: int) -> tuple[Image, ...]:
    if len(pictures) <= most:
        return tuple(pictures)
    return tuple(pictures[int((i + 0.5) * len(pictures) / most)] for i in range(most))
