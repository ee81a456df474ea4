"""A chat model without weights: words are tokens, likeness is the number of words in common."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, MissingDependency
from ponder.models.engine import Able, Effort, Likely, Prompt, Written
from ponder.records import Usage
from ponder.testing.words import ModelUsed, colour, words

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURE_TOKENS = 49
"""What a picture becomes."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LABEL = re.compile(r"\[(\w+)\]")
_FULL: frozenset[Able] = frozenset(("write", "answer", "likelihood", "pictures"))


@dataclass(eq=False)
class FakeEngine:
    """Keeps the rules of `ponder.models.engine.Engine`, unless it is told to break one.

    It writes the words that the user's turns hold, and the colours of their pictures, each followed by what
    is known of it. "yes" (the first of two answers) is as likely as words come twice in what the user says;
    an answer that stands in brackets in the prompt, ``[B]``, is the likelier the more words its section
    shares with what stands before the first; a target is the likelier the more of its words were said.

    Args:
        fingerprint: As in `Engine`.
        able: As in `Engine`.
        knowledge: Words to write after a word.
        forgets: Tokens that it writes beyond its limit.
        nan: Every n-th log-probability it gives is none; 0 for never.
        failing: Prompts of the user's that hold this word get an error.
        forbidden: Raise `ModelUsed` when used; prices and abilities are still known.

    Attributes:
        calls: Prompts that were read.

    Example:
        >>> from ponder.models.engine import Turn
        >>> asked = Prompt((Turn("user", ("a cello",)),))
        >>> FakeEngine(knowledge={"cello": "instrument"}).write([asked], Effort(answer=8))[0].text
        'a cello instrument'
    """

    fingerprint: str = "fake-engine"
    able: frozenset[Able] = _FULL
    knowledge: Mapping[str, str] = field(default_factory=dict)
    forgets: int = 0
    nan: int = 0
    failing: str = ""
    forbidden: bool = False
    calls: int = 0
    _given: int = 0

    def prices(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt that the one before it does not begin with."""
        return _unshared([_tokens(prompt) for prompt in prompts])

    def write(self, prompts: Sequence[Prompt], effort: Effort) -> list[Written]:
        """What the user said, and what is known of it."""
        self._start(prompts, "write")
        written = []
        for prompt, read in zip(prompts, self.prices(prompts), strict=True):
            if self._fails(prompt):
                written.append(Written(usage=Usage(read), error="the fake is made to fail"))
                continue
            said = [w for word in _said(prompt) for w in (word, *words(self.knowledge.get(word, "")))]
            trace = said[: effort.trace]
            trace += ["wait"] * (min(effort.least, effort.trace) - len(trace))
            text = said[: effort.answer] + ["more"] * self.forgets
            used = Usage(read, len(trace) + len(text))
            cut = len(said) > effort.answer or 0 < effort.trace < len(said)
            written.append(Written(" ".join(text), " ".join(trace), used, truncated=cut))
        return written

    def answer(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Likely]:
        """How likely each answer is, by the words in common."""
        self._start(prompts, "answer")
        for answer in answers:
            if len(_TOKEN.findall(answer)) != 1:
                raise InputInvalid("an answer is not one token", repr(answer), "take another word")
        found = []
        for prompt, read in zip(prompts, self.prices(prompts), strict=True):
            if self._fails(prompt):
                found.append(Likely(usage=Usage(read), error="the fake is made to fail"))
            else:
                found.append(Likely(self._spoilt(_likeness(prompt, answers)), Usage(read)))
        return found

    def likelihood(self, prompts: Sequence[Prompt], targets: Sequence[str]) -> list[Likely]:
        """One half for each word of a target that was said, one hundredth for the others."""
        self._start(prompts, "likelihood")
        whole = [
            (*_tokens(prompt), *_TOKEN.findall(target)[:-1])
            for prompt, target in zip(prompts, targets, strict=True)
        ]
        found = []
        for prompt, target, read in zip(prompts, targets, _unshared(whole), strict=True):
            if self._fails(prompt):
                found.append(Likely(usage=Usage(read), error="the fake is made to fail"))
                continue
            said = set(_said(prompt))
            values = [math.log(0.5 if w.lower() in said else 0.01) for w in _TOKEN.findall(target)]
            found.append(Likely(self._spoilt(values), Usage(read)))
        return found

    def _start(self, prompts: Sequence[Prompt], what: Able) -> None:
        if self.forbidden:
            raise ModelUsed(self.fingerprint)
        if what not in self.able:
            raise MissingDependency(f"it is not able to {what}", self.fingerprint, "take another engine")
        if "pictures" not in self.able and any(_pictures(prompt) for prompt in prompts):
            raise MissingDependency("it sees no pictures", self.fingerprint, "take another engine")
        self.calls += len(prompts)

    def _fails(self, prompt: Prompt) -> bool:
        return bool(self.failing) and self.failing in _said(prompt)

    def _spoilt(self, values: Sequence[float]) -> tuple[float, ...]:
        self._given += 1
        return (math.nan,) * len(values) if self.nan and self._given % self.nan == 0 else tuple(values)


def _tokens(prompt: Prompt) -> tuple[str, ...]:
    """The words of a prompt; a picture is the same token again and again."""
    found: list[str] = []
    for turn in prompt.turns:
        found.append(f"<{turn.role}>")
        text = ""
        for part in turn.parts:
            if isinstance(part, str):
                text += part
                continue
            found += [*_TOKEN.findall(text), *[_name(part)] * PICTURE_TOKENS]
            text = ""
        found += _TOKEN.findall(text)
    return (*found, "<assistant>", *_TOKEN.findall(prompt.opening))


def _unshared(whole: Sequence[tuple[str, ...]]) -> list[int]:
    """How many tokens of each are not the beginning of the one before; at least one is read."""
    counts = []
    before: tuple[str, ...] = ()
    for tokens in whole:
        same = next(
            (i for i, pair in enumerate(zip(tokens, before, strict=False)) if pair[0] != pair[1]), None
        )
        shared = min(len(tokens), len(before)) if same is None else same
        counts.append(len(tokens) - min(shared, len(tokens) - 1))
        before = tokens
    return counts


def _name(picture: Image) -> str:
    return f"<picture {hashlib.sha256(picture.tobytes()).hexdigest()[:12]}>"


def _pictures(prompt: Prompt) -> list[Image]:
    return [part for turn in prompt.turns for part in turn.parts if not isinstance(part, str)]


def _texts(prompt: Prompt) -> str:
    """What the user says and shows, in one text."""
    parts = [part for turn in prompt.turns if turn.role == "user" for part in turn.parts]
    return "".join(part if isinstance(part, str) else f" {colour(part)} " for part in parts)


def _said(prompt: Prompt) -> list[str]:
    return list(dict.fromkeys(words(_texts(prompt))))


def _likeness(prompt: Prompt, answers: Sequence[str]) -> list[float]:
    text = f"{_texts(prompt)} {prompt.opening}"
    head, *sections = _LABEL.split(text)
    labelled = dict(zip(sections[::2], sections[1::2], strict=True))
    if all(answer.strip() in labelled for answer in answers):
        asked = set(words(head))
        raw = [4.0 * len(asked & set(words(labelled[a.strip()]))) / max(1, len(asked)) for a in answers]
    else:
        said = words(text)
        again = sum(said.count(word) > 1 for word in dict.fromkeys(said)) / max(1, len(set(said)))
        raw = [4.0 * again - 1.0, *[0.0] * (len(answers) - 1)]
    total = math.log(math.fsum(map(math.exp, raw)) + 1.0)
    return [value - total for value in raw]
