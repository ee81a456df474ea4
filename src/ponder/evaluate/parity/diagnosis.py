"""Why two sides differ: the likeliest cause, what they read first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ponder.evaluate.parity.found import JudgeParity
from ponder.evaluate.parity.prompts import Difference
from ponder.protocols import Models

ROUNDING = 0.1
"""What another precision moves a score or a cosine by, at most; more is another model."""


def told(judges: Mapping[str, JudgeParity], reads: Difference | None) -> str:
    """What differs before any model has computed: prompts, pixel budgets, answers; "" if nothing is seen.

    Such a difference is told even where scores happen to agree: on other inputs they will not.
    """
    for name, judge in judges.items():
        if judge.prompts is not None:
            return f"{name}: {judge.prompts}"
    if reads is not None:
        return f"embedder: {reads}"
    for name, judge in judges.items():
        first, second = judge.answers
        if _words(first) != _words(second) or ("token" in first and "token" in second and first != second):
            return f"{name}: the answers' tokens differ: {first}; {second}"
    return ""


def guessed(sides: tuple[Models, Models], most: float, what: str) -> str:
    """What is left where prompts and answers are the same.

    Args:
        sides: Both.
        most: Largest difference of a score or of a cosine from 1.
        what: "scores" or "vectors": which of them differ.
    """
    types = [_dtype(models, what) for models in sides]
    if "" in types:
        return (
            "one side shows neither its prompts nor its precision, and they are equally long: see that both "
            "have the same template, weights and precision"
        )
    if types[0] != types[1] and most <= ROUNDING:
        return f"the precision differs: {types[0]} and {types[1]}"
    also = f" ({types[0]} and {types[1]} alone make no such difference)" if types[0] != types[1] else ""
    return f"prompts and answers are the same, and {what} differ: other weights, an adapter, or kernels{also}"


def _words(answers: str) -> list[str]:
    return answers.split("'")[1::2]


def _dtype(models: Models, what: str) -> str:
    """The arithmetic of what gave the scores, or the vectors; "" where it runs elsewhere."""
    for loaded in _loaded(models, what):
        if loaded is not None:
            return str(loaded).removeprefix("torch.")
    return ""


def _loaded(models: Models, what: str) -> Iterator[Any]:
    parts = [models.embedder] if what == "vectors" else list(models.rerankers.values())
    for part in parts:
        engine = getattr(part, "engine", None)
        loaded = getattr(engine, "loaded", None)
        yield loaded.model.dtype if loaded is not None else getattr(part, "dtype", None)
