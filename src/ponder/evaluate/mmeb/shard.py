"""A part of a task's queries, for one of several processes."""

from __future__ import annotations

from dataclasses import dataclass

from ponder.shelf import shard as shards


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of each task's queries, for one of several processes.

    Example:
        >>> Shard.parse("2/4"), Shard.parse("2/4").takes(5)
        (Shard(number=2, of=4), True)
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From ``NUMBER/OF``, counted from 1.

        Raises:
            BadArguments: It is none.
        """
        parsed = shards.Shard.parse(text)
        return cls(parsed.number, parsed.of)

    def begins(self, count: int) -> int:
        """Where this process begins among `count` things that every process needs and a cache shares.

        Each makes a part of its own first and finds the others' parts made.

        Example:
            >>> [Shard(number, 4).begins(100) for number in (1, 2, 3, 4)]
            [0, 25, 50, 75]
        """
        return (self.number - 1) * count // self.of

    def takes(self, number: int) -> bool:
        """Whether a query is of this part."""
        return number % self.of == self.number - 1

    @property
    def suffix(self) -> str:
        """Of a file's name."""
        return "" if self.of == 1 else f".{self.number}-of-{self.of}"


WHOLE = Shard()
"""All queries, in one process."""
