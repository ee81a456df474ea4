"""Judges that look at one candidate at a time: what they share, whatever their question is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ponder.models.engine import Engine, Likely, Prompt
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.hearing import any_heard, fault
from ponder.rerank.musing import Musing, Thought, fitted, most
from ponder.rerank.showing import Showing, Shown, unjudged

_VERSION = "pointwise-1"


class Question(Protocol):
    """What is asked about one candidate, and how the answer becomes a score."""

    @property
    def fingerprint(self) -> str:
        """Wording and answers."""
        ...

    def prompt(self, query: Shown, instruction: str, shown: Shown, thought: str) -> Prompt:
        """The conversation; what all candidates share stands first."""
        ...

    def prices(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[int]:
        """What `ask` reads for each, one after the other."""
        ...

    def ask(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[Likely]:
        """The engine's answers."""
        ...

    def score(self, values: Sequence[float]) -> float:
        """Higher is better."""
        ...


class PointwiseJudge:
    """Asks the same question about each candidate, from the first on, as long as tokens last.

    With `musing`, something is written about each candidate first, and read with the question; about all
    that are judged or about none, and as much about each, since a score with and one without a thought
    cannot be compared. Where the limit leaves less than the musing's least for each, all are judged without.

    Args:
        name: As in ``--stages``.
        engine: Who is asked.
        question: What.
        showing: What is shown of a candidate.
        weight: Of the score in fusion.
        musing: Query-aware reasoning before the question; None for none.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        question: Question,
        showing: Showing,
        *,
        weight: float = 1.0,
        musing: Musing | None = None,
    ) -> None:
        self.name, self.weight = name, weight
        self._engine, self._question, self._showing, self._musing = engine, question, showing, musing

    @property
    def reads(self) -> Reads:
        """As `showing` does."""
        return self._showing.reads

    @property
    def fingerprint(self) -> str:
        """Engine, question, what is shown, and what is thought before."""
        thinks = self._musing.fingerprint if self._musing else "plain"
        parts = (self._engine.fingerprint, self._question.fingerprint, self._showing.fingerprint, thinks)
        return "/".join((self.name, _VERSION, *parts))

    @property
    def engine(self) -> Engine:
        """Who is asked."""
        return self._engine

    @property
    def question(self) -> Question:
        """What."""
        return self._question

    def plain(self) -> PointwiseJudge:
        """The same without musing."""
        return PointwiseJudge(self.name, self._engine, self._question, self._showing, weight=self.weight)

    def prompts(self, query: Content, candidates: Sequence[Candidate]) -> list[Prompt]:
        """What the engine is asked about each candidate that can be shown, without thoughts."""
        asked = self._showing.query(query)
        if asked.missing:
            return []
        shown = [self._showing.candidate(candidate) for candidate in candidates]
        return [
            self._question.prompt(asked, query.instruction, each, "") for each in shown if not each.missing
        ]

    def price(self, query: Content, candidates: Sequence[Candidate]) -> int | None:
        """See `ponder.protocols.PricesJudging`: exact without musing, an upper bound with it."""
        case = self._case(query, candidates)
        if case is None:
            return 0
        total = sum(case.costs)
        if self._musing is None or not case.shown:
            return total
        writing = sum(self._musing.prices(case.query, case.instruction, case.shown))
        return total + writing + 2 * self._musing.effort.total * len(case.shown)

    def swing(self, query: Content, candidate: Candidate) -> float | None:
        """See `ponder.protocols.JudgesApart`: pairs are judged alone; how far apart depends on the model."""
        return math.inf

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`.

        Raises:
            BackendFailed: The engine answered about none of the candidates.
        """
        case = self._case(query, candidates)
        if case is None:
            return unjudged(candidates, self._showing.query(query).missing)
        count = len(case.all)
        while count and sum(case.costs[:count]) > limit:
            count -= 1
        return self._judge(case.first(count), candidates[:count], limit)

    def _case(self, query: Content, candidates: Sequence[Candidate]) -> _Case | None:
        """All that is known before an engine is asked; None for a query that nothing can be judged by."""
        asked = self._showing.query(query)
        if asked.missing:
            return None
        shown = tuple(self._showing.candidate(candidate) for candidate in candidates)
        readable = [each for each in shown if not each.missing]
        prompts = [self._question.prompt(asked, query.instruction, each, "") for each in readable]
        prices = iter(self._question.prices(self._engine, asked, prompts))
        return _Case(
            asked, query.instruction, shown, tuple(0 if each.missing else next(prices) for each in shown)
        )

    def _judge(self, case: _Case, candidates: Sequence[Candidate], limit: int) -> Judgement:
        shown = case.shown
        if not shown:
            return Judgement(
                tuple(_unjudged(c, each.missing) for c, each in zip(candidates, case.all, strict=True))
            )
        thoughts, usage = self._think(case, limit)
        prompts = self._prompts(case, thoughts)
        left = limit - usage.spent
        if sum(self._question.prices(self._engine, case.query, prompts)) > left:
            thoughts = [Thought(note="no room for the thought")] * len(shown)
            prompts = self._prompts(case, thoughts)
            if sum(self._question.prices(self._engine, case.query, prompts)) > left:
                # Whoever wrote has forgotten its limit: say what it took, and judge nothing.
                return Judgement((), usage)
        answers = self._question.ask(self._engine, case.query, prompts)
        any_heard(answers, self.name)
        usage = sum((answer.usage for answer in answers), usage)
        read = iter(zip(answers, thoughts, strict=True))
        verdicts = [
            _unjudged(candidate, each.missing) if each.missing else self._verdict(candidate, *next(read))
            for candidate, each in zip(candidates, case.all, strict=True)
        ]
        return Judgement(tuple(verdicts), usage)

    def _think(self, case: _Case, limit: int) -> tuple[list[Thought], Usage]:
        count = len(case.shown)
        nothing = [Thought()] * count
        if self._musing is None:
            return nothing, Usage()
        base = sum(case.costs) + sum(self._musing.prices(case.query, case.instruction, case.shown))
        # Each token is written once, and read once by the judge.
        tokens = most(lambda each: base + 2 * each * count, limit, self._musing.effort.total)
        if tokens < max(1, self._musing.least):
            return nothing, Usage()
        thoughts, usage = self._musing.think(case.query, case.instruction, case.shown, tokens)
        return fitted(self._engine, thoughts, tokens), usage

    def _prompts(self, case: _Case, thoughts: Sequence[Thought]) -> list[Prompt]:
        return [
            self._question.prompt(case.query, case.instruction, each, thought.text)
            for each, thought in zip(case.shown, thoughts, strict=True)
        ]

    def _verdict(self, candidate: Candidate, answer: Likely, thought: Thought) -> Verdict:
        id_ = candidate.row.item.id
        if wrong := fault(answer):
            return Verdict(id_, None, thought.text, wrong)
        notes = [thought.note, f"cut: {answer.cut}" if answer.cut else ""]
        return Verdict(id_, self._question.score(answer.values), thought.text, "; ".join(filter(None, notes)))


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """A query with its candidates, as they are shown, and what asking about each costs."""

    query: Shown
    instruction: str
    all: tuple[Shown, ...]
    costs: tuple[int, ...]

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Those that can be judged."""
        return tuple(each for each in self.all if not each.missing)

    def first(self, count: int) -> _Case:
        return _Case(self.query, self.instruction, self.all[:count], self.costs[:count])


def _unjudged(candidate: Candidate, why: str) -> Verdict:
    return Verdict(candidate.row.item.id, None, note=why)
