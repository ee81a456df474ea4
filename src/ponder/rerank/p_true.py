"""P(true) behind a closed trace: the judge of Rank1 (arXiv:2502.18418)."""

from __future__ import annotations

from ponder.models.engine import Prompt, Turn
from ponder.rerank.musing import digest
from ponder.rerank.showing import Shown
from ponder.rerank.two_answers import TwoAnswers

SYSTEM = "Determine if the following passage is relevant to the query. Answer only with 'true' or 'false'."


class PTrue(TwoAnswers):
    r"""Score: P(true) / (P(true) + P(false)) as the first token behind ``</think>``.

    Without a thought the trace is closed empty, as for a model that is told not to think.

    Args:
        answers: True and false, each one token of the model.
        system: The task.
        marks: What opens and closes a trace.

    Example:
        >>> PTrue().prompt(Shown(text="a cello"), "", Shown(text="a bow"), "It names a part.").opening
        '<think>\nIt names a part.\n</think>\n\n'
    """

    def __init__(
        self,
        *,
        answers: tuple[str, str] = ("true", "false"),
        system: str = SYSTEM,
        marks: tuple[str, str] = ("<think>\n", "\n</think>\n\n"),
    ) -> None:
        super().__init__(answers, system)
        self._marks = marks

    @property
    def fingerprint(self) -> str:
        """Wording, answers and marks."""
        return f"p-true-1-{digest(repr((self._answers, self._system, self._marks)))}"

    def prompt(self, query: Shown, instruction: str, shown: Shown, thought: str) -> Prompt:
        """Query, passage; the thought stands in the assistant's closed trace."""
        asked = (f"Task: {instruction}\n",) if instruction else ()
        user = (*asked, "Query: ", *query.parts, "\nPassage: ", *shown.parts)
        opening = f"{self._marks[0]}{thought}{self._marks[1]}"
        return Prompt((Turn("system", (self._system,)), Turn("user", user)), opening)
