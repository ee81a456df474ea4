"""Items as embedders read them: the item, and its reasoning behind it (TTE's h = f(x, ECR))."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.media.excerpt import first_words, spread
from ponder.models.engine import Prompt, Turn
from ponder.records import Content, Embedded, PartReasoning, Reasoning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Format:
    """How item and reasoning become what an embedder reads.

    Attributes:
        document: Instruction for documents without one of their own.
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
        text, reasoning = first_words(text, self.words), reasoning.strip()
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


def prompt_of(given: Input, text: str, opening: str = "") -> Prompt:
    """An input as a conversation: its instruction is the system's, pictures stand before `text`."""
    parts = (*given.pictures, *((text,) if text or not given.pictures else ()))
    return Prompt((Turn("system", (given.instruction,)), Turn("user", parts)), opening)


def embedded_of(inputs: Sequence[Sequence[Input]], vectors: NDArray[np.float32]) -> list[Embedded]:
    """Each item's vectors, out of the rows that all their inputs were embedded to, in order."""
    found, start = [], 0
    for some in inputs:
        labels = tuple(each.label for each in some)
        found.append(Embedded(labels, vectors[start : start + len(some)]))
        start += len(some)
    return found


def document_inputs(content: Content, reasoning: Reasoning, form: Format, *, sees: bool) -> list[Input]:
    """The whole and its parts: a text's and page's passages, a clip's segments."""
    from ponder.media.passages import passages_of

    whole = reasoning.text if reasoning.text.strip() != content.text.strip() else ""
    pictures = spread(content.images, form.frames) if sees else ()
    told = content.instruction or form.document
    found = [_input(form, told, pictures, content.text, whole, "")]
    passages = [p for p in reasoning.parts if p.label.startswith("chars=")] or [
        PartReasoning(f"chars={p.start}-{p.end}", p.text) for p in passages_of(content)
    ]
    if len(passages) > 1:
        found += [_input(form, told, (), p.text, whole, p.label) for p in passages]
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
                shown = spread(frames, form.frames)
                found.append(_input(form, told, shown, "", said.get(label, whole), label))
    return found


def query_input(content: Content, reasoning: Reasoning | None, form: Format, *, sees: bool) -> Input:
    """A query, with its reasoning if there is some."""
    pictures = spread(content.images, form.frames) if sees else ()
    thought = "" if reasoning is None else reasoning.text
    return _input(form, content.instruction or form.query, pictures, content.text, thought, "")


def _input(
    form: Format, instruction: str, pictures: tuple[Image, ...], text: str, reasoning: str, label: str
) -> Input:
    joined = form.text(text, reasoning)
    return Input(instruction, pictures, joined, reasoning.strip(), label, first_words(text, form.words))
