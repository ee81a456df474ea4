"""Yes or no by their logits: the format and the score of Qwen3-VL-Reranker, exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ponder.models.engine import Engine, Likely, Prompt, Turn
from ponder.rerank.musing import digest
from ponder.rerank.showing import Shown

SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
INSTRUCTION = "Given a search query, retrieve relevant candidates that answer the query."


class YesNo:
    """Score: sigmoid of the difference between the logits of "yes" and "no".

    Source: https://github.com/QwenLM/Qwen3-VL-Embedding (its reranker).

    Args:
        instruction: Used where a query brings none.
        answers: Yes and no, each one token of the model.
        system: The system's words.

    Example:
        >>> prompt = YesNo().prompt(Shown(text="a cello"), "", Shown(), "")
        >>> "".join(prompt.turns[1].parts).splitlines()[1]
        '<Document>:NULL'
    """

    def __init__(
        self,
        *,
        instruction: str = INSTRUCTION,
        answers: tuple[str, str] = ("yes", "no"),
        system: str = SYSTEM,
    ) -> None:
        self._instruction, self._answers, self._system = instruction, answers, system

    @property
    def fingerprint(self) -> str:
        """Wording and answers."""
        return f"yes-no-1-{digest(repr((self._instruction, self._answers, self._system)))}"

    @property
    def answers(self) -> tuple[str, str]:
        """What the engine chooses from."""
        return self._answers

    def prompt(self, query: Shown, instruction: str, shown: Shown, thought: str) -> Prompt:
        """Instruction, query, document; a thought stands behind the document."""
        user = (
            f"<Instruct>: {instruction or self._instruction}",
            "<Query>:",
            *query.parts,
            "\n<Document>:",
            *shown.parts,
            *((f"\n<Reasoning>:{thought}",) if thought else ()),
        )
        return Prompt((Turn("system", (self._system,)), Turn("user", user)))

    def prices(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[int]:
        """Reading is all."""
        return engine.prices(prompts)

    def ask(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[Likely]:
        """Log-probabilities of yes and no."""
        return engine.answer(prompts, self._answers)

    def score(self, values: Sequence[float]) -> float:
        """sigmoid(yes - no), 0 to 1."""
        return sigmoid(values[0] - values[1])


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow.

    Example:
        >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
        (0.5, 0.0, 1.0)
    """
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(x))
