"""The `lite` reasoner: perception and knowledge composed into ECR under a token budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ponder.models.lite.language import Language
from ponder.models.lite.naming import Priors, name_sought
from ponder.models.lite.perception import Glimpse, Perceiver, Perception
from ponder.models.lite.wordnet import ImagenetClass, knowledge
from ponder.reason.knowledge import definition, further, gloss
from ponder.reason.motion import phrase
from ponder.records import Content, PartReasoning, Reasoning, Role, Usage

CLASSES = 5
"""Classes that are spoken of: ConSE's usual number; 20 gave nothing on photos and cost .01 on stamps."""

_PLAUSIBLE = 0.05
_IN_DOUBT = 0.15
_OF_WHOLE = 40
"""Words of a page's beginning: documents' ndcg@5 .637 to .641 with 20 to 50, .612 with 80 (docs/log.md)."""
_VERSION = "lite-reasoner-8"


class LiteReasoner:
    """Says what is seen and what is known of it, as many tokens of it as are allowed.

    Without a budget (``tokens=0``) it adds no knowledge: the five likeliest class names, the text layer or
    OCR, the colours. With one, each likely class is defined (WordNet: kin and gloss), the likeliest first,
    and then more is said of the likeliest while tokens last; a clip's segments say what moves how.
    Where the likeliest class' definition finds no room, its names and gloss are said, or its name alone,
    and no other class speaks before it. Of a query in words the language model names what is sought, in a few
    tokens.

    Follows TTE's division of labour (arXiv:2510.05014): the reasoner speaks, the embedder conditions on
    what it says. `PartReasoning.facts` holds ``claims``, lists of ``[definition, gloss, weight, name]`` (of
    what was said more shortly, that in place of both), that the lite embedder mixes (ConSE,
    arXiv:1312.5650), and of documents ``things``, lists of ``[name, weight, prior]``, that the judges need.

    Args:
        perceiver: Looks at contents.
        language: Counts and cuts: its tokenizer is the measure of every token here.
    """

    def __init__(self, perceiver: Perceiver, language: Language) -> None:
        self._perceiver, self._language = perceiver, language
        self._priors = Priors(language)

    @property
    def fingerprint(self) -> str:
        """Perception, knowledge, and this composition."""
        return f"{self._perceiver.fingerprint}/{self._language.fingerprint}/{_VERSION}"

    def reason(self, contents: Sequence[Content], *, role: Role, tokens: int) -> list[Reasoning]:
        """See `ponder.protocols.Reasoner`. A query's looks and words are both paid from `tokens`."""
        return [self._reason(content, role, tokens) for content in contents]

    def _reason(self, content: Content, role: Role, tokens: int) -> Reasoning:
        if role == "query":
            return self._about_query(content, tokens)
        seen = self._perceiver.perceive(content)
        return self._compose(content, seen, role, tokens, seen.usage)

    def _about_query(self, content: Content, tokens: int) -> Reasoning:
        if content.text.strip() and not content.images:
            return self._named(content.text, tokens)
        seen = self._perceiver.perceive(content, read=False)
        left = tokens - seen.usage.read
        if left <= 0 or not seen.whole.classes:
            return Reasoning(model=self.fingerprint, truncated=bool(seen.whole.classes))
        return self._compose(content, seen, "query", left, seen.usage)

    def _named(self, sought: str, tokens: int) -> Reasoning:
        """What a query in words is about, in the language model's own word for it."""
        written = name_sought(self._language, sought, tokens)
        return Reasoning(
            text=written.text,
            usage=written.usage,
            tokens=self._language.count(written.text),
            truncated=written.truncated,
            model=self.fingerprint,
        )

    def _compose(self, content: Content, seen: Perception, role: Role, tokens: int, cost: Usage) -> Reasoning:
        writer = _Writer(self._language.count, tokens)
        text = content.text or seen.words
        # A clip's segments come first: what moves how is a few words, and no definition says it.
        segments = self._segments(seen, writer)
        if content.kind in ("page", "text"):
            whole = self._of_text(text, content, writer)
        else:
            # A query's own words are embedded beside its reasoning: once is enough.
            whole = self._of_thing(seen.whole, "" if role == "query" else text, writer)
            if role == "document":
                # Judges need them of candidates; a query has no tokens to spare for them.
                things, asked = self._likely(seen.whole)
                cost += asked
                whole = replace(whole, facts={**whole.facts, "things": things})
        parts = [whole, *segments, *_passages(content, seen.words)]
        said = " ".join(part.text for part in parts[: 1 + len(seen.segments)] if part.text)
        said = said if len(said) <= _LONGEST else said[:_LONGEST]
        return Reasoning(
            text=said,
            parts=tuple(parts),
            usage=cost + Usage(written=writer.written),
            tokens=self._language.count(said),
            truncated=writer.refused,
            model=self.fingerprint,
        )

    def _of_thing(self, glimpse: Glimpse, text: str, writer: _Writer) -> PartReasoning:
        things = _things(glimpse)
        facts: dict[str, Any] = {"claims": []}
        claims: list[str] = []
        for place, (thing, weight) in enumerate(things):
            full, *shorter = _forms(thing)
            if weight < _PLAUSIBLE and claims:
                # The mixture conditions on every class; only the plausible ones are worth words.
                facts["claims"].append([*full, weight, thing.name])
                continue
            forms = [full] if place else [full, *shorter]
            told = next((form for form in forms if writer.afford(f"{form[0]}.")), None)
            if told:
                claims.append(f"{told[0]}.")
                facts["claims"].append([*told, weight, thing.name])
            elif place == 0:
                # Where the likeliest finds no room at all, a less likely one would mislead.
                break
        if claims:
            claims += [sentence for sentence in further(things[0][0].index) if writer.afford(sentence)]
        said = " ".join(claims) if claims else "; ".join(thing.name for thing, _ in things)
        colours = ", ".join(name for name, _ in glimpse.colours[:3])
        if colours:
            said += f" Colours: {colours}."
        if text.strip():
            said += f" It reads: {text.strip()}"
        return PartReasoning("", said, facts)

    def _likely(self, glimpse: Glimpse) -> tuple[list[list[Any]], Usage]:
        """Up to three plausible names: ``[name, weight, prior]``, weights summing to 1."""
        things = _things(glimpse)
        kept = [(thing.name, weight) for thing, weight in things[:3] if weight >= _IN_DOUBT]
        merged: dict[str, float] = {}
        for name, weight in kept or [(thing.name, weight) for thing, weight in things[:1]]:
            merged[name] = merged.get(name, 0.0) + weight
        total = sum(merged.values())
        priors, usage = self._priors.of(list(merged))
        likely = [
            [name, round(weight / total, 5), round(prior, 4)]
            for (name, weight), prior in zip(merged.items(), priors, strict=True)
        ]
        return likely, usage

    def _of_text(self, text: str, content: Content, writer: _Writer) -> PartReasoning:
        words = text.split()
        facts: dict[str, Any] = {"lead": " ".join(words[:_OF_WHOLE]) if writer.limit else ""}
        # A page speaks for itself; what is written about it is its beginning, which names its subject.
        lead = facts["lead"]
        if lead and not writer.afford(lead):
            facts["lead"] = lead = ""
        return PartReasoning("", lead or " ".join(words[:_OF_WHOLE]), facts)

    def _segments(self, seen: Perception, writer: _Writer) -> list[PartReasoning]:
        parts = []
        for segment in seen.segments:
            start, end = segment.span
            things = _things(segment)
            facts: dict[str, Any] = {
                "claims": [],
                "motion": "",
                "confidence": segment.confidence,
                "span": [start, end],
            }
            said = "; ".join(thing.name for thing, _ in things[:2])
            moves = phrase(segment.motion)
            if things and writer.limit and writer.afford(f"{things[0][0].name} {moves}."):
                facts["motion"] = segment.motion
                facts["claims"] = [
                    [f"{thing.name} {moves}", definition(thing), weight, thing.name]
                    for thing, weight in things
                ]
                said = f"{things[0][0].name} {moves}."
            parts.append(PartReasoning(f"t={start:g},{end:g}", said, facts))
        return parts


_LONGEST = 6000
"""Characters of an item's reasoning that are kept with it; pages keep theirs in their passages."""


class _Writer:
    """Sentences within a limit of tokens: one that does not fit is left out, shorter ones may follow."""

    def __init__(self, count: Callable[[str], int], limit: int) -> None:
        self._count = count
        self.limit, self.written, self.refused = limit, 0, False

    def afford(self, sentence: str) -> bool:
        if not self.limit:
            return False
        cost = self._count(sentence)
        if self.written + cost > self.limit:
            self.refused = True
            return False
        self.written += cost
        return True


def _things(glimpse: Glimpse) -> list[tuple[ImagenetClass, float]]:
    """The likeliest classes with weights that sum to 1."""
    best = glimpse.classes[:CLASSES]
    total = sum(probability for _, probability in best)
    if total <= 0:
        return []
    table = knowledge()
    return [(table[index], round(probability / total, 5)) for index, probability in best]


def _forms(thing: ImagenetClass) -> tuple[tuple[str, str], ...]:
    """What may be said of a class, in full and shorter: the sentence, and what is claimed beside it."""
    return (definition(thing), gloss(thing)), (gloss(thing), gloss(thing)), (thing.name, thing.name)


def _passages(content: Content, read: str) -> list[PartReasoning]:
    from ponder.media.passages import passages_of

    return [PartReasoning(f"chars={p.start}-{p.end}", p.text, _NOTHING) for p in passages_of(content, read)]


_NOTHING: Mapping[str, Any] = {}
