"""Query-aware reasoning about clips: do the things that are asked for happen in them, in that order?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from ponder.models.lite.language import Language
from ponder.models.lite.text_encoder import DIM, TextEncoder
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.question import Asked, Question, understand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOTION = 0.5
"""What the right motion is worth beside the wrong one, in units of the things' likeness (a cosine)."""

_MORE = 0.03
"""What each event that nobody asked for costs: a clip of just what is asked comes before one of more."""

_NEUTRAL = 0.6
"""A likely thing that does who knows what: the score is 0 there, as for items that are not judged."""

_MOST_AT_ONCE = 4
_TOUCHING = 0.5

_SWING = 0.2
"""How far the scores of a query's candidates lie apart; measured on dev (docs/log.md)."""

Meaning = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]
"""From a part's stored vector to its meaning."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One stored segment."""

    name: str
    motion: str
    confidence: float
    start: float
    end: float
    meaning: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """How a candidate answers: its score, and for each asked event the segment that stands for it."""

    score: float
    segments: tuple[_Seen | None, ...]


def applies(query: Content, candidate: Candidate) -> bool:
    """Whether there is anything to judge: a clip, and a query about a motion, an order or a moment."""
    return candidate.row.item.kind == "video" and understand(query.text).tells


class EventsJudge:
    """Takes the query apart into events, and lays a clip's segments beside them in the order of time.

    An asked event is worth the likeness of its thing to the segment's stored meaning plus `_MOTION` times
    how surely its motion is the one seen; the best assignment that keeps the order counts (dynamic
    programming over segments, as in sequence alignment), so the same events the other way round earn
    only one of them. "What comes right after X?" over the moments of one clip is answered by the neighbour
    of what is most like X.

    Costs: the query is read once by the rules, each thing's words once by the encoder, and of each
    candidate the stored motions; what is written about it counts as written. Stored vectors are compared
    free. Where little is left, less is written about each; with too little for two candidates nothing is
    spent.

    On the dev clips, hit@1 was .29 unjudged, .56 with 5 candidates judged, and .62 with 20 judged without
    writing before.

    Args:
        language: Counts what is read and written.
        encoder: Embeds the things' words.
        meaning: From a segment's stored vector to its meaning, a mean of the encoder's vectors.
        write: Whether to write reasoning; False, for a judge of stored reasoning, scores alike for less.
    """

    def __init__(
        self, language: Language, encoder: TextEncoder, meaning: Meaning, *, write: bool = True
    ) -> None:
        self._language, self._encoder, self._meaning, self._write = language, encoder, meaning, write
        self._kept: dict[str, Mapping[str, NDArray[np.float32]]] | None = None

    def sitting(self) -> EventsJudge:
        """See `ponder.protocols.Sits`: a query's things stay embedded."""
        other = copy(self)
        other._kept = {}
        return other

    def swing(self, query: Content, candidate: Candidate) -> float | None:
        """See `ponder.protocols.JudgesApart`: what comes after or before is known by its neighbours.

        Where a stage has judged the clip already, writing its events down moves it no further: the events
        are the same.
        """
        if understand(query.text).seeks in ("after", "before"):
            return None
        return 0.0 if self._write and candidate.judged else _SWING

    def judge(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `ponder.protocols.Reranker.rerank`; scores come on retrieval's scale, for a weight of 1.

        Args:
            query: Its words are what counts.
            candidates: Clips, or moments of clips; the best of the earlier stage first.
            limit: The most tokens to read and write.

        Returns:
            Verdicts on the first candidates that can be afforded. A query that tells of no event gets none
            and costs nothing.
        """
        question = understand(query.text)
        if not question.tells or not candidates:
            return Judgement(())
        things = list(dict.fromkeys(event.thing for event in question.events if event.thing))
        asking = self._language.count(query.text) + sum(self._encoder.count(thing) for thing in things)
        known = (self._kept or {}).get(query.text)
        spent = Usage(read=asking) if known is None else Usage(cached=asking)
        left = limit - spent.spent
        if left < 0:
            return Judgement(())
        vectors = known or dict(zip(things, self._encoder.encode(things), strict=True))
        if self._kept is not None:
            self._kept[query.text] = vectors
        seen = [list(_segments(candidate, self._meaning)) for candidate in candidates]
        fits = _fits(question, candidates, [_aligned(question, segments, vectors) for segments in seen])
        reads = [self._reads(question, segments) for segments in seen]
        told = [self._tell(question, fit, brief=False) for fit in fits]
        if sum(reads) + sum(map(self._language.count, told)) > left:
            told = [self._tell(question, fit, brief=True) for fit in fits]
        verdicts: list[Verdict] = []
        for candidate, segments, fit, facts, text in zip(candidates, seen, fits, reads, told, strict=True):
            if not segments:
                verdicts.append(Verdict(candidate.row.item.id, None, note="no segment of it is known"))
                continue
            cost = Usage(read=facts, written=self._language.count(text))
            if (spent + cost).spent > limit:
                break
            spent += cost
            verdicts.append(Verdict(candidate.row.item.id, round(fit.score, 6), text))
        return (
            Judgement(tuple(verdicts), spent) if len(verdicts) >= min(2, len(candidates)) else Judgement(())
        )

    def _reads(self, question: Question, segments: Sequence[_Seen]) -> int:
        """Tokens of the stored motions, which are compared with those asked for."""
        if not any(event.motion for event in question.events):
            return 0
        return sum(self._language.count(segment.motion) for segment in segments)

    def _tell(self, question: Question, fit: _Fit, *, brief: bool) -> str:
        if not self._write:
            return ""
        beside = {"after": "right before it, ", "before": "right after it, "}.get(question.seeks, "")
        told = []
        for event, segment in zip(question.events, fit.segments, strict=True):
            if segment is None:
                told.append(f"{beside}no {event.thing}" if brief else f"{beside}nothing for {event.thing!r}")
                continue
            same = segment.motion == event.motion
            agrees = "" if not event.motion else " as asked" if same else f" not {event.motion}"
            if brief:
                told.append(f"{beside}{segment.name} {segment.motion}{agrees}")
            else:
                when = f"{segment.start:.1f}-{segment.end:.1f} s"
                sure = f" ({segment.confidence:.1f} sure)" if segment.motion else ""
                told.append(
                    f"{beside}{when}, for {event.thing!r}: {segment.name} {segment.motion}{sure},{agrees}"
                )
        return "; ".join(text.rstrip(" ,") for text in told) + "."


def _fits(question: Question, candidates: Sequence[Candidate], found: list[_Fit]) -> list[_Fit]:
    """How candidates answer, given how each of them shows what is spoken of."""
    if question.seeks not in ("after", "before"):
        return found
    step = 1 if question.seeks == "after" else -1
    worst = min(fit.score for fit in found)
    fits = []
    for place, fit in enumerate(found):
        other = _neighbour(candidates, place, -step)
        beside = worst if other is None else found[other].score
        # What is like X itself is not what comes after X, though retrieval put it first for that.
        shown = fit.segments if other is None else found[other].segments
        fits.append(_Fit(2 * beside - fit.score, shown))
    return fits


def _segments(candidate: Candidate, meaning: Meaning) -> Iterator[_Seen]:
    """The stored segments, in time order."""
    embedded = candidate.row.embedded
    vectors = dict(zip(embedded.labels, embedded.vectors, strict=True))
    for part in candidate.row.reasoning.parts:
        if not part.label.startswith("t=") or part.label not in vectors:
            continue
        means = meaning(vectors[part.label])
        if len(means) != DIM:
            continue
        facts: Mapping[str, Any] = part.facts
        start, end = facts.get("span", (0.0, 0.0))
        claims = facts.get("claims", ())
        name = claims[0][3] if claims else part.text.split(";")[0]
        motion = str(facts.get("motion", ""))
        confidence = float(facts.get("confidence", 0.0))
        yield _Seen(str(name), motion, confidence, float(start), float(end), means)


def _aligned(
    question: Question, segments: Sequence[_Seen], vectors: Mapping[str, NDArray[np.float32]]
) -> _Fit:
    """The best assignment of segments to the asked events, each segment once, in the order asked."""
    asked = question.events
    worth = [[_worth(event, segment, vectors) for segment in segments] for event in asked]
    orders: Iterator[tuple[int, ...]] = iter([tuple(range(len(asked)))])
    if not question.ordered and len(asked) <= _MOST_AT_ONCE:
        orders = permutations(range(len(asked)))
    best, chosen = max((_best_path([worth[i] for i in order], order) for order in orders), key=lambda p: p[0])
    more = 0 if question.seeks == "every" else max(0, len(segments) - len(asked))
    stands = tuple(segments[chosen[i]] if i in chosen else None for i in range(len(asked)))
    return _Fit(best / len(asked) - _NEUTRAL - _MORE * more, stands)


def _best_path(worth: Sequence[Sequence[float]], order: Sequence[int]) -> tuple[float, dict[int, int]]:
    """The best sum over pairs (event, segment) that rise together, and the pairs; skipping earns 0."""
    width = len(worth[0]) + 1
    row: list[tuple[float, dict[int, int]]] = [(0.0, {})] * width
    for event, values in zip(order, worth, strict=True):
        new: list[tuple[float, dict[int, int]]] = [(0.0, {})]
        for segment, value in enumerate(values):
            taken = row[segment][0] + value, {**row[segment][1], event: segment}
            new.append(max(row[segment + 1], new[segment], taken, key=lambda pair: pair[0]))
        row = new
    return row[-1]


def _worth(event: Asked, segment: _Seen, vectors: Mapping[str, NDArray[np.float32]]) -> float:
    alike = float(vectors[event.thing] @ segment.meaning) if event.thing else 0.0
    if not event.motion or segment.motion in ("", "unknown"):
        return alike + _MOTION / 2
    sign = 1.0 if segment.motion == event.motion else -1.0
    return alike + _MOTION * (1.0 + sign * segment.confidence) / 2


def _neighbour(candidates: Sequence[Candidate], place: int, step: int) -> int | None:
    """The candidate of the same clip that comes right after (1) or before (-1), if it is there."""
    item = candidates[place].row.item
    if item.span is None:
        return None
    gaps = []
    for number, other in enumerate(candidates):
        span = other.row.item.span
        if span is None or number == place or other.row.item.path != item.path:
            continue
        gap = span[0] - item.span[1] if step > 0 else item.span[0] - span[1]
        length = min(span[1] - span[0], item.span[1] - item.span[0])
        # A longer gap holds a moment that is not among the candidates.
        if -_TOUCHING * length < gap < _TOUCHING * length:
            gaps.append((abs(gap), number))
    return min(gaps)[1] if gaps else None
