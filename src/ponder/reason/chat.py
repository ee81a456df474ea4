"""The reasoner that is a chat model: it writes ECR about what it is shown, within its tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ponder.errors import BackendFailed, InputInvalid, MissingDependency
from ponder.media.excerpt import first_words, spread
from ponder.models.engine import Effort, Engine, Prompt, Turn, Written
from ponder.records import Content, PartReasoning, Reasoning, Role

_VERSION = "chat-reasoner-1"

_SYSTEM = (
    "You help a search engine. Write what a person who looks for this would want to know of it: what it "
    "is, what can be seen or read in it, what it is called, what it is for. Plain sentences, no preamble."
)
_QUERY = (
    "You help a search engine. Say in other words what is looked for: its name, its kind, what it looks "
    "like, what it is for. Plain sentences, no preamble, nothing that the request does not imply."
)
_ASK: Mapping[str, str] = {
    "image": "Describe this picture.",
    "page": "Describe this page.",
    "video": "These are frames of a clip, in their order. Describe the clip.",
    "text": "Say what this text is about.",
    "query": "This is what is looked for.",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What a reasoner is asked.

    Attributes:
        system: The system's words about a document.
        query: The system's words about a query.
        ask: By kind ("image", "page", "video", "text", and "query"), what stands before the item. A kind
            that is not named has the default.
    """

    system: str = _SYSTEM
    query: str = _QUERY
    ask: Mapping[str, str] = field(default_factory=dict)

    def asked(self, kind: str) -> str:
        """What stands before an item of this kind."""
        return self.ask.get(kind) or _ASK[kind]


class ChatReasoner:
    """Writes about each content with an engine (TTE, arXiv:2510.05014, section 3).

    Args:
        engine: Who writes; contents with pictures need one that sees, or text of their own.
        wording: What it is asked.
        trace: Share of a document's or query's tokens that a trace may take: 0 for models without one.
        least: Tokens of trace before it may end.
        words: Longest text that is shown, in words.
        frames: Most pictures that are shown of a content.

    Example:
        >>> from ponder.testing import FakeEngine
        >>> from ponder.testing.examples import text_content
        >>> ChatReasoner(FakeEngine(knowledge={"cello": "instrument"})).reason(
        ...     [text_content("a cello")], role="document", tokens=64
        ... )[0].text
        'say what this text is about a cello instrument'
    """

    def __init__(
        self,
        engine: Engine,
        *,
        wording: Wording | None = None,
        trace: float = 0.0,
        least: int = 0,
        words: int = 800,
        frames: int = 8,
    ) -> None:
        self._engine, self._wording = engine, wording or Wording()
        self._trace, self._least, self._words, self._frames = trace, least, words, frames

    @property
    def fingerprint(self) -> str:
        """Engine, wording, and how much is shown and written."""
        wording = self._wording
        said = repr((wording.system, wording.query, sorted({**_ASK, **wording.ask}.items())))
        digest = hashlib.sha256(said.encode()).hexdigest()[:8]
        how = f"{self._trace}-{self._least}-{self._words}-{self._frames}"
        return f"{self._engine.fingerprint}/{_VERSION}-{digest}-{how}"

    def reason(self, contents: Sequence[Content], *, role: Role, tokens: int) -> list[Reasoning]:
        """See `ponder.protocols.Reasoner`. A query's reading is paid from `tokens`, a document's is not.

        Raises:
            MissingDependency: A document has nothing but pictures, and the engine sees none.
            InputInvalid: The engine could not write about one of the documents.
            BackendFailed: It could not write about a query.
        """
        if role == "query":
            return [self._about_query(content, tokens) for content in contents]
        if tokens <= 0:
            return [self._reasoning(content, Written(text="")) for content in contents]
        prompts = [self.prompt(content, role) for content in contents]
        written = self._engine.write(prompts, self._effort(tokens)) if prompts else []
        for each in written:
            if each.error:
                raise InputInvalid(f"it cannot be reasoned about: {each.error}", self._engine.fingerprint)
        return [self._reasoning(content, each) for content, each in zip(contents, written, strict=True)]

    def _about_query(self, content: Content, tokens: int) -> Reasoning:
        nothing = Reasoning(model=self.fingerprint, truncated=True)
        if tokens <= 0:
            return nothing
        prompt = self.prompt(content, "query")
        left = tokens - self._engine.prices([prompt])[0]
        if left <= 0:
            return nothing
        [written] = self._engine.write([prompt], self._effort(left))
        if written.error:
            raise BackendFailed(
                f"the query cannot be reasoned about: {written.error}", self._engine.fingerprint
            )
        return Reasoning(
            written.text,
            (PartReasoning("", written.text),),
            written.trace,
            written.usage,
            _length(written),
            written.truncated,
            self.fingerprint,
            written.cut,
        )

    def _effort(self, tokens: int) -> Effort:
        trace = min(int(tokens * self._trace), tokens - 1)
        return Effort(trace, tokens - trace, min(self._least, trace))

    @property
    def engine(self) -> Engine:
        """Who writes."""
        return self._engine

    def prompt(self, content: Content, role: Role) -> Prompt:
        """What the engine is asked about a content.

        Raises:
            MissingDependency: It has nothing but pictures, and the engine sees none.
        """
        sees = "pictures" in self._engine.able
        if not sees and not content.text.strip() and content.images:
            how = "take a reasoner that does, or models lite"
            raise MissingDependency("the reasoner sees no pictures", self._engine.fingerprint, how)
        # A page is read from its picture; its text layer goes with it, because small models misread.
        pictures = spread(content.images, self._frames) if sees else ()
        words = first_words(content.text, self._words)
        kind = "query" if role == "query" else content.kind
        parts: list[Any] = [f"{self._wording.asked(kind)}\n", *pictures]
        if words:
            parts.append(f"\n{words}" if pictures else words)
        system = self._wording.query if role == "query" else self._wording.system
        return Prompt((Turn("system", (system,)), Turn("user", tuple(parts))))

    def _reasoning(self, content: Content, written: Written) -> Reasoning:
        return Reasoning(
            written.text or first_words(content.text, self._words),
            reasoned_parts(content, written.text, self._words),
            written.trace,
            written.usage,
            _length(written),
            written.truncated,
            self.fingerprint,
            written.cut,
        )


def reasoned_parts(content: Content, said: str, words: int = 800) -> tuple[PartReasoning, ...]:
    """The parts of a reasoning: the whole, a text's passages, a clip's segments.

    Args:
        content: What was reasoned about.
        said: About the whole; "" for nothing.
        words: Of the content's own text, where nothing was said.
    """
    from ponder.media.passages import passages_of

    parts = [PartReasoning("", said or first_words(content.text, words))]
    parts += [PartReasoning(f"chars={p.start}-{p.end}", p.text) for p in passages_of(content)]
    if content.kind == "video":
        parts += [PartReasoning(f"t={start:g},{end:g}", said) for start, end in content.segments]
    return tuple(parts)


def _length(written: Written) -> int:
    """Tokens of the final text: what was written but for the trace, by words where a trace is in it."""
    if not written.trace:
        return written.usage.written
    share = len(written.text) / max(1, len(written.text) + len(written.trace))
    return round(written.usage.written * share)
