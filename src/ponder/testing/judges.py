"""Deterministic rerankers: one that keeps the rules, one that ignores its limit, and broken ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ponder.errors import BackendFailed
from ponder.protocols import JudgesApart, Reads, Reranker
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.testing.words import ModelUsed, number, seen, words

Breakage = Literal["none", "nan", "inf", "text", "strangers", "twice", "raise", "crash", "negative-usage"]


@dataclass(eq=False)
class FakeReranker:
    """Scores a candidate by the share of the query's words that its stored reasoning holds.

    The query is read once and each candidate's reasoning once; the verdict is one token. Candidates are
    judged from the first on until the next one does not fit into the limit.

    Args:
        name: Stage name.
        reads: As in `ponder.protocols.Reranker`; changes nothing else here.
        weight: Default weight in fusion.
        thinks: Write the words in common as new reasoning, one token each.
        sign: -1 makes it wrong on purpose.
        forbidden: Raise `ModelUsed` when used.
        spread: What `swing` says; None for a judge that has to see all candidates together.

    Attributes:
        calls: Number of calls of `rerank`.
    """

    name: str = "ecr"
    reads: Reads = "ecr"
    weight: float = 1.0
    thinks: bool = False
    sign: int = 1
    forbidden: bool = False
    calls: int = 0
    spread: float | None = math.inf

    @property
    def fingerprint(self) -> str:
        """Class and settings."""
        return f"{type(self).__name__}-{self.name}-{self.reads}-{self.thinks}-{self.sign}"

    def swing(self, query: Content, candidate: Candidate) -> float | None:
        """See `ponder.protocols.JudgesApart`."""
        return self.spread

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """Judge the candidates that fit into `limit`."""
        if self.forbidden:
            raise ModelUsed(self.fingerprint)
        self.calls += 1
        asked = seen(query)
        total = Usage()
        verdicts: list[Verdict] = []
        for candidate in candidates:
            read = words(candidate.row.reasoning.text)
            common = [word for word in dict.fromkeys(asked) if word in read]
            thought = common if self.thinks else []
            prefix = 0 if verdicts else len(asked)
            cost = Usage(prefix + len(read), 1 + len(thought))
            if (total + cost).spent > limit:
                break
            total += cost
            score = self.sign * len(common) / max(1, len(set(asked)))
            verdicts.append(Verdict(candidate.row.item.id, score, " ".join(thought)))
        return Judgement(tuple(verdicts), total)


@dataclass(eq=False)
class ConstantReranker(FakeReranker):
    """Gives every candidate that it can afford the same score: its ties must change nothing."""

    constant: float = 0.5

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `FakeReranker`, with one score for all."""
        fair = FakeReranker.rerank(self, query, candidates, limit=limit)
        return Judgement(tuple(Verdict(v.id, self.constant) for v in fair.verdicts), fair.usage)


@dataclass(eq=False)
class SpoiltReranker:
    """Any judge with its scores spoilt: it spends as much and knows nothing, or the opposite.

    Args:
        judge: Who is asked. What it gives no score keeps none.
        how: "noise": a score by the hash of query and candidate, uniform from 0 to `scale`; "constant":
            `scale` for everyone; "negated": minus the judge's.
        scale: See `how`.

    Example:
        >>> SpoiltReranker(FakeReranker("ecr"), "negated").fingerprint
        'negated-1.0-FakeReranker-ecr-ecr-False-1'
    """

    judge: Reranker
    how: Literal["noise", "constant", "negated"]
    scale: float = 1.0

    def __post_init__(self) -> None:
        self.name, self.reads, self.weight = self.judge.name, self.judge.reads, self.judge.weight

    @property
    def fingerprint(self) -> str:
        """How, and the judge's."""
        return f"{self.how}-{self.scale}-{self.judge.fingerprint}"

    def swing(self, query: Content, candidate: Candidate) -> float | None:
        """The judge's own word, "not known" if it has none."""
        return self.judge.swing(query, candidate) if isinstance(self.judge, JudgesApart) else math.inf

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As the judge, then spoilt."""
        fair = self.judge.rerank(query, candidates, limit=limit)
        spoilt = (v if v.score is None else replace(v, score=self._score(query, v)) for v in fair.verdicts)
        return Judgement(tuple(spoilt), fair.usage)

    def _score(self, query: Content, verdict: Verdict) -> float:
        match self.how:
            case "negated":
                return -float(verdict.score or 0.0)
            case "constant":
                return self.scale
        return self.scale * number(f"{query.digest} {verdict.id}", 10**6) / 10**6


@dataclass(eq=False)
class GreedyReranker(FakeReranker):
    """Judges every candidate whatever its limit, and reports what that cost."""

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `FakeReranker` without a limit."""
        return FakeReranker.rerank(self, query, candidates, limit=10**9)


@dataclass(eq=False)
class BrokenReranker(FakeReranker):
    """Keeps its limit and fails in another way.

    Args:
        breakage: "none": no verdict can be read. "nan", "inf": scores are not finite. "text": scores
            are words, against the types. "strangers": verdicts are about ids that nobody asked about.
            "twice": each verdict comes again with another score. "raise": `BackendFailed`. "crash":
            some other exception. "negative-usage": reports to have spent less than nothing.
        every: Only every n-th verdict is broken; 1 breaks all. For "none", "nan", "inf" and "text".
    """

    breakage: Breakage = "none"
    every: int = 1

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `FakeReranker`, then broken."""
        fair = FakeReranker.rerank(self, query, candidates, limit=limit)
        verdicts = list(fair.verdicts)
        match self.breakage:
            case "raise":
                raise BackendFailed("the judge has failed", self.name, "it is made to fail")
            case "crash":
                raise RuntimeError("the judge has crashed")
            case "strangers":
                verdicts = [Verdict(f"stranger-{v.id}", v.score) for v in verdicts]
            case "twice":
                verdicts += [Verdict(v.id, -(v.score or 0.0)) for v in verdicts]
            case "negative-usage":
                return Judgement(fair.verdicts, Usage(-1000, -1000))
            case _:
                verdicts = [self._spoilt(v) if i % self.every == 0 else v for i, v in enumerate(verdicts)]
        return Judgement(tuple(verdicts), fair.usage)

    def _spoilt(self, verdict: Verdict) -> Verdict:
        bad: dict[str, object] = {"none": None, "nan": math.nan, "inf": math.inf, "text": "maybe"}
        score: float | None = bad[self.breakage]  # type: ignore[assignment]
        return Verdict(verdict.id, score, note="not parseable")
