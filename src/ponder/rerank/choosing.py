"""The `lite` answer to a multiple-choice question: which candidate does the model go on with?"""

from __future__ import annotations

from collections.abc import Sequence

from ponder.models.lite.language import Language
from ponder.records import Choice, Content, Reasoning

_SEEN = 96
"""Tokens of a page's text that are read."""

_PLAUSIBLE = 0.15
_UNASKED = "Answer:"
_PRIOR = 0.6

_VERSION = "choosing-2"


class LikelihoodChooser:
    """log P(candidate | what is seen, question) - .6 log P(candidate), a mean over its tokens.

    Of a picture or clip the likeliest one or two names are read. The share of a candidate's own
    likelihood that is taken off is that of `NamingJudge`: without it, answers that are common words win
    (accuracy on photos' 120 questions .45 for .575, docs/log.md).

    Args:
        language: The model.
        weight: Of the score, in nats a token, beside the likeness of vectors.
    """

    def __init__(self, language: Language, weight: float = 0.01) -> None:
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
        unasked = self._language.tokens(_UNASKED)
        asked = self._language.tokens(f"Question: {question.strip()}\nAnswer:")
        answers = [self._language.tokens(f" {candidate}") for candidate in candidates]
        # An answer's last token is predicted and never read; the others are read twice.
        fixed = len(asked) + len(unasked) + 2 * sum(len(answer) - 1 for answer in answers)
        if fixed > limit:
            return Choice()
        said = _seen(content, reasoning)
        seen = self._language.tokens(f"{said}\n") if said else ()
        seen = seen[: max(0, min(_SEEN, limit - fixed))]
        told = self._language.score((*seen, *asked), answers)
        alone = self._language.score(unasked, answers)
        values = tuple(
            (with_it - _PRIOR * without) / len(answer)
            for with_it, without, answer in zip(told.values, alone.values, answers, strict=True)
        )
        return Choice(values, told.usage + alone.usage)


def _seen(content: Content, reasoning: Reasoning) -> str:
    """What the model is told of the content; nothing if nothing is known."""
    claims = reasoning.parts[0].facts.get("claims", ()) if reasoning.parts else ()
    names = [name for _, _, weight, name in claims[:2] if weight > _PLAUSIBLE]
    if content.kind in ("image", "video") and names:
        return f"The {_CALLED[content.kind]} shows {' or '.join(dict.fromkeys(names))}."
    return reasoning.text


_CALLED = {"image": "picture", "video": "clip"}
