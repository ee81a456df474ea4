"""The token budget of one query: a hard cap, reserved before it is spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ponder.errors import BadArguments
from ponder.records import Usage


def whole_number(value: object, where: str, *, least: int = 0) -> int:
    """`value` as an int, if it is a whole number of at least `least`; numpy's integers are.

    Raises:
        BadArguments: It is a bool, a float (NaN included), text, or too small.

    Example:
        >>> whole_number(64, "budget")
        64
        >>> whole_number(True, "budget")
        Traceback (most recent call last):
        ...
        ponder.errors.BadArguments: not a whole number: True (budget): give an integer of at least 0
    """
    hint = f"give an integer of at least {least}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise BadArguments(f"not a whole number: {value!r}", where, hint)
    number = int(value.__index__())
    if number < least:
        raise BadArguments(f"too small: {number}", where, hint)
    return number


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """Tokens that a stage may spend, set aside until it settles."""

    stage: str
    tokens: int


class Ledger:
    """Reserves and settles tokens by stage, so that ``spent <= budget`` holds at every moment.

    A stage reserves before its engine is called and settles with what the engine reports. What is
    reserved is out of reach of the other stages, so no sequence of calls and no report can break the cap.

    Args:
        budget: The most tokens that may be read and written together.
        purse: Another ledger that all of this one's tokens come out of too, for queries that share a budget.

    Raises:
        BadArguments: `budget` is negative or not an integer.

    Example:
        >>> ledger = Ledger(100)
        >>> grant = ledger.reserve("ecr", 80)
        >>> ledger.settle(grant, Usage(read=50, written=2))
        True
        >>> ledger.left
        48
        >>> ledger.settle(ledger.reserve("query-aware", 60), Usage(read=900))
        False
        >>> ledger.spent, ledger.by_stage["query-aware"]
        (100, Usage(read=48, written=0, cached=0))
    """

    def __init__(self, budget: int, purse: Ledger | None = None) -> None:
        self.budget = whole_number(budget, "budget")
        self._purse = purse
        self._open: dict[int, tuple[Grant, Grant | None]] = {}
        self._by_stage: dict[str, Usage] = {}

    @property
    def usage(self) -> Usage:
        """Sum over the stages."""
        return sum(self._by_stage.values(), Usage())

    @property
    def by_stage(self) -> Mapping[str, Usage]:
        """What each stage was charged, a read-only view."""
        return MappingProxyType(self._by_stage)

    @property
    def spent(self) -> int:
        """Tokens read and written so far; never above `budget`."""
        return self.usage.spent

    @property
    def left(self) -> int:
        """Tokens neither spent nor reserved, here and in the purse."""
        own = self.budget - self.spent - sum(grant.tokens for grant, _ in self._open.values())
        return own if self._purse is None else min(own, self._purse.left)

    def reserve(self, stage: str, tokens: int) -> Grant:
        """Set aside `tokens` or what is left, whichever is less."""
        grant = Grant(stage, min(whole_number(tokens, f"tokens of {stage}"), self.left))
        outer = None if self._purse is None else self._purse.reserve(stage, grant.tokens)
        self._open[id(grant)] = grant, outer
        return grant

    def settle(self, grant: Grant, reported: Usage) -> bool:
        """Charge what the engine reports, at most the grant; give the rest back.

        Returns:
            Whether the report keeps to the grant. A report of more, or one that is not made of counts,
            is charged as the whole grant: the engine's work is then not to be used.
        """
        outer = self._close(grant)
        if self._purse is not None and outer is not None:
            self._purse.settle(outer, reported)
        if _counts(reported) and reported.spent <= grant.tokens:
            self._charge(grant.stage, Usage(int(reported.read), int(reported.written), int(reported.cached)))
            return True
        read = min(reported.read, grant.tokens) if _counts(reported) else grant.tokens
        self._charge(grant.stage, Usage(read, grant.tokens - read))
        return False

    def forfeit(self, grant: Grant) -> None:
        """Charge the whole grant, for an engine that failed at work: what it had computed is unknown."""
        outer = self._close(grant)
        if self._purse is not None and outer is not None:
            self._purse.forfeit(outer)
        self._charge(grant.stage, Usage(read=grant.tokens))

    def cached(self, stage: str, tokens: int) -> None:
        """Note tokens that were reused without being read: free."""
        self._charge(stage, Usage(cached=tokens))

    def _close(self, grant: Grant) -> Grant | None:
        """No longer set aside; the purse's grant for it."""
        if id(grant) not in self._open:
            raise ValueError(f"this grant of {grant.stage} is settled already, or another ledger's")
        return self._open.pop(id(grant))[1]

    def _charge(self, stage: str, usage: Usage) -> None:
        self._by_stage[stage] = self._by_stage.get(stage, Usage()) + usage


def _counts(usage: Usage) -> bool:
    """Whether a report is made of numbers of tokens: engines are not ours to trust."""
    try:
        for number in (usage.read, usage.written, usage.cached):
            whole_number(number, "usage")
    except (BadArguments, AttributeError):
        return False
    return True
