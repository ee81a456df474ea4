"""What a run would cost on another machine: tokens, and from these operations and hours. No model runs.

A token that a model of P parameters reads or writes costs 2 P operations (Kaplan et al., 2020,
https://arxiv.org/abs/2001.08361, section 2.1), attention and the eye left aside. How many a machine does
in a second is for the user to say: reading keeps a GPU busy, writing waits for its memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Any, TypeVar

from ponder.cascade import Rerank
from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.evaluate.mmeb.pricing import stored_bytes
from ponder.evaluate.mmeb.running import TaskRun
from ponder.evaluate.scaling.documents import Missing, missing_documents, some
from ponder.media.content import open_query
from ponder.protocols import BlobCache, Models, TellsSizes
from ponder.records import Content

T = TypeVar("T")

PATCH = 28
"""Pixels by pixels that become one token: Qwen2-VL's, and the official budget's. Qwen3-VL's have 32."""

MOST_PATCHES = 1280
"""Of one picture: the benchmark's own bound."""

FRAMES = 8
"""Of a clip, that a model is shown."""

LETTERS = 4
"""Of a text, that become one token, about."""

PROMPT = 100
"""Tokens of a prompt's own words, about."""

_WIDEST = 4096
"""Dimensions of the packaged sets' longest vectors: how many the models' have, their weights say."""

SAMPLE = 24
"""Candidates and queries that are opened to learn how large they are."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What a machine does in a second.

    Attributes:
        read: Operations where models read: a share of what the card's maker promises.
        write: Operations where they write, which is far less: each word waits for the weights to pass.
    """

    read: float
    write: float

    @classmethod
    def parse(cls, text: str) -> Speed:
        """The speed of ``READ,WRITE`` in units of 10^12.

        Raises:
            BadArguments: It is none.

        Example:
            >>> Speed.parse("125,3")
            Speed(read=125000000000000.0, write=3000000000000.0)
        """
        try:
            read, write = (float(part) * 1e12 for part in text.split(","))
        except ValueError:
            read = write = 0.0
        if not 0 < min(read, write) <= max(read, write) < 1e21:
            hint = "give READ,WRITE in TFLOP/s, as in 125,3: 40 % and 1 % of 312 (A100, bfloat16)"
            raise BadArguments(f"not a speed: {text!r}", "--tflops", hint)
        return cls(read, write)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What is still to do of a task.

    Attributes:
        task: Its name.
        queries: Still to be answered, over all budgets.
        candidates: That they are ranked over.
        reason: Candidates that no cache has a reasoning of.
        embed: Candidates that no cache has vectors of.
        tokens: By what is done: "reasoner reads", "reasoner writes", "embedder reads", "judges spend".
        operations: Of all of it.
        seconds: At the speed that was told.
        bytes: That caches and answers will take, about.
    """

    task: str
    queries: int
    candidates: int
    reason: int
    embed: int
    tokens: Mapping[str, int]
    operations: float
    seconds: float
    bytes: int

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "task": self.task,
            "queries": self.queries,
            "candidates": self.candidates,
            "documents_to_reason_about": self.reason,
            "documents_to_embed": self.embed,
            "tokens": {name.replace(" ", "_"): count for name, count in self.tokens.items()},
            "petaflop": round(self.operations / 1e15, 3),
            "gpu_hours_at_most": round(self.seconds / 3600, 3),
            "megabytes": round(self.bytes / 1e6, 1),
        }


def reckon(run: TaskRun, models: Models, cache: BlobCache, speed: Speed) -> Reckoned:
    """Reckon what a task would take.

    Every ECR is taken to be as long as it may, and every query to spend its whole budget.

    Args:
        run: The task.
        models: Whose parts say how large they are; none is loaded.
        cache: What it has costs nothing.
        speed: Of the machine.

    Raises:
        BadArguments: The models do not say how large they are.
    """
    sizes = _sizes(run, models)
    told = run.asking
    left = run.left(models)
    reason: list[Missing] = []
    embed: list[Missing] = []
    if any(left.values()):
        reason, embed = missing_documents(
            run.dataset, [run.settings.reasoning], run.settings, models, cache, limits=told.limits
        )
    length = embed[0].ingest.reason_tokens if embed else 0
    seen = _mean([_seen(content) for content in _opened(reason, _content)])
    shown = _mean([_embedded(content, length) for content in _opened(embed, _content)])
    asked = 0.0
    if any(left.values()):
        queries = _opened(told.questions, lambda each: open_query(each.asked, told.limits))
        asked = _mean([_seen(content) for content in queries])
    tokens = {
        "reasoner reads": round(len(reason) * (seen + PROMPT)) if length else 0,
        "reasoner writes": len(reason) * length,
        "embedder reads": round(len(embed) * shown + max(left.values(), default=0) * (asked + PROMPT)),
        "judges spend": sum(budget * count for budget, count in left.items()),
    }
    writes = 2e9 * sizes["reasoner"] * tokens["reasoner writes"]
    reads = 2e9 * (
        sizes["reasoner"] * tokens["reasoner reads"]
        + sizes["embedder"] * tokens["embedder reads"]
        + sizes["judges"] * tokens["judges spend"]
    )
    return Reckoned(
        run.name,
        sum(left.values()),
        len(told.items),
        len(reason) if length else 0,
        len(embed),
        tokens,
        reads + writes,
        reads / speed.read + writes / speed.write,
        stored_bytes(sum(left.values()), len(told.items), len(reason), len(embed), _WIDEST),
    )


def picture_tokens(width: int, height: int) -> int:
    """Tokens of a picture.

    Example:
        >>> picture_tokens(640, 480), picture_tokens(1654, 2339)
        (414, 1280)
    """
    return min(MOST_PATCHES, ceil(width / PATCH) * ceil(height / PATCH))


def _sizes(run: TaskRun, models: Models) -> dict[str, float]:
    """Parameters in billions; of judges those of the largest: any of them may spend it all."""
    told = dict(models.billions) if isinstance(models, TellsSizes) else {}
    stages = [each.name for each in run.settings.cascade.stages if isinstance(each, Rerank)]
    lacking = [part for part in ("reasoner", "embedder", *stages) if part not in told]
    if lacking:
        raise BadArguments(
            f"{models.name} does not say how large these are: {', '.join(lacking)}",
            "--tflops",
            "say it in the preset's file under billions, or leave --tflops out: a probe times what is here",
        )
    judges = max((told[stage] for stage in stages), default=0.0)
    return {"reasoner": told["reasoner"], "embedder": told["embedder"], "judges": judges}


def _seen(content: Content) -> int:
    """Tokens of pictures and words."""
    pictures = sum(picture_tokens(*image.size) for image in some(content.images, FRAMES))
    return pictures + ceil(len(content.text) / LETTERS)


def _embedded(content: Content, reasoning: int) -> int:
    """Of the whole with its ECR, and of each passage and segment with it, where there are several."""
    whole = _seen(content) + reasoning + PROMPT
    if len(content.passages) > 1:
        whole += sum(len(each.text) // LETTERS + reasoning + PROMPT for each in content.passages)
    if len(content.segments) > 1:
        whole += _seen(content) + len(content.segments) * (reasoning + PROMPT)
    return whole


def _opened(things: Sequence[T], opened: Callable[[T], Content]) -> list[Content]:
    """A few of them; the run lists what cannot be opened."""
    found = []
    for each in some(things, SAMPLE):
        with suppress(InputInvalid, InputNotFound):
            found.append(opened(each))
    return found


def _content(missing: Missing) -> Content:
    return missing.document.content


def _mean(values: Sequence[int]) -> float:
    return fmean(values) if values else 0.0
