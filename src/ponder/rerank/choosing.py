"""The `lite` answer to a multiple-choice question: which candidate does the model go on with?"""

from __future__ import annotations

from collections.abc import Sequence

from ponder.models.lite.language import Language
from ponder.records import Choice, Content, Reasoning

_SEEN = 96
"""Tokens of the reasoning that are read: the likeliest things' definitions."""

_VERSION = "choosing-1"


class LikelihoodChooser:
    """log P(candidate | what is seen, question), a mean over the candidate's tokens.

    The question and what is seen are read once, each candidate once behind them.

    Args:
        language: The model.
        weight: Of the score beside the likeness of vectors. 0 until it is fitted: at .1 accuracy on
            photos' questions fell from .525 to .292 (docs/log.md).
    """

    def __init__(self, language: Language, weight: float = 0.0) -> None:
        self._language = language
        self.weight = weight

    @property
    def fingerprint(self) -> str:
        """Model and prompt."""
        return f"{self._language.fingerprint}/{_VERSION}"

    def choose(
        self, content: Content, reasoning: Reasoning, question: str, candidates: Sequence[str], *, limit: int
    ) -> Choice:
        """See `ponder.protocols.Chooser`. What is seen is cut where the limit needs it."""
        asked = self._language.tokens(f"Question: {question.strip()}\nAnswer:")
        answers = [self._language.tokens(f" {candidate}") for candidate in candidates]
        # An answer's last token is predicted and never read.
        fixed = len(asked) + sum(len(answer) - 1 for answer in answers)
        if fixed > limit:
            return Choice()
        seen = self._language.tokens(f"{_picture(content, reasoning)}\n" if reasoning.text else "")
        seen = seen[: max(0, min(_SEEN, limit - fixed))]
        scores = self._language.score((*seen, *asked), answers)
        values = tuple(value / len(answer) for value, answer in zip(scores.values, answers, strict=True))
        return Choice(values, scores.usage)


def _picture(content: Content, reasoning: Reasoning) -> str:
    if content.kind == "image":
        return f"The picture shows {reasoning.text}"
    return reasoning.text
