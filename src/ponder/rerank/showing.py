"""What a judge is shown of a query and of a candidate: stored reasoning, or the item itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ponder.errors import PonderError
from ponder.media.excerpt import spread
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, PartReasoning, Verdict

if TYPE_CHECKING:
    from PIL.Image import Image

    from ponder.media.limits import Limits

WORDS = 160
"""Words of a text that are shown: some 220 tokens, so that 20 candidates fit into an ordinary context."""

FRAMES = 8
"""Of a clip: what MMEB-V2's evaluation gives every model."""

_OPEN = 32


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Pictures and words; or, where there is nothing to show, why.

    Attributes:
        pictures: RGB, in order.
        text: Words, already cut.
        missing: Why there is nothing to judge by; "" if there is something.
    """

    pictures: tuple[Image, ...] = ()
    text: str = ""
    missing: str = ""

    @property
    def parts(self) -> tuple[Image | str, ...]:
        """Pictures before words, as Qwen3-VL-Reranker has them; "NULL" for nothing."""
        words = (self.text,) if self.text or not self.pictures else ()
        return (*self.pictures, *(word or "NULL" for word in words))


class Showing(Protocol):
    """Decides what a judge gets to see."""

    @property
    def reads(self) -> Reads:
        """As in `ponder.protocols.Reranker`."""
        ...

    @property
    def fingerprint(self) -> str:
        """All that decides what is shown."""
        ...

    def query(self, content: Content) -> Shown:
        """The query's words and pictures."""
        ...

    def candidate(self, candidate: Candidate) -> Shown:
        """What there is of a candidate."""
        ...


class ShowReasoning:
    """Candidates by their stored reasoning only: no file is opened.

    Args:
        words: Longest text, in words: of the reasoning, of the best part and of the query, each.
        pictures: Whether the query's own pictures are shown, if it has any; needs an engine that sees.
        frames: Of a query's clip.

    Example:
        >>> from ponder.testing.examples import candidates_of, rows_of, text_content
        >>> [found] = candidates_of(rows_of([text_content("a cello")]))
        >>> ShowReasoning().candidate(found).text
        'a cello'
    """

    reads: Reads = "ecr"

    def __init__(self, *, words: int = WORDS, pictures: bool = False, frames: int = FRAMES) -> None:
        self._words, self._pictures, self._frames = words, pictures, frames

    @property
    def fingerprint(self) -> str:
        """Cuts."""
        return f"ecr-2-{self._words}-{self._frames if self._pictures else 0}"

    def query(self, content: Content) -> Shown:
        """Words, and pictures if they may be shown."""
        pictures = spread(content.images, self._frames) if self._pictures else ()
        return _asked(content, pictures, self._words)

    def candidate(self, candidate: Candidate) -> Shown:
        """The whole item's reasoning, then its best part where that says something else."""
        reasoning = candidate.row.reasoning
        said = [reasoning.text or (reasoning.parts[0].text if reasoning.parts else "")]
        part = best_part(candidate)
        if part.label and part.text and part.text not in said[0]:
            said.append(part.text)
        text = "\n".join(cut(text, self._words) for text in said if text.strip())
        return Shown(text=text, missing="" if text else "nothing is stored of it")


class ShowMedia:
    """Candidates as they are: their picture, page or frames, or the passage of a text that was found.

    Args:
        limits: How much of a file is opened; the media room's defaults unless told.
        frames: Of a clip.
        words: Longest text, in words.
        sees: False shows words only: a page's passage, not its picture.
        reasoning: Show the stored reasoning beside it.
    """

    reads: Reads = "media"

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        frames: int = FRAMES,
        words: int = WORDS,
        sees: bool = True,
        reasoning: bool = False,
    ) -> None:
        self._limits, self._frames, self._words = limits, frames, words
        self._sees, self._reasoning = sees, reasoning
        self._opened: OrderedDict[str, Shown] = OrderedDict()

    @property
    def fingerprint(self) -> str:
        """Limits and cuts."""
        return f"media-2-{self._limits}-{self._frames}-{self._words}-{self._sees}-{self._reasoning}"

    def query(self, content: Content) -> Shown:
        """Words and pictures."""
        return _asked(content, spread(content.images, self._frames) if self._sees else (), self._words)

    def candidate(self, candidate: Candidate) -> Shown:
        """The item, opened anew; a few are kept open, because what a stage costs is asked first."""
        # The digest covers the file's bytes, its page or span, and the limits it was indexed with.
        key = f"{candidate.row.digest} {candidate.part}" if candidate.row.digest else ""
        if key not in self._opened:
            shown = self._open(candidate)
            if not key or shown.missing:
                return shown
            self._opened[key] = shown
            if len(self._opened) > _OPEN:
                self._opened.popitem(last=False)
        self._opened.move_to_end(key)
        return self._opened[key]

    def _open(self, candidate: Candidate) -> Shown:
        from ponder.media.content import open_content
        from ponder.media.limits import Limits

        try:
            content = open_content(candidate.row.item, self._limits or Limits())
        except PonderError as error:
            return Shown(missing=f"it cannot be opened: {error.what}")
        pictures = spread(content.images, self._frames) if self._sees else ()
        part = best_part(candidate)
        text = ""
        if content.kind in ("text", "page") and not pictures:
            text = part.text if part.label.startswith("chars=") else content.text
        if self._reasoning or not (text.strip() or pictures):
            text = "\n".join(t for t in (text, candidate.row.reasoning.text) if t.strip())
        text = cut(text, self._words)
        return Shown(pictures, text, "" if text or pictures else "there is nothing of it to read")


def unjudged(candidates: Sequence[Candidate], why: str) -> Judgement:
    """No verdict about any of the candidates, and nothing spent."""
    return Judgement(tuple(Verdict(candidate.row.item.id, None, note=why) for candidate in candidates))


def best_part(candidate: Candidate) -> PartReasoning:
    """The part that was found, or the whole."""
    parts = candidate.row.reasoning.parts
    for part in parts:
        if part.label == candidate.part:
            return part
    return parts[0] if parts else PartReasoning("", candidate.row.reasoning.text)


def cut(text: str, words: int) -> str:
    """The first words of a text, and a mark where some are left out.

    Example:
        >>> cut("one two three", 2)
        'one two …'
    """
    found = text.split(None, words)
    return text.strip() if len(found) <= words else f"{' '.join(found[:words])} …"


def _asked(content: Content, pictures: tuple[Image, ...], words: int) -> Shown:
    text = cut(content.text, words)
    return Shown(pictures, text, "" if text or pictures else "the query has no words")
