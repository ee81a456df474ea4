"""A part of the files in some folders, for one of several machines that know nothing of each other."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ponder.errors import BadArguments


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `of` parts, counted from 1; every file is in exactly one of them, with all of its items.

    Which one depends on the file's name from the folder on that was given, so it is the same wherever that
    folder is, whatever else lies in it, and on whichever system.

    Example:
        >>> parts = [Shard(number, 3) for number in (1, 2, 3)]
        >>> [part.takes("/mnt/a/cats/tom.jpg", ["/mnt/a"]) for part in parts]
        [True, False, False]
        >>> [part.takes("/data/cats/tom.jpg", ["/data"]) for part in parts]
        [True, False, False]
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        """Refuse what is no part.

        Raises:
            BadArguments: It is none.
        """
        if not 1 <= self.number <= self.of:
            raise BadArguments(
                f"not a shard: '{self.number}/{self.of}'", "--shard", "write NUMBER/OF, as in 1/4"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``NUMBER/OF``.

        Raises:
            BadArguments: It is none.

        Example:
            >>> Shard.parse("2/8")
            Shard(number=2, of=8)
        """
        first, _, second = text.partition("/")
        if not (first.isdecimal() and second.isdecimal()):
            raise BadArguments(f"not a shard: {text!r}", "--shard", "write NUMBER/OF, as in 1/4")
        return cls(int(first), int(second))

    def takes(self, path: str, roots: Sequence[str]) -> bool:
        """Whether a file is of this part.

        Args:
            path: Of the file, absolute.
            roots: The folders and files that were given, absolute.
        """
        name = _name(path, roots)
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) % self.of == (
            self.number - 1
        )


def _name(path: str, roots: Sequence[str]) -> str:
    """The file's name from the innermost of the roots on; of a root itself the last part of its name."""
    inside = [root for root in roots if path.startswith(root.rstrip(os.sep) + os.sep)]
    start = len(max(inside, key=len).rstrip(os.sep)) + 1 if inside else path.rfind(os.sep) + 1
    # File systems differ in how they write an accent, and in their separators.
    name = unicodedata.normalize("NFC", path[start:]).replace(os.sep, "/")
    return name.encode("utf-8", "backslashreplace").decode()
