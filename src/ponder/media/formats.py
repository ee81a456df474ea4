"""Which files are ours, by suffix, and the check that every opening begins with."""

from __future__ import annotations

import stat
from pathlib import Path

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.limits import Limits
from ponder.records import Kind

SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "image": (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
        *(".avif", ".heic", ".heif"),
    ),
    "page": (".pdf",),
    "video": (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"),
    "text": (".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"),
}

_KINDS: dict[str, Kind] = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}


def kind_of(path: str) -> Kind | None:
    """The kind of item that a file holds, by its suffix; None for types that are not ours.

    Example:
        >>> kind_of("Holiday.JPG"), kind_of("paper.pdf"), kind_of("notes.docx")
        ('image', 'page', None)
    """
    return _KINDS.get(Path(path).suffix.lower())


def known_types() -> str:
    """The suffixes for an error message, in one line."""
    return " ".join(suffix.removeprefix(".") for suffixes in SUFFIXES.values() for suffix in suffixes)


def size_of(path: str, kind: Kind, limits: Limits) -> int:
    """Size of a regular file in bytes, after checking that it can be opened as `kind`.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: It is not a regular file, is empty, or is over the kind's limit.
    """
    try:
        status = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise InputNotFound("no such file", path, "check the path, or index the folder again") from None
    except (OSError, ValueError) as error:
        raise InputInvalid(f"cannot be read: {error}", path, "check the file and its permissions") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputInvalid("not a regular file", path, "give a file")
    problem = size_problem(status.st_size, kind, limits)
    if problem:
        raise InputInvalid(problem, path, "leave it out, or raise max_bytes in Limits")
    return status.st_size


def size_problem(size: int, kind: Kind, limits: Limits) -> str:
    """What is wrong with a file of this size, in a clause; "" when nothing is."""
    if size == 0:
        return "the file is empty"
    most = limits.max_bytes.get(kind)
    if most is not None and size > most:
        return f"the file has {size:,} bytes, over the limit of {most:,}"
    return ""
