"""The question that asks a language model to name what is sought, and how readily it names things unasked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ponder.models.lite.language import Language, Written
from ponder.models.lite.prompt import Prompt
from ponder.records import Usage

_QUESTION = "Question: Name {}.\nAnswer:"

_EXAMPLES = (("the planet with the widest rings", "Saturn"), ("what a tailor sews with", "needle"))
"""Two show the model what is asked; none is an ImageNet class. Over the best 20 of photos' candidates (a
quarter of dev, without literal queries) hit@1 was .37 without any, .38 with one, .45 with two, .44 with
three, .42 with four (docs/log.md)."""

_LONGEST = 6
"""Tokens of a name that is written: three or four words."""

_SHOWN = "".join(f"{_QUESTION.format(sought)} {name}\n\n" for sought, name in _EXAMPLES)


def question(sought: str) -> str:
    r"""The prompt that a name completes.

    Example:
        >>> question("the fastest animal on land.").splitlines()[-2:]
        ['Question: Name the fastest animal on land.', 'Answer:']
    """
    return _SHOWN + _QUESTION.format(sought.strip().rstrip("."))


def prompt_for(language: Language, sought: str) -> Prompt:
    """`question` as a prompt: the two examples begin every one of them."""
    return Prompt.of(language, question(sought), _SHOWN)


def name_sought(language: Language, sought: str, tokens: int) -> Written:
    """Name what is sought, reading and writing at most `tokens`; nothing where they do not suffice.

    Args:
        language: The model; it writes greedily.
        sought: A query's words.
        tokens: For the question and the name together.
    """
    prompt = prompt_for(language, sought)
    room = min(_LONGEST, tokens - len(prompt.tokens))
    if room < 1:
        return Written("", Usage(), True)
    written = language.generate(prompt, room, stop=("\n",))
    return replace(written, text=written.text.strip().rstrip("."))


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
        new = [name for name in dict.fromkeys(names) if name not in self._known]
        if new:
            scores = self._language.score(question("something"), [f" {name}" for name in new])
            self._known.update(zip(new, scores.values, strict=True))
        count = self._language.count
        read = count(question("something")) + sum(count(f" {name}") - 1 for name in names) if names else 0
        return [self._known[name] for name in names], Usage(read=read)
