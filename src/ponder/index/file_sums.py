"""Checksums of a Lance table's files: a file that is not what was written is found before it is searched.

Lance never changes a file that it has written, and keeps no checksums itself. The writer notes each file's
size and CRC-32 after the commit that made it; whoever opens the table compares. A CRC finds what disks,
memory and copies do to a file, not what somebody does on purpose.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ponder.index.versions import TABLE

NAME = "sums.txt"

_AT_ONCE = 1 << 20
_MOST_AT_OPENING = 1 << 30
"""Bytes that are compared when a table is opened, in 0.3 s; of more, small files and sizes."""

_HINT = "latest_version_hint.json"


@dataclass(frozen=True, slots=True)
class Sum:
    """What is known of a file.

    Attributes:
        crc: CRC-32 of its bytes.
        size: In bytes.
    """

    crc: int
    size: int


class FileSums:
    """The sums of the table in the database at a path.

    Args:
        path: Folder of the database.

    Example:
        >>> import tempfile
        >>> base = Path(tempfile.mkdtemp())
        >>> (base / "rows.lance").mkdir()
        >>> _ = (base / "rows.lance" / "data").write_bytes(b"some rows")
        >>> sums = FileSums(base)
        >>> sums.note(); sums.problems()
        []
        >>> _ = (base / "rows.lance" / "data").write_bytes(b"some cows")
        >>> FileSums(base).problems()
        ['rows.lance/data: not the bytes that were written']
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.file = self.path / NAME

    def note(self, *, anew: bool = False) -> None:
        """Take down the files that are not known yet.

        Only the writer may. What is known is not looked at again, so that damage is not taken for truth.

        Args:
            anew: Also forget the files that have gone: after a compaction.

        Raises:
            OSError: The disk is full or fails.
        """
        known = self.read()
        here = dict(self._files())
        fresh = {}
        for name, file in here.items():
            if name not in known:
                with suppress(FileNotFoundError):
                    fresh[name] = _sum(file)
        if anew:
            kept = {name: known[name] for name in known if name in here}
            temporary = self.file.with_name(f".{NAME}.{os.getpid()}")
            temporary.write_text(_lines({**kept, **fresh}), encoding="utf-8")
            temporary.replace(self.file)
        elif fresh:
            with self.file.open("a", encoding="utf-8") as sums:
                # A line end first: a full disk may have left half a line.
                sums.write("\n" + _lines(fresh))

    def read(self) -> dict[str, Sum]:
        """The sums by name, relative to the database; lines that are damaged themselves are passed over."""
        found: dict[str, Sum] = {}
        try:
            text = self.file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return found
        for line in text.splitlines():
            check, _, rest = line.partition(" ")
            parts = rest.split(" ", 2)
            if len(parts) == 3 and check == _check(rest):
                found[parts[2]] = Sum(int(parts[0], 16), int(parts[1]))
        return found

    def unknown(self) -> int:
        """How many files have no sum: those of a process that was killed, or of a ponder without sums."""
        known = self.read()
        return sum(name not in known for name, _ in self._files())

    def problems(self, *, deep: bool = False) -> list[str]:
        """What is wrong, a clause a file; [] where nothing is.

        Files that have gone are no problem: a writer may be compacting, and who needs one will say so. That
        the newest version has gone is one, because the version before would be taken for it.

        Args:
            deep: Compare all bytes, however many there are.
        """
        known = self.read()
        all_bytes = deep or sum(each.size for each in known.values()) <= _MOST_AT_OPENING
        found = []
        for name, each in sorted(known.items()):
            file = self.path / name
            try:
                if file.stat().st_size != each.size:
                    found.append(f"{name}: {file.stat().st_size:,} bytes where {each.size:,} were written")
                elif (all_bytes or each.size <= _AT_ONCE) and _sum(file) != each:
                    found.append(f"{name}: not the bytes that were written")
            except FileNotFoundError:
                continue
            except OSError as error:
                found.append(f"{name}: cannot be read: {error.strerror}")
        return found + self._newest(known)

    def _newest(self, known: dict[str, Sum]) -> list[str]:
        # Lance names versions so that the newest comes first: 2**64 - 1 - version.
        noted = sorted(name for name in known if name.endswith(".manifest"))
        here = sorted(name for name, _ in self._files() if name.endswith(".manifest"))
        if noted and (not here or here[0] > noted[0]):
            return [f"{noted[0]}: the newest version has gone"]
        return []

    def _files(self) -> Iterator[tuple[str, Path]]:
        for folder, _, names in os.walk(self.path / f"{TABLE}.lance"):
            for name in names:
                # The hint is written over and over, and files with a dot or "tmp" are not finished.
                if name != _HINT and not name.startswith(".") and "tmp" not in name:
                    file = Path(folder) / name
                    yield file.relative_to(self.path).as_posix(), file


def _sum(file: Path) -> Sum:
    crc = size = 0
    with file.open("rb") as opened:
        while block := opened.read(_AT_ONCE):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return Sum(crc, size)


def _lines(sums: dict[str, Sum]) -> str:
    rests = (f"{each.crc:08x} {each.size} {name}" for name, each in sorted(sums.items()))
    return "".join(f"{_check(rest)} {rest}\n" for rest in rests)


def _check(rest: str) -> str:
    return f"{zlib.crc32(rest.encode()):08x}"
