"""Yes or no by their logits: the format and the score of Qwen3-VL-Reranker, exactly."""

from __future__ import annotations

from ponder.models.engine import Prompt, Turn
from ponder.rerank.musing import digest
from ponder.rerank.showing import Shown
from ponder.rerank.two_answers import TwoAnswers

SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
INSTRUCTION = "Given a search query, retrieve relevant candidates that answer the query."


class YesNo(TwoAnswers):
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
        super().__init__(answers, system)
        self._instruction = instruction

    @property
    def fingerprint(self) -> str:
        """Wording and answers."""
        return f"yes-no-1-{digest(repr((self._instruction, self._answers, self._system)))}"

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
