"""What a judge could be asked next: whom, at what price, and how likely it changes who is first."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

from ponder.cascade.ledger import whole_number
from ponder.cascade.pacing import Runner, chance
from ponder.cascade.standing import Standing
from ponder.cascade.weighing import Weighing
from ponder.errors import BadArguments
from ponder.protocols import PricesJudging
from ponder.records import Content

_OPEN = 0.5
"""Chance that a question changes the first place where nothing tells how far verdicts move candidates."""


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """A question to a judge that has not been asked yet.

    Attributes:
        weighing: Stage and judge.
        query: As the cascade was asked.
        block: All candidates of the stage.
        places: Who would be judged, by place in `block`.
        runners: The same candidates as a race sees them; None where the judge has to see all together.
        judged: As for `ponder.cascade.pacing.next_round`.
        least: Tokens that it should be given, whatever the judge says of its price: with less it was cut
            short before.
    """

    weighing: Weighing
    query: Content
    block: Sequence[Standing]
    places: Sequence[int]
    runners: Sequence[Runner] | None = None
    judged: Mapping[int, float | None] = field(default_factory=dict)
    least: int = 0

    @property
    def stage(self) -> str:
        """Name of the stage."""
        return self.weighing.stage.name

    def price(self) -> int | None:
        """Tokens that it costs at most, by the judge's own word; None where he cannot say."""
        return price_of(self.weighing, self.query, [(place, self.block[place]) for place in self.places])

    def chance(self) -> float:
        """That the first place changes, 0 to 1."""
        return _OPEN if self.runners is None else chance(self.runners, self.judged, self.places)


Offers = Generator[Offer, int | None, None]
"""Work that stops at each question: it is sent how many tokens the question may cost, None for any number."""


def price_of(weighing: Weighing, query: Content, asked: Sequence[tuple[int, Standing]]) -> int | None:
    """What judging these candidates costs at most; None if the judge cannot say.

    Args:
        weighing: Stage and judge.
        query: As the cascade was asked.
        asked: Candidates, each with its place, from 0.
    """
    judge = weighing.judge
    if not isinstance(judge, PricesJudging):
        return None
    try:
        cost = judge.price(query, [standing.candidate(place + 1) for place, standing in asked])
    except Exception:
        # An engine that is down fails when its turn comes, and is reported there.
        return None
    try:
        return None if cost is None else whole_number(max(0, cost), "price")
    except (BadArguments, TypeError):
        return None
