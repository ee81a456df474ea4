"""Questions with two answers, of which the engine says how likely each is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ponder.models.engine import Engine, Likely, Prompt
from ponder.rerank.showing import Shown


class TwoAnswers:
    """Scores a candidate by the first answer against the second; who derives from it words the prompt.

    Args:
        answers: For and against, each one token of the model.
        system: The task, in the system's words.
    """

    def __init__(self, answers: tuple[str, str], system: str) -> None:
        self._answers, self._system = answers, system

    @property
    def answers(self) -> tuple[str, str]:
        """What the engine chooses from."""
        return self._answers

    def prices(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[int]:
        """Reading is all."""
        return engine.prices(prompts)

    def ask(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[Likely]:
        """Log-probabilities of both answers."""
        return engine.answer(prompts, self._answers)

    def score(self, values: Sequence[float]) -> float:
        """Sigmoid of their difference, 0 to 1."""
        return sigmoid(values[0] - values[1])


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow.

    Example:
        >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
        (0.5, 0.0, 1.0)
    """
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))
