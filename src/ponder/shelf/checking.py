"""Looking at all that a shelf holds: is it what was written, and if not, what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import BackendFailed, PonderError
from ponder.index.file_sums import FileSums
from ponder.index.lance_table import made_again
from ponder.index.stores import LOCAL, open_store
from ponder.index.versions import version_stamp
from ponder.shelf.adding import INDEX
from ponder.shelf.catalog import NAME as CATALOG
from ponder.shelf.manifest import Manifest

if TYPE_CHECKING:
    from ponder.index.stored import StoredIndex
    from ponder.records import Row

_AT_ONCE = 64
_UNIT = 1e-3
"""How far a stored vector's length may be from 1: float32 and bfloat16 embedders stay well within."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is not what was written.

    Attributes:
        what: In a clause.
        where: File or item.
        repair: The command.
    """

    what: str
    where: str
    repair: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        damages: What is wrong.
        rows: Items whose vectors and reasoning were read and compared.
        unsummed: Of these, items without a checksum, written by a ponder that made none.
        files: Files of the index that were compared.
        unknown: Files without a checksum: the last ones of a process that was killed.
    """

    damages: tuple[Damage, ...]
    rows: int = 0
    unsummed: int = 0
    files: int = 0
    unknown: int = 0


def check_shelf(folder: Path, progress: Callable[[int, int], None] | None = None) -> Checked:
    """Compare all files and all rows of a shelf with their checksums; nothing is changed.

    A file that is damaged ends it: rows are not read from one. Takes some 1 s a GB and 0.2 ms an item.

    Args:
        folder: The shelf's.
        progress: Is told rows read and rows in all.
    """
    try:
        manifest = Manifest.read(folder)
    except PonderError as error:
        return Checked((Damage(error.what, error.where, error.hint),))
    if manifest is None:
        return Checked((Damage("there is no shelf", str(folder), f"ponder index {folder} PATH"),))
    repair = again(folder)
    files = unknown = 0
    if manifest.store == LOCAL:
        sums = FileSums(folder / INDEX)
        files, unknown = len(sums.read()), sums.unknown()
        broken = [Damage("a damaged file", problem, repair) for problem in sums.problems(deep=True)]
        if lost := lost_index(folder):
            broken.append(Damage(lost, str(folder / INDEX), repair))
        if broken or not version_stamp(folder / INDEX):
            # Without a table, and none that was: a shelf that was killed before its first commit.
            return Checked(tuple(broken), files=files, unknown=unknown)
    try:
        with closing(open_store(manifest.store, folder / INDEX, manifest.dim)) as index:
            found = _Rows(index, folder, progress)
            damages = tuple(found.damages())
            damages += tuple(_whole(index, folder, found, damages))
        return Checked(damages, found.rows, found.unsummed, files, unknown)
    except PonderError as error:
        return Checked((Damage(error.what, error.where, repair),), files=files, unknown=unknown)


def lost_index(folder: Path) -> str:
    """What is wrong when a shelf's rows have gone as a whole; "" when nothing is.

    A table that is not there is made anew when something is added, so a search would find nothing and say
    nothing.
    """
    if version_stamp(folder / INDEX):
        return ""
    with suppress(OSError, ValueError, TypeError, KeyError):
        held = len(json.loads((folder / CATALOG).read_text(encoding="utf-8"))["entries"])
        if held:
            return f"the index has gone, which held {held} items"
    return ""


def refuse_lost(folder: Path) -> None:
    """Refuse a shelf in whose folder the index has gone.

    Raises:
        BackendFailed: It has.
    """
    if lost := lost_index(folder):
        raise BackendFailed(lost, str(folder / INDEX), again(folder))


def again(folder: Path) -> str:
    """The command that makes a shelf's index again, with the paths that the catalog remembers."""
    command = made_again(folder / INDEX)
    with suppress(OSError, ValueError, TypeError, KeyError, IndexError):
        entries = json.loads((folder / CATALOG).read_text(encoding="utf-8"))["entries"]
        roots = sorted({str(Path(entry[2]).parent) for entry in entries})
        kept = [root for root in roots if not any(Path(root).is_relative_to(o) for o in roots if o != root)]
        if 0 < len(kept) <= 5:
            return command.removesuffix("PATH") + " ".join(kept)
    return command


class _Rows:
    """Reads rows a few at a time, and one by one where some cannot be read."""

    def __init__(self, index: StoredIndex, folder: Path, progress: Callable[[int, int], None] | None) -> None:
        self._index, self._folder, self._progress = index, folder, progress
        self.rows = self.parts = self.unsummed = 0

    def damages(self) -> Iterator[Damage]:
        ids = sorted(source.id for source in self._index.sources())
        twice = len(ids) - len(set(ids))
        if twice:
            yield Damage(f"{twice} items are stored twice", INDEX, again(self._folder))
        for start in range(0, len(ids), _AT_ONCE):
            yield from self._some(ids[start : start + _AT_ONCE])
            if self._progress is not None:
                self._progress(min(len(ids), start + _AT_ONCE), len(ids))

    def _some(self, ids: Sequence[str]) -> Iterator[Damage]:
        try:
            rows = self._index.get(ids)
        except BackendFailed as error:
            if len(ids) == 1:
                yield self._damage(error.what, ids[0])
                return
            for each in ids:
                yield from self._some([each])
            return
        self.unsummed += self._index.unsummed(ids)
        for row in rows:
            self.rows += 1
            self.parts += len(row.embedded.labels)
            if problem := _problem(row):
                yield self._damage(problem, row.item.id)

    def _damage(self, what: str, id_: str) -> Damage:
        command = again(self._folder).partition("&& ")[2]
        return Damage(what, id_, f"ponder remove {self._folder} {id_} && {command}")


def _problem(row: Row) -> str:
    import numpy as np

    lengths = np.linalg.norm(row.embedded.vectors.astype(np.float64), axis=1)
    if not np.isfinite(lengths).all() or (abs(lengths - 1) > _UNIT).any():
        return "vectors that are not of length 1"
    return "" if row.digest else "no digest of its content"


def _whole(index: StoredIndex, folder: Path, found: _Rows, damages: Sequence[Damage]) -> Iterator[Damage]:
    parts = index.parts
    if not damages and found.parts != parts:
        repair = again(folder)
        yield Damage(f"{abs(parts - found.parts)} vectors belong to no item", INDEX, repair)
