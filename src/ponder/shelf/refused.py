"""Files that cannot be used, remembered so that they are not tried again until something changes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from ponder.errors import InputInvalid, PonderError
from ponder.media.scan import Source
from ponder.records import Skipped

_DECODERS = ("ponder", "av", "beautifulsoup4", "markdown-it-py", "pillow", "pillow-heif", "pypdfium2")


@dataclass(frozen=True, slots=True)
class Blamed(Skipped):
    """Something left out for what its bytes are: the same bytes would be left out again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that could not be used, and its file at that time.

    Attributes:
        id: The item's id.
        uri: As in `ponder.records.Skipped`.
        error: As there.
        path: Its file.
        size: Of the file, in bytes.
        mtime_ns: The file's time of change.
    """

    id: str
    uri: str
    error: str
    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, id_: str, file: Source, skip: Skipped) -> Refusal:
        """The refusal of the item `id_` of `file`."""
        return cls(id_, skip.uri, skip.error, file.path, file.size, file.mtime_ns)

    def holds_for(self, file: Source) -> bool:
        """Whether the file is as it was, by size and time."""
        return (self.size, self.mtime_ns) == (file.size, file.mtime_ns)

    @property
    def skipped(self) -> Skipped:
        """What a report lists."""
        return Skipped(self.uri, self.error)


def bytes_are_to_blame(error: PonderError) -> bool:
    """Whether the same bytes would fail in the same way at another time.

    Not when the system failed (a file that has gone, a read error, no memory) or when something can be
    installed. Decoders hide their errors' causes from the reader, so contexts are looked at too.

    Example:
        >>> bytes_are_to_blame(InputInvalid("not a picture"))
        True
        >>> try:
        ...     raise InputInvalid("not a picture") from OSError(5, "Input/output error")
        ... except InputInvalid as error:
        ...     bytes_are_to_blame(error)
        False
    """
    each: BaseException | None = error
    while each is not None:
        # Pillow says OSError, without a number, of pictures that are cut off.
        system = isinstance(each, MemoryError) or (isinstance(each, OSError) and each.errno is not None)
        if system or (isinstance(each, PonderError) and not isinstance(each, InputInvalid)):
            return False
        each = each.__cause__ or each.__context__
    return True


def decoders() -> str:
    """Versions of what opens files: others may open what these refuse."""
    found = []
    for name in _DECODERS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
