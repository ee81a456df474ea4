"""The records that travel between the rooms: frozen, typed, without behaviour beyond themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

Kind = Literal["image", "page", "video", "text"]
Role = Literal["query", "document"]
TextSource = Literal["", "given", "layer", "ocr"]


@dataclass(frozen=True, slots=True)
class Item:
    """One document: a picture, a PDF page, a clip or a text. What is searched for and returned.

    Attributes:
        id: Unique within a shelf or corpus.
        kind: What it is.
        uri: Where it comes from, absolute; pages end in ``#page=N``. Never shown to a model.
        path: The file to open, or None when `text` is all there is.
        page: Number of the PDF page, from 1.
        span: ``(start, end)`` seconds, when the item is a stretch of the clip at `path`.
        text: Text that came with the item (a corpus' text field); a text file's body is read
            by the media room instead.
        metadata: For filters and analysis. Never shown to a model.
        instruction: What the item's vector is for, where a benchmark tells it of documents too; embedders may
            use or ignore it. No other part sees it.
    """

    id: str
    kind: Kind
    uri: str = ""
    path: str | None = None
    page: int | None = None
    text: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    span: tuple[float, float] | None = None
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: text, a picture, a clip, a page, or text together with one of them.

    Attributes:
        text: The words; may be empty when there is media.
        image: Path of a picture.
        video: Path of a clip.
        page: ``(path of a PDF, page number from 1)``.
        instruction: What the search is for, as TTE and MMEB give it; models may use or ignore it.
        id: For runs and reports.
    """

    text: str = ""
    image: str | None = None
    video: str | None = None
    page: tuple[str, int] | None = None
    instruction: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an item's text, with its character offsets in that text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Content:
    """An item or a query as models see it: opened, bounded, without names, paths or metadata.

    Attributes:
        kind: What it is; a query of plain text is "text".
        digest: sha256 hex of the bytes (and page) or text: the content's part in every cache key.
        text: The whole text: given, read from the file, or the page's text layer.
        text_source: Where `text` comes from; "" when there is none.
        passages: `text` in passages of about 90 words, in order.
        images: RGB pictures: one for an image or page, the frames of a clip in time order.
        times: Seconds of each frame; empty unless kind is "video".
        segments: ``(start, end)`` seconds of the clip's shots or segments, in time order.
        duration: Seconds of the clip, 0 otherwise.
        instruction: As in `Query`; of an item, as in `Item`, and only where an embedder looks at it.
    """

    kind: Kind
    digest: str
    text: str = ""
    text_source: TextSource = ""
    passages: tuple[Passage, ...] = ()
    images: tuple[Image, ...] = ()
    times: tuple[float, ...] = ()
    segments: tuple[tuple[float, float], ...] = ()
    duration: float = 0.0
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: computed from input, generated, and reused without any model reading them.

    Example:
        >>> Usage(read=10, written=2) + Usage(read=5, cached=7)
        Usage(read=15, written=2, cached=7)
    """

    read: int = 0
    written: int = 0
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.read + other.read, self.written + other.written, self.cached + other.cached)

    @property
    def spent(self) -> int:
        """What counts against a budget: read + written."""
        return self.read + self.written


@dataclass(frozen=True, slots=True)
class PartReasoning:
    """The reasoning about one part of an item (a page's passage, a clip's segment).

    Attributes:
        label: Fragment that names the part: ``chars=START-END`` or ``t=START,END``; "" is the whole.
        text: The reasoning, or the passage itself.
        facts: Machine-readable findings that the embedder of the same family conditions on.
    """

    label: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Embedding-centric reasoning (ECR) about an item or a query (TTE, arXiv:2510.05014, section 3).

    Attributes:
        text: The final reasoning, without the trace.
        parts: Reasoning by part; the first is the whole item.
        trace: What stood between ``<think>`` and ``</think>``.
        usage: What it cost to make, in the models' own tokens.
        tokens: Length of `text` in the reasoner's tokens: what a reuse counts as `cached`.
        truncated: A limit cut the trace or the text.
        model: Fingerprint of the reasoner that wrote it.
        cut: What of the content the reasoner did not see, because its context is too short; "" for nothing.
    """

    text: str = ""
    parts: tuple[PartReasoning, ...] = ()
    trace: str = ""
    usage: Usage = Usage()
    tokens: int = 0
    truncated: bool = False
    model: str = ""
    cut: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """An item's vectors: one a part.

    Attributes:
        labels: Labels of the parts, as in `PartReasoning`; the first is "" for the whole.
        vectors: float32 array of shape (parts, dim), rows of unit norm.
    """

    labels: tuple[str, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What an index stores about one item, wholly in or wholly out.

    Attributes:
        item: The item.
        reasoning: Its ECR.
        embedded: Its vectors.
        digest: The content's digest.
        source: Bookkeeping of the writer (file size, time, ...); opaque to the index.
    """

    item: Item
    reasoning: Reasoning
    embedded: Embedded
    digest: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """One item found by an index: its best part and that part's score (dot product).

    `score` is that of the best part; `part` is its label, `part_no` its number.
    """

    id: str
    score: float
    part: str = ""
    part_no: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What a reranker judges: an item with its stored reasoning, as the last stage left it.

    Attributes:
        row: The stored row.
        part: Label of its best part, "" for the whole.
        score: Score after the last stage.
        rank: Rank after the last stage, from 1.
        judged: Names of the stages whose judges gave it a score.
    """

    row: Row
    part: str
    score: float
    rank: int
    judged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reranker's judgement of one candidate.

    Attributes:
        id: The candidate's item id.
        score: Higher is better, on the reranker's own scale; None when no verdict could be read: the
            candidate then keeps its place and is flagged. A verdict that does not parse never
            becomes a score.
        reasoning: New reasoning with the query in view, if the reranker wrote some.
        note: Why there is no score, or what was cut.
    """

    id: str
    score: float | None
    reasoning: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reranker returns for one query: verdicts of the candidates that it could afford."""

    verdicts: tuple[Verdict, ...]
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Gate:
    """When a stage is left out, by a signal that costs no tokens (`ponder.cascade.signals`).

    Attributes:
        signal: Its name.
        above: Whether the stage is left out above the threshold; else below it.
        threshold: As measured.
        why: What was measured, and what was found.

    Example:
        >>> Gate("margin", True, 2.0, "").shut({"margin": 2.5})
        True
    """

    signal: str
    above: bool
    threshold: float
    why: str

    def shut(self, signals: Mapping[str, float]) -> bool:
        """Whether the stage is left out; never for a signal that is not there."""
        value = signals.get(self.signal)
        if value is None:
            return False
        return value > self.threshold if self.above else value < self.threshold

    def told(self, signals: Mapping[str, float]) -> str:
        """Why it is shut, for a trace."""
        side = "above" if self.above else "below"
        return f"its {self.signal} of {signals[self.signal]:.3g} is {side} {self.threshold:.3g}: {self.why}"


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a judge's word on one kind of candidate counts, as it was measured.

    Attributes:
        weight: Of its scores beside the earlier stage's; 0 for a judge that is not to be asked.
        swing: Standard deviation of its scores over a query's candidates.
        why: What it was measured on, and what was found.
        gate: When the judge is not asked all the same.
        width: Swings by which a candidate may lie behind the leader and still be worth judging.
        width_last: The same where no later stage has anything to say; None for `width`.
        stretch: Its scores' deviation in units of the swing that it tells of itself for a query; None where
            that was not measured.
    """

    weight: float
    swing: float
    why: str
    gate: Gate | None = None
    width: float = 1.25
    width_last: float | None = None
    stretch: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a chooser says about the candidate answers to one question.

    Attributes:
        scores: One a candidate, in their order, higher is better; empty when the limit did not
            suffice or no verdict could be read.
        usage: What it cost.
    """

    scores: tuple[float, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class StageScore:
    """One stage's opinion of a hit: the stage's own score and the rank that it left the hit at.

    `score` is None when the stage did not judge this hit. `chance` is the probability that the hit is
    relevant, by a calibration of the stage's judge; None without one.
    """

    name: str
    score: float | None
    rank: int
    note: str = ""
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One result.

    Attributes:
        item: The item.
        rank: From 1.
        score: Never rises with rank within a ranking.
        part: The part that matched best: ``t=START,END``, ``chars=START-END``, or "".
        reason: The reasoning that found it: new reasoning if a stage wrote some, else the ECR.
        passage: Text of the best part.
        stages: What each stage said.
    """

    item: Item
    rank: int
    score: float
    part: str = ""
    reason: str = ""
    passage: str = ""
    stages: tuple[StageScore, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a trace: which stage did what, to which item, and why.

    `failed` says that the stage's model failed and that the search went on without it.
    """

    stage: str
    what: str
    item: str = ""
    before: int | None = None
    after: int | None = None
    score: float | None = None
    tokens: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class NextStep:
    """What could be asked next of a judge, had the search more tokens.

    Attributes:
        stage: Whose judge.
        candidates: How many he would be asked about.
        tokens: What that costs at most; None where the judge cannot say.
        changes: Whether it could put another candidate first in its stage; None where that is not known.
        why: Why, and why a price is not known.
    """

    stage: str
    candidates: int
    tokens: int | None
    changes: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to a query.

    Attributes:
        query: As asked.
        hits: Best first.
        usage: Sum over the stages; ``usage.spent <= budget``, always.
        by_stage: The same by stage name.
        budget: The cap, in tokens; of a query that shares a purse with others, the whole purse.
        trace: What happened, in order.
        seconds: Wall time.
        next: What could be asked next, where the search was to explain itself and anyone is left to judge.
        signals: What retrieval alone tells of the query, for gates (`ponder.cascade.signals`).
    """

    query: Query
    hits: tuple[Hit, ...]
    usage: Usage = Usage()
    by_stage: Mapping[str, Usage] = field(default_factory=dict)
    budget: int = 0
    trace: tuple[Event, ...] = ()
    seconds: float = 0.0
    next: NextStep | None = None
    signals: Mapping[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out, and why: never fatal, never silent.

    Attributes:
        uri: What it is.
        error: Why, in words.
        chosen: It was to be left out, by a setting or by a person's word: nothing failed.
    """

    uri: str
    error: str
    chosen: bool = False
