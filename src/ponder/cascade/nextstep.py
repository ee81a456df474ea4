"""What one more step of a search would cost, and whether it could change the first place."""

from __future__ import annotations

from collections.abc import Iterable

from ponder.cascade.offer import Offer
from ponder.cascade.pacing import Round
from ponder.records import NextStep


def next_step(offer: Offer, race: Round | None) -> NextStep:
    """An offer that was not taken up, put into words; reckons, and asks nobody.

    Args:
        offer: The question.
        race: What the race says of its candidates; None where the judge has to see all together.
    """
    tokens = offer.price()
    said = []
    if tokens is None:
        said.append("the judge cannot say beforehand what it costs")
    if race is None:
        changes = None
        said.append("the judge has to see all candidates together, so how far they move is not known")
    else:
        changes = bool(race.places)
        said.append(race.why)
    return NextStep(offer.stage, len(offer.places), tokens, changes, "; ".join(said))


def most_open(steps: Iterable[NextStep]) -> NextStep | None:
    """The first step that may change the first place, or else the first of all.

    One that costs nothing and changes nothing is none: its judge passes over such candidates.
    """
    found = [step for step in steps if step.tokens != 0 or step.changes is not False]
    return next((step for step in found if step.changes is not False), found[0] if found else None)
