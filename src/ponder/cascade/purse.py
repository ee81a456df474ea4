"""A common budget: which query's judge is asked next, and for how many tokens.

Each query is a race of its own (`ponder.cascade.pacing`). What is left of the purse goes to the question that
is most likely to change its query's first place, by token: a greedy knapsack (Dantzig, Operations Research
1957) over one-step values of information (knowledge gradient: Frazier, Powell and Dayanik, SIAM J. Control
Optim. 2008; over many small decisions with one budget: Chen, Lin and Zhou, ICML 2013; best-arm races in
parallel: Gabillon et al., NeurIPS 2011). A race that is safe asks for nothing.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ponder.cascade.ledger import Ledger
from ponder.cascade.offer import Offer, Offers
from ponder.cascade.run import Run


@dataclass(slots=True, eq=False)
class _Racer:
    """A query that waits for an answer to its offer."""

    run: Run
    steps: Offers
    offer: Offer | None = None
    price: int | None = None

    def go(self, tokens: int | None) -> None:
        """On to the next question, spending at most so many tokens on this one; None at the start."""
        began = time.perf_counter()
        try:
            self.offer = next(self.steps) if self.offer is None else self.steps.send(tokens)
            # A price of nothing is no price: a judge that is given no tokens cannot be asked.
            self.price = self.offer.price() or None
        except StopIteration:
            self.offer = None
        self.run.seconds += time.perf_counter() - began


@dataclass(order=True, slots=True)
class _Waiting:
    """A racer in the queue: the best value by token first, then what does not depend on the order."""

    value: float
    name: str
    place: int
    racer: _Racer = field(compare=False)
    price: int = field(compare=False)


def serve(runs: Sequence[Run], purse: Ledger, share: int) -> None:
    """Run all queries to their end.

    An offer that the purse cannot pay for whole waits; when none can be paid whole, the best gets what is
    left. So the purse is used up, or nobody's order is open.

    Args:
        runs: One a query; each ledger draws on the purse.
        purse: What they have together.
        share: What a question gets at first whose judge cannot say what it costs; twice as much each time
            that it was cut short.
    """
    queue: list[_Waiting] = []
    too_dear: list[_Waiting] = []

    def wait(racer: _Racer, place: int) -> None:
        if racer.offer is not None:
            price = max(racer.price or share, racer.offer.least, 1)
            value = -racer.offer.chance() / price
            heapq.heappush(queue, _Waiting(value, repr(racer.run.query), place, racer, price))

    for place, run in enumerate(runs):
        racer = _Racer(run, run.steps())
        racer.go(None)
        wait(racer, place)
    while queue or too_dear:
        if queue:
            best = heapq.heappop(queue)
            if best.price > purse.left > 0:
                heapq.heappush(too_dear, best)
                continue
        else:
            best = heapq.heappop(too_dear)
        best.racer.go(min(best.price, purse.left))
        wait(best.racer, best.place)
