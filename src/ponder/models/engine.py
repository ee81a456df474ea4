"""What an engine does, here or behind HTTP: it writes, and it says how likely an answer is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from ponder.records import Content, Reasoning, Usage

if TYPE_CHECKING:
    from PIL.Image import Image

    Part: TypeAlias = str | Image

_NOTHING = Usage()

Able = Literal["write", "answer", "likelihood", "pictures"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: words and RGB pictures in the order in which they are read."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation up to where the assistant speaks.

    Prompts of one call that begin alike (system, instruction, query and its pictures) share what was
    computed for that beginning, so put what they share first.

    Attributes:
        turns: What was said; the last is the user's.
        opening: Words that the assistant's turn is made to begin with: a closed trace, say.
    """

    turns: tuple[Turn, ...]
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much may be written.

    Attributes:
        trace: The most tokens between ``<think>`` and ``</think>``; 0 is no trace at all.
        answer: The most tokens of the final text. They are kept back: a trace cannot use them up.
        least: Tokens of trace before it may end; an earlier end is answered with "Wait" (s1,
            arXiv:2501.19393).

    Example:
        >>> Effort(answer=64).total, Effort(trace=100, answer=28).total
        (64, 128)
        >>> Effort(trace=96, answer=32).within(20)
        Effort(trace=15, answer=5, least=0)
    """

    trace: int = 0
    answer: int = 256
    least: int = 0

    @property
    def total(self) -> int:
        """The most tokens that are written."""
        return self.trace + self.answer

    def within(self, tokens: int) -> Effort:
        """The same effort in proportion, with `tokens` as its total; the answer keeps one of them."""
        trace = min(tokens * self.trace // max(1, self.total), tokens - 1) if tokens > 0 else 0
        return Effort(trace, max(0, tokens) - trace, min(self.least, trace))


@dataclass(frozen=True, slots=True)
class Written:
    """What an engine wrote to one prompt.

    Attributes:
        text: The final text, without the trace.
        trace: What stood between ``<think>`` and ``</think>``.
        usage: Tokens read and written for this prompt; a beginning that prompts share is counted with
            the first of them only. Marks that are put in by force count as written.
        truncated: A limit ended the trace or the text.
        cut: What of the prompt was left out so that it fits the context, "" for nothing.
        error: Why there is nothing; the other prompts of the call are not affected.
    """

    text: str = ""
    trace: str = ""
    usage: Usage = _NOTHING
    truncated: bool = False
    cut: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Likely:
    """Log-probabilities, natural, that an engine gives behind one prompt.

    Attributes:
        values: One for each answer asked about; empty when there is an `error`.
        usage: As in `Written`.
        cut: As in `Written`.
        error: As in `Written`.
    """

    values: tuple[float, ...] = ()
    usage: Usage = _NOTHING
    cut: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model reads of an input.

    Attributes:
        ids: Tokens; a picture has as many as it becomes.
        seen: For each token, whether it stands for a picture; empty where none does.
        decode: From tokens to text.
    """

    ids: tuple[int, ...]
    seen: tuple[bool, ...]
    decode: Callable[[list[int]], str]


@runtime_checkable
class ShowsReading(Protocol):
    """An embedder that can show what its model reads."""

    def reading(self, content: Content, reasoning: Reasoning) -> Reading:
        """Of an item as a whole, without embedding it."""
        ...


@runtime_checkable
class Engine(Protocol):
    """A chat model that reads text, and pictures if it is `able`, with a context of its own.

    No result depends on the other prompts of a call but for rounding (1e-4 in float32).
    """

    @property
    def fingerprint(self) -> str:
        """Model, revision, template, arithmetic and pixel budget; known without loading weights."""
        ...

    @property
    def able(self) -> frozenset[Able]:
        """What it can do; calling what it cannot raises `MissingDependency`."""
        ...

    def prices(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens that reading each prompt takes, one after the other in one call.

        What a prompt shares with the one before it is not counted again, pictures count as the tokens
        that they become. The sum over any beginning is never less than what the engine reports for it.
        """
        ...

    def write(self, prompts: Sequence[Prompt], effort: Effort) -> list[Written]:
        """Write greedily behind each prompt, at most ``effort.total`` tokens."""
        ...

    def answer(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Likely]:
        """Log-probability of each of `answers` as the next token behind each prompt.

        Raises:
            InputInvalid: An answer is not one token.
        """
        ...

    def likelihood(self, prompts: Sequence[Prompt], targets: Sequence[str]) -> list[Likely]:
        """Log P(target | prompt) by token of the target, for each pair."""
        ...
