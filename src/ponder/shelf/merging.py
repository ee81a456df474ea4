"""Copying what other shelves hold into one: decided file by file, copied a few rows at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from ponder.errors import BackendFailed, BadArguments, InputInvalid
from ponder.index.stores import LOCAL
from ponder.media.limits import Limits
from ponder.shelf.adding import stored_catalog
from ponder.shelf.catalog import NAME as CATALOG
from ponder.shelf.catalog import Catalog, Entry
from ponder.shelf.conflicts import OnConflict, Outcome, checked_rule, settle
from ponder.shelf.lost import refuse_lost
from ponder.shelf.manifest import Manifest
from ponder.shelf.moved import Moved
from ponder.shelf.refused import Refusal
from ponder.shelf.report import MergeReport
from ponder.shelf.writer import writing

if TYPE_CHECKING:
    from ponder.shelf.shelf import Shelf

Advance = Callable[[int, int], None]
"""Is told items done, and items in all."""

_BYTES_AT_ONCE = 8 * 2**20
"""Of rows that are read and committed together, about: Arrow and the stores hold some copies of them."""

_FIRST, _MOST = 16, 512
"""Rows that are read before their size is known, and rows at most."""


def merge_into(
    shelf: Shelf,
    others: Sequence[Shelf],
    *,
    on_conflict: OnConflict,
    moved: Mapping[str, str],
    progress: Advance | None,
) -> MergeReport:
    """What `Shelf.merge` does."""
    checked_rule(on_conflict)
    moves = Moved(moved)
    if not others:
        raise BadArguments("no shelf to merge", "SHELF", "name one or more")
    for other in others:
        if _same_place(shelf, other):
            raise BadArguments("a shelf cannot be merged into itself", str(other.path), "leave it out")
        refuse_unlike(shelf, other)
    with writing(shelf.path):
        if on_conflict == "error":
            _refuse_conflicts(shelf, others, moves)
        return _Merge(shelf, on_conflict, moves, progress).run(others)


def refuse_unlike(shelf: Shelf, other: Shelf) -> None:
    """Refuse a shelf whose vectors and reasonings are not to be compared with another's.

    Raises:
        InputInvalid: Says what differs.
    """
    mine, theirs = shelf.manifest, other.manifest
    models = _differences(mine, theirs, ("reasoner", "embedder", "dim"))
    settings = _differences(mine, theirs, ("reason_tokens",))
    settings += [
        f"{each.name} {getattr(theirs.limits, each.name)} there, {getattr(mine.limits, each.name)} here"
        for each in fields(Limits)
        if getattr(theirs.limits, each.name) != getattr(mine.limits, each.name)
    ]
    if models or settings:
        what = "models" if models else "settings"
        raise InputInvalid(
            f"it was made with other {what} than {shelf.path} ({'; '.join(models or settings)})",
            str(other.path),
            f"index its files with the same: ponder index NEW PATH --models {mine.models} "
            f"--reason-tokens {mine.reason_tokens}, and merge that",
        )


class _Merge:
    def __init__(self, shelf: Shelf, rule: OnConflict, moved: Moved, progress: Advance | None) -> None:
        self._shelf, self._rule, self._moved, self._progress = shelf, rule, moved, progress
        self._done = self._total = 0
        self._sum = Outcome()
        self._removed = 0
        self._held = _catalog(shelf)

    def run(self, others: Sequence[Shelf]) -> MergeReport:
        began = time.perf_counter()
        self._total = sum(map(_size, others))
        # Read before anything is written: by then they are those of an earlier state of the index.
        known = Catalog.read_refused(self._shelf.path / CATALOG)
        theirs = [
            self._moved.refusal(each)
            for other in others
            for each in Catalog.read_refused(other.path / CATALOG)
        ]
        for other in others:
            self._one(other)
        index = self._shelf.index
        if index.state().untidy:
            index.compact()
        self._held = stored_catalog(self._shelf)
        carried = self._note_refused(known, theirs)
        self._held.write(self._shelf.path / CATALOG)
        return MergeReport(
            added=self._sum.added,
            replaced=self._sum.replaced,
            unchanged=self._sum.unchanged,
            kept=self._sum.kept,
            removed=self._removed,
            skipped=tuple(refusal.skipped for refusal in sorted(carried, key=lambda each: each.uri)),
            seconds=time.perf_counter() - began,
        )

    def _one(self, other: Shelf) -> None:
        copied, dropped = [], []
        catalog, old_ids = self._moved.catalog(_catalog(other))
        for path, theirs in catalog.by_path.items():
            found = settle(self._held.by_path.get(path, {}), theirs, self._rule)
            _apply(self._held, path, found)
            copied += [old_ids.get(entry.id, entry.id) for entry in found.copied]
            dropped += found.dropped
            self._count(found)
            self._advance(len(theirs) - len(found.copied))
        self._copy(other, copied)
        # Last: until then a reader finds too much of a file rather than too little.
        if dropped:
            self._removed += self._shelf.index.remove(dropped)

    def _copy(self, other: Shelf, ids: Sequence[str]) -> None:
        start, at_once = 0, _FIRST
        while start < len(ids):
            some = ids[start : start + at_once]
            try:
                rows = other.index.get(some)
            except BackendFailed as error:
                raise BackendFailed(error.what, f"{other.path}: {error.where}", error.hint) from error
            self._shelf.index.add([self._moved.row(row) for row in rows])
            start += len(some)
            self._advance(len(some))
            held = sum(row.embedded.vectors.nbytes + 4 * len(row.reasoning.text) for row in rows)
            at_once = max(1, min(_MOST, 2 * at_once, _BYTES_AT_ONCE * len(some) // max(1, held)))

    def _count(self, found: Outcome) -> None:
        self._sum.added += found.added
        self._sum.replaced += found.replaced
        self._sum.unchanged += found.unchanged
        self._sum.kept += found.kept

    def _advance(self, items: int) -> None:
        self._done += items
        if items and self._progress is not None:
            self._progress(self._done, self._total)

    def _note_refused(self, known: Iterable[Refusal], theirs: Iterable[Refusal]) -> list[Refusal]:
        """Keep what is known of items that cannot be used; those of the others that are kept."""
        refused: dict[str, Refusal] = {}
        for refusal in (*known, *theirs):
            entry = self._held.by_path.get(refusal.path, {}).get(refusal.id)
            stored = entry is not None and (entry.size, entry.mtime_ns) == (refusal.size, refusal.mtime_ns)
            earlier = refused.get(refusal.id)
            if not stored and (earlier is None or earlier.mtime_ns < refusal.mtime_ns):
                refused[refusal.id] = refusal
        self._held.refused = refused
        return [refused[id_] for id_ in dict.fromkeys(each.id for each in theirs) if id_ in refused]


def _refuse_conflicts(shelf: Shelf, others: Sequence[Shelf], moved: Moved) -> None:
    held, found = _catalog(shelf), []
    for other in others:
        for path, theirs in moved.catalog(_catalog(other))[0].by_path.items():
            outcome = settle(held.by_path.get(path, {}), theirs, "error")
            if outcome.conflict:
                found.append((path, other.path))
            else:
                _apply(held, path, outcome)
    if found:
        path, place = found[0]
        raise InputInvalid(
            f"{len(found)} files have another content in two shelves, the first is {path}",
            str(place),
            "say whose is kept: --on-conflict newer, keep or replace",
        )


def _apply(held: Catalog, path: str, found: Outcome) -> None:
    """Have a catalog say what the index will hold."""
    entries = held.by_path.setdefault(path, {})
    entries.update((entry.id, entry) for entry in found.copied)
    for id_ in found.dropped:
        del entries[id_]


def _catalog(shelf: Shelf) -> Catalog:
    """What a shelf holds of each file; of an item without one, as if it were a file of its own."""
    if not _size(shelf):
        return Catalog(())
    return Catalog(
        Entry.stored(source) or Entry(source.id, source.digest, f"item:{source.id}", 0, 0, 1)
        for source in shelf.index.sources()
    )


def _size(shelf: Shelf) -> int:
    if shelf.manifest.store == LOCAL and not shelf.stamp:
        # To look into an index that is not there would make one, in a folder that is only to be read.
        refuse_lost(shelf.path, shelf.manifest)
        return 0
    return len(shelf)


def _same_place(shelf: Shelf, other: Shelf) -> bool:
    store = shelf.manifest.store
    return shelf.path.resolve() == other.path.resolve() or (store != LOCAL and store == other.manifest.store)


def _differences(mine: Manifest, theirs: Manifest, names: Sequence[str]) -> list[str]:
    return [
        f"{name.replace('_', '-')} {getattr(theirs, name)} there, {getattr(mine, name)} here"
        for name in names
        if getattr(theirs, name) != getattr(mine, name)
    ]
