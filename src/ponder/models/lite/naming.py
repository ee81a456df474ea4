"""The question that asks a language model to name what is sought, and how readily it names things unasked."""

from __future__ import annotations

from collections.abc import Sequence

from ponder.models.lite.language import Language
from ponder.records import Usage

_QUESTION = "Question: Name {}.\nAnswer: The answer is a"


def question(sought: str) -> str:
    r"""The prompt that a name completes.

    Example:
        >>> question("the fastest animal on land")
        'Question: Name the fastest animal on land.\nAnswer: The answer is a'
    """
    return _QUESTION.format(sought.strip().rstrip("."))


class Priors:
    """log P(name | a question about nothing in particular), nats, summed over the name's tokens.

    A property of the name alone: it is found when a document is indexed and stored with it.

    Args:
        language: The model.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self._known: dict[str, float] = {}

    def of(self, names: Sequence[str]) -> tuple[list[float], Usage]:
        """The priors of names, and what it costs to find them when none is known."""
        prompt = question("something")
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        if new:
            scores = self._language.score(prompt, [f" {name}" for name in new])
            self._known.update(zip(new, scores.values, strict=True))
        count = self._language.count
        read = count(prompt) + sum(count(f" {name}") - 1 for name in names) if names else 0
        return [self._known[name] for name in names], Usage(read=read)
