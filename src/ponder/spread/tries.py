"""How often shards were tried, and which items ended workers."""

from __future__ import annotations

from collections import Counter

from ponder.errors import BackendFailed
from ponder.spread.checking import stamp
from ponder.spread.needs import Event
from ponder.spread.planning import Shard
from ponder.spread.spool import Spool

ATTEMPTS = 4
"""Times that a shard is tried: what fails on four workers fails because of itself."""

_DEADLY = 2
"""Workers that an item may end while its shard is watched; the first that died of it was not watched."""


class Tries:
    """What went wrong with shards, and what follows from it for the next try.

    From its second try on a shard is watched: its worker notes each item before it is touched. An item that
    two workers died or hung over is left out, like any file that cannot be used, and counting begins anew.

    Args:
        spool: Where workers note.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._failed: Counter[str] = Counter()
        self._watched: set[str] = set()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._without: dict[str, dict[str, str]] = {}

    def without(self, shard: Shard) -> dict[str, str] | None:
        """What the next try leaves out, with its stamps; None for a first try, which is not watched."""
        return self._without.get(shard.key, {}) if shard.key in self._watched else None

    def failed(self, shard: Shard, event: Event) -> None:
        """Count a try that failed.

        Raises:
            BackendFailed: It was one too many.
        """
        self._failed[shard.key] += 1
        self._watched.add(shard.key)
        noted = self._spool.noted(shard.key)
        item = next((each for each in shard.items if each.id == noted), None)
        if item is not None and event.what in ("lost", "late"):
            self._ended[shard.key, item.id] += 1
            if self._ended[shard.key, item.id] == _DEADLY:
                self._without.setdefault(shard.key, {})[item.id] = stamp(item)
                self._failed[shard.key] = 0
        if self._failed[shard.key] >= ATTEMPTS:
            named = ", ".join(each.uri or each.id for each in shard.items[:3])
            raise BackendFailed(
                f"shard {shard.number} failed {ATTEMPTS} times, at last on {event.worker}: {event.why}",
                f"{len(shard.items)} items: {named}, …",
                "what is finished is kept: run it again, or without --on",
            )
