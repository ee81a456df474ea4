"""Query reasoning within the budget: think, then embed the query with the thought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.cascade.ledger import Ledger
from ponder.cascade.stages import Think
from ponder.errors import BackendFailed, PonderError
from ponder.protocols import Models, PricesQueries
from ponder.records import Content, Event, Reasoning, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Thought:
    """What came of it.

    Attributes:
        vector: float32 array of shape (dim,) to search with, or None: the plain search stands.
        events: For the trace.
    """

    vector: NDArray[np.float32] | None
    events: list[Event]


def think(stage: Think, models: Models, query: Content, ledger: Ledger, keep_on_fault: bool) -> Thought:
    """Reason about the query and embed it anew, both within the budget.

    Embedding reads the query and the thought once more, so the reasoner gets at most half of what
    remains beside the query: a thought that cannot be embedded would be wasted.
    """
    embedder, name = models.embedder, stage.name
    if not isinstance(embedder, PricesQueries):
        raise TypeError("Cascade.check lets no such embedder through")
    room = (ledger.left - embedder.query_tokens(query, None)) // 2
    if room <= 0:
        return Thought(None, [Event(name, f"skipped: no tokens for it, {ledger.left} left in all")])
    grant = ledger.reserve(name, min(stage.tokens, room))
    try:
        thought = models.reasoner.reason([query], role="query", tokens=grant.tokens)[0]
    except Exception as fault:
        ledger.forfeit(grant)
        return _failed(name, fault, grant.tokens, keep_on_fault)
    if not ledger.settle(grant, thought.usage):
        why = f"over its limit of {grant.tokens} tokens, thought discarded: reported {thought.usage}"
        return Thought(None, [Event(name, why, tokens=grant.tokens)])
    if not thought.text:
        return Thought(None, [Event(name, "nothing was thought", tokens=thought.usage.spent)])
    return _embedded(name, embedder, query, thought, ledger, keep_on_fault)


def _embedded(
    name: str, embedder: Any, query: Content, thought: Reasoning, ledger: Ledger, keep_on_fault: bool
) -> Thought:
    """The query with its thought as a vector, if there are tokens left for it."""
    price = embedder.query_tokens(query, thought)
    if price > ledger.left:
        why = f"embedding the thought costs {price} tokens, {ledger.left} are left: plain search kept"
        return Thought(None, [Event(name, why, tokens=thought.usage.spent)])
    ledger.settle(ledger.reserve(name, price), Usage(read=price))
    spent = thought.usage.spent + price
    try:
        vector = embedder.embed_queries([query], [thought])[0]
    except Exception as fault:
        return _failed(name, fault, spent, keep_on_fault)
    return Thought(vector, [Event(name, f"thought: {thought.text}", tokens=spent)])


def _failed(stage: str, fault: Exception, tokens: int, keep_on_fault: bool) -> Thought:
    """No thought, if the caller allows it; what a person can put right is always raised."""
    if isinstance(fault, PonderError) and not isinstance(fault, BackendFailed):
        raise fault
    failure = str(fault) if isinstance(fault, BackendFailed) else f"{type(fault).__name__}: {fault}"
    if not keep_on_fault:
        raise BackendFailed(failure, f"stage {stage}", "leave the stage out") from fault
    why = f"failed, plain search kept: {failure}"
    return Thought(None, [Event(stage, why, tokens=tokens, failed=True)])
