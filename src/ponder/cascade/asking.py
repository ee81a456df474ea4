"""One stage's questions to its judge, within the tokens that it may spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ponder.cascade.ledger import Ledger
from ponder.cascade.nextstep import next_step
from ponder.cascade.offer import Offer, Offers
from ponder.cascade.pacing import Allocation, Runner, next_round
from ponder.cascade.standing import Standing
from ponder.cascade.weighing import Weighing
from ponder.errors import BackendFailed, PonderError
from ponder.protocols import JudgesApart, Reranker, Sits
from ponder.records import Content, Event, Judgement, NextStep, Verdict

_EMPTY = "stopped: nothing is left in the purse for it"


@dataclass(slots=True, eq=False)
class Asking:
    """One stage's questions to its judge: all candidates at once, or in rounds while their order is open.

    Attributes:
        verdicts: By item, of all rounds.
        events: What happened.
        judge: The stage's, sitting: what he has read of the query is not read again.
        broken: How the judge broke its limit, "" if it kept it; that round's verdicts are thrown away.
        spent: Tokens charged.
        last: Whether no later stage has anything to say of the query.
    """

    weighing: Weighing
    query: Content
    block: Sequence[Standing]
    ledger: Ledger
    tokens: int
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    broken: str = ""
    spent: int = 0
    last: bool = False
    judge: Reranker = field(init=False)
    _sound: bool = True

    def __post_init__(self) -> None:
        judge = self.weighing.judge
        if isinstance(judge, Sits):
            # Offers are priced by the judge that sits: a later round is cheaper than a first one.
            self.weighing = replace(self.weighing, judge=judge.sitting())
        self.judge = self.weighing.judge

    def run(self, allocate: Allocation) -> Offers:
        """Ask until everyone is judged, the tokens are spent, or the order is no longer open."""
        runners = self._runners() if allocate == "adaptive" else None
        if runners is None:
            yield from self._together()
            return
        judged: dict[int, float | None] = {}
        least = 0
        while True:
            step = next_round(runners, judged, sits=isinstance(self.judge, Sits))
            if not step.places:
                self.tell(f"stopped: {step.why}" if judged else f"gate: not judged, {step.why}")
                return
            most = yield Offer(self.weighing, self.query, self.block, step.places, runners, judged, least)
            places = step.places
            if not self._ask(places, most):
                if not self._more_helps(most):
                    return
                least = 2 * (most or 0)
                places = tuple(place for place in places if self.block[place].id in self.verdicts)
            judged = self._judged([*judged, *places])

    def _together(self) -> Offers:
        """One question about everyone; asked again only if so few tokens were given that none was spent."""
        everyone, least = range(len(self.block)), 0
        while True:
            most = yield Offer(self.weighing, self.query, self.block, everyone, least=least)
            if self._ask(everyone, most) or self.spent or not self._more_helps(most):
                return
            least = 2 * (most or 0)

    def _more_helps(self, most: int | None) -> bool:
        """Whether a question was cut by what it was given, of a purse that can give more, and not in vain.

        A judge that spends tokens and says nothing of use is not asked again.
        """
        if most is None or self.broken or not self._sound:
            return False
        return min(self.ledger.left, self.tokens - self.spent) > most

    def next(self, allocate: Allocation) -> NextStep | None:
        """What could be asked now, had the stage more tokens; None when everyone has been."""
        waiting = [place for place, each in enumerate(self.block) if each.id not in self.verdicts]
        if not waiting:
            return None
        runners = self._runners()
        if runners is None:
            return next_step(Offer(self.weighing, self.query, self.block, waiting), None)
        asked = [place for place in range(len(self.block)) if place not in waiting]
        judged = self._judged(asked)
        step = next_round(runners, judged, sits=isinstance(self.judge, Sits))
        places = step.places if step.places and allocate == "adaptive" else waiting
        return next_step(Offer(self.weighing, self.query, self.block, places, runners, judged), step)

    def tell(self, what: str, *, failed: bool = False) -> None:
        """Note something about the whole stage."""
        self.events.append(Event(self.weighing.stage.name, what, failed=failed))

    def _runners(self) -> list[Runner] | None:
        """The candidates as a race sees them; None where the judge has to see all of them together."""
        judge = self.judge
        if not isinstance(judge, JudgesApart) or self.weighing.stage.normalise != "raw":
            return None
        try:
            swings = [
                judge.swing(self.query, each.candidate(rank)) for rank, each in enumerate(self.block, start=1)
            ]
        except Exception as fault:
            raise _as_failure(fault, self.weighing.stage.name) from fault
        known = [swing for swing in swings if swing is not None]
        if len(known) < len(swings):
            return None
        return [
            Runner(
                each.score,
                self.weighing.swing(self.block, each.row.item.kind, swing),
                each.row.item.kind,
                self.weighing.width(each.row.item.kind, last=self.last),
            )
            for each, swing in zip(self.block, known, strict=True)
        ]

    def _judged(self, places: Sequence[int]) -> dict[int, float | None]:
        """How far the verdicts so far move these candidates."""
        said = [self.verdicts.get(each.id) for each in self.block]
        moved = self.weighing.weighted(self.block, [verdict.score if verdict else None for verdict in said])
        return {place: moved[place] for place in places}

    def _ask(self, places: Sequence[int], most: int | None) -> bool:
        """One call of at most so many tokens; whether all were judged, so that another makes sense."""
        chosen = [self.block[place] for place in places]
        left = self.tokens - self.spent if most is None else min(most, self.tokens - self.spent)
        grant = self.ledger.reserve(self.weighing.stage.name, left)
        if grant.tokens == 0:
            self.tell(f"stopped: its {self.tokens} tokens are spent" if most is None else _EMPTY)
            return False
        candidates = [each.candidate(place + 1) for place, each in zip(places, chosen, strict=True)]
        try:
            judgement = self.judge.rerank(self.query, candidates, limit=grant.tokens)
            if not isinstance(judgement, Judgement):
                raise TypeError(f"a reranker must return a Judgement, not {type(judgement).__name__}")
            verdicts, strange = _by_id(judgement.verdicts, chosen, self.weighing.stage.name)
        except Exception as fault:
            self.ledger.forfeit(grant)
            self.spent += grant.tokens
            raise _as_failure(fault, self.weighing.stage.name) from fault
        if not self.ledger.settle(grant, judgement.usage):
            self.spent += grant.tokens
            self.broken = (
                f"over its limit of {grant.tokens} tokens, verdicts discarded: reported {judgement.usage}"
            )
            self.tell(self.broken)
            return False
        self.spent += judgement.usage.spent
        self.verdicts |= verdicts
        self.events.append(
            Event(
                self.weighing.stage.name,
                f"judged {len(verdicts)} of {len(chosen)} within {judgement.usage.spent} of {grant.tokens} "
                "tokens",
                tokens=judgement.usage.spent,
            )
        )
        self.events += strange
        self._sound = bool(verdicts) or not judgement.usage.spent
        return len(verdicts) == len(chosen)


def _by_id(
    verdicts: Sequence[Verdict], block: Sequence[Standing], stage: str
) -> tuple[dict[str, Verdict], list[Event]]:
    """The first verdict on each candidate; events about the others."""
    asked = {standing.id for standing in block}
    known: dict[str, Verdict] = {}
    events = []
    for verdict in verdicts:
        if verdict.id not in asked:
            events.append(Event(stage, "verdict ignored: this item was not asked about", verdict.id))
        elif verdict.id in known:
            events.append(Event(stage, "verdict ignored: the item has one already", verdict.id))
        else:
            known[verdict.id] = verdict
    return known, events


def _as_failure(fault: Exception, stage: str) -> PonderError:
    if isinstance(fault, PonderError):
        return fault
    return BackendFailed(
        f"{type(fault).__name__}: {fault}", f"stage {stage}", "see the model's log, or leave the stage out"
    )
