"""What becomes of one file that two shelves hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ponder.errors import BadArguments
from ponder.shelf.catalog import Entry

OnConflict = Literal["newer", "keep", "replace", "error"]
"""Whose content of a file stays where two shelves hold different ones (`ponder.shelf.Shelf.merge`)."""


@dataclass(slots=True)
class Outcome:
    """What is to be done for one file, in items.

    Attributes:
        copied: What the other has and this shelf is to have.
        dropped: Ids of what this shelf has and is to have no more.
        added: Number of those copied that are new.
        replaced: Number of those copied in the place of another content.
        unchanged: Number of the other's that are here already.
        kept: Number of the other's that give way to what is here.
        conflict: Whether the two hold different contents.
    """

    copied: list[Entry] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    kept: int = 0
    conflict: bool = False


def checked_rule(rule: str) -> None:
    """Refuse a rule that there is not.

    Raises:
        BadArguments: It is none.
    """
    if rule not in get_args(OnConflict):
        raise BadArguments(
            f"no rule for conflicts: {rule!r}", "--on-conflict", f"give {', '.join(get_args(OnConflict))}"
        )


def settle(mine: Mapping[str, Entry], theirs: Mapping[str, Entry], rule: OnConflict) -> Outcome:
    """Decide about one file.

    It depends on nothing but what both hold now. A merge that was killed and decides again, with some rows
    copied already, comes to what is still missing: rows of the losing content keep the time by which they
    lost. Versions of a file are told apart by size, time and number of items.

    Args:
        mine: This shelf's items of the file, by id.
        theirs: The other's.
        rule: As for `ponder.shelf.Shelf.merge`; "error" decides as "keep", and tells of the conflict.

    Example:
        >>> old, new = Entry("a", "1", "/kite.txt", 9, 100, 1), Entry("a", "2", "/kite.txt", 9, 200, 1)
        >>> settle({"a": old}, {"a": new}, "newer").replaced, settle({"a": old}, {"a": new}, "keep").kept
        (1, 1)
    """
    found = Outcome()
    if not _same_content(mine, theirs):
        found.conflict = True
        if not _theirs_wins(mine, theirs, rule):
            same = sum(id_ in mine and mine[id_].digest == entry.digest for id_, entry in theirs.items())
            found.unchanged, found.kept = same, len(theirs) - same
            return found
        found.dropped = sorted(mine.keys() - theirs.keys())
    for id_, entry in theirs.items():
        held = mine.get(id_)
        if held is None:
            found.added += 1
            found.copied.append(entry)
            continue
        changed = held.digest != entry.digest
        found.replaced += changed
        found.unchanged += not changed
        # Of the same content it is the file's size and time that go by the rule.
        if held != entry and (found.conflict or _theirs_wins({id_: held}, {id_: entry}, rule)):
            found.copied.append(entry)
    return found


def _same_content(mine: Mapping[str, Entry], theirs: Mapping[str, Entry]) -> bool:
    """Whether what both hold is of one version of the file; either may lack items of it."""
    if not mine or not theirs:
        return True
    if any(mine[id_].digest != theirs[id_].digest for id_ in mine.keys() & theirs.keys()):
        return False
    # Of what only one of them has, size, time and number of items tell whose version it is.
    return mine.keys() == theirs.keys() or _versions(mine) == _versions(theirs)


def _versions(held: Mapping[str, Entry]) -> set[tuple[int, int, int]]:
    return {(entry.size, entry.mtime_ns, entry.of) for entry in held.values()}


def _theirs_wins(mine: Mapping[str, Entry], theirs: Mapping[str, Entry], rule: OnConflict) -> bool:
    if rule != "newer":
        return rule == "replace"
    # What a merge has copied before it was killed is theirs, and says nothing of mine.
    other = [entry.mtime_ns for id_, entry in mine.items() if theirs.get(id_) != entry]
    return not other or max(entry.mtime_ns for entry in theirs.values()) > max(other)
