"""What is written next to one prompt: the model's choice, or the mark that a limit puts in its place.

No model is called here. Limits hold whatever the model chooses; every token that is chosen or put in counts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from ponder.models.engine import Effort

Tokens = tuple[int, ...]
Section = Literal["start", "trace", "text"]

OPEN, CLOSE = "<think>", "</think>"

_SLACK = 4
"""A mark written in pieces may share its first and last token with its neighbours."""


class Marks:
    """How a tokenizer writes the marks of a trace, and how they are found in what a model wrote.

    Marks are found in the text and not as ids: most tokenizers have no token for them, and then the model's
    pieces need not be those that the tokenizer would make.

    Args:
        tokenizer: Of transformers.
        ends: Ids that end an answer.
    """

    def __init__(self, tokenizer: Any, ends: Collection[int]) -> None:
        self._tokenizer = tokenizer
        self.ends = frozenset(ends)
        self.open, self.close, self.wait = (
            self._ids(text) for text in (f"{OPEN}\n", f"\n{CLOSE}\n\n", "Wait")
        )
        self._reach = max(len(self._ids(OPEN)), len(self._ids(CLOSE))) + _SLACK
        self._closing: dict[int, bool] = {}

    def section(self, ids: Tokens, opening: str = "") -> Section:
        """Where a prompt leaves the model: in a trace that template or opening began, behind one, or neither.

        Only what closes the prompt is looked at: a user who writes marks begins no trace.

        Args:
            ids: The prompt, with its opening.
            opening: Words that the prompt ends with, as in `Prompt`.
        """
        before = ids[: len(ids) - len(self._ids(opening))] if opening else ids
        begun = OPEN if self.text(before[-self._reach :]).rstrip().endswith(OPEN) else ""
        begun += opening
        if begun.rfind(OPEN) > begun.rfind(CLOSE):
            return "trace"
        return "text" if begun.strip() else "start"

    def text(self, ids: Collection[int]) -> str:
        """Tokens as words, marks included."""
        return str(
            self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        )

    def plain(self, ids: Collection[int]) -> str:
        """Tokens as words, without the model's marks."""
        return str(
            self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def found(self, mark: str, ids: list[int]) -> int:
        """How many of the last tokens hold a mark that the very last one completes; 0 for none."""
        if not self._may_complete(ids[-1]) or mark not in self.text(ids[-self._reach :]):
            return 0
        return next(n for n in range(1, len(ids) + 1) if mark in self.text(ids[-n:]))

    def _may_complete(self, token: int) -> bool:
        # Both marks end alike, and few tokens do: the others need no decoding of what precedes them.
        if token not in self._closing:
            self._closing[token] = ">" in self.text([token])
        return self._closing[token]

    def _ids(self, text: str) -> Tokens:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))


class Pen:
    """Writes one answer, token by token.

    A trace that the model begins is closed by force when only its mark fits into ``effort.trace``, so the
    text behind it always has all of ``effort.answer``. A trace that is too short for its marks (0 tokens,
    and the model or its template begins one) is closed at once, at the answer's cost.

    Args:
        marks: Of the model's tokenizer.
        effort: The limits; ``total`` is above 0.
        section: Where the prompt leaves the model.
        undo: Whether tokens may be taken back out of the context. Where they may not, a mark in pieces
            that comes too early loses only its last piece.

    Attributes:
        kept: Tokens that stand in the context behind the prompt.
        spent: Tokens written, those included that were taken back, and the end.
        done: Nothing is to be written any more.
        truncated: A limit ended trace or text.
    """

    def __init__(self, marks: Marks, effort: Effort, section: Section = "start", undo: bool = True) -> None:
        self._marks, self._effort, self._undo = marks, effort, undo
        self.kept: list[int] = []
        self.spent = 0
        self.done = self.truncated = False
        self._section: Section = section
        self._begin = 0  # of the trace or the text in `kept`
        self._trace: list[int] = []
        self._forced: list[int] = []
        self._closing = False
        room = len(marks.open) + len(marks.close)
        if section == "start" and effort.least > 0 and room < effort.trace:
            self._forced += marks.open

    def take(self, wish: int) -> None:
        """Write one more token: `wish`, which the model finds likeliest, unless a limit says otherwise."""
        if not self._forced:
            self._limit(wish)
        if not self._forced and wish in self._marks.ends:
            self.spent += 1
            self.done = True
            return
        self.kept.append(self._forced.pop(0) if self._forced else wish)
        self.spent += 1
        self._watch()
        self._stop()

    @property
    def limit(self) -> int:
        """The most tokens that are ever in `kept`."""
        return self._effort.total

    @property
    def trace(self) -> str:
        """What stands between the marks so far."""
        ids = self.kept[self._begin :] if self._section == "trace" else self._trace
        return self._marks.plain(ids).partition(CLOSE)[0].strip()

    @property
    def text(self) -> str:
        """The final text so far."""
        if self._section == "trace":
            return ""
        # The token that completes a mark may go on behind it.
        rest = "" if self._closing else self._marks.text(self._trace).partition(CLOSE)[2]
        return (rest + self._marks.plain(self.kept[self._begin :])).strip()

    @property
    def _room(self) -> int:
        """Tokens of trace that are left, besides its closing mark."""
        return self._effort.trace - self.spent - len(self._marks.close)

    def _limit(self, wish: int) -> None:
        """Put marks into the queue where the model's wish is not to be followed."""
        if self._section != "trace":
            return
        marks, trace = self._marks, self.kept[self._begin :]
        held, ends = marks.found(CLOSE, [*trace, wish]), wish in marks.ends
        if (held or ends) and len(trace) < self._effort.least and self._room >= len(marks.wait):
            if held > 1 and self._undo:
                del self.kept[len(self.kept) - (held - 1) :]
            self._forced += marks.wait
        elif ends or (self._room <= 0 and not (held and self.spent < self._effort.trace)):
            # An end inside of a trace would leave no answer, so it only ends the trace.
            self._forced += marks.close
            self._closing = True
            self.truncated = self.truncated or (not ends and self._effort.trace > 0)

    def _watch(self) -> None:
        """See whether the last token ended a section."""
        if self._closing and self._section == "trace":
            if not self._forced:
                self._turn("text")
        elif self._section == "trace":
            if self._marks.found(CLOSE, self.kept[self._begin :]):
                self._turn("text")
        elif self._section == "start":
            words = self._marks.text(self.kept).lstrip()
            if words.startswith(OPEN):
                self._turn("trace")
            elif not OPEN.startswith(words):
                self._section = "text"  # and all of it is

    def _turn(self, section: Section) -> None:
        if section == "text":
            self._trace = self.kept[self._begin :]
        self._section, self._begin = section, len(self.kept)

    def _stop(self) -> None:
        """End where nothing more may be written."""
        written = len(self.kept) - self._begin
        if self._section == "trace" or (self._section == "start" and self._marks.text(self.kept).strip()):
            written = 0  # a trace, or what may yet become its mark
        if self.spent >= self._effort.total or written >= self._effort.answer:
            self.done = self.truncated = True
            if self._section != "trace":
                del self.kept[self._begin + self._effort.answer :]
