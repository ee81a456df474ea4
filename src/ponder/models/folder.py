"""What tells one model's folder from another: the content of its files, weights too."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

_LARGE = 2**20


def cache_folder() -> Path:
    """Where what can be had again is kept: ``$PONDER_CACHE``, or else the platform's folder for caches."""
    given = os.environ.get("PONDER_CACHE")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("ponder", appauthor=False))


def folder_digest(folder: Path) -> str:
    """Name and hash of a folder: the names and contents of all its files.

    A large file is read once: its hash is remembered in the user's cache for as long as its place, size and
    times stay the same. The time of the last change of its status is among them, which no program sets.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as made:
        ...     weights = Path(made) / "model.safetensors"
        ...     _ = weights.write_bytes(b"one")
        ...     before = folder_digest(Path(made))
        ...     _ = weights.write_bytes(b"two")
        ...     before == folder_digest(Path(made))
        False
    """
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            # Each part has its length before it or is as long as any other: none can pass for its neighbour.
            name = str(path.relative_to(folder)).encode()
            found.update(len(name).to_bytes(8) + name + bytes.fromhex(remembered_sha256(path)))
    return f"{folder.name}-{found.hexdigest()[:16]}"


def remembered_sha256(path: Path) -> str:
    """The sha256 of a file, in hex; a large one is read once, see `folder_digest`."""
    status = path.stat()
    if status.st_size < _LARGE:
        return sha256_of(path)
    marks = (path.resolve(), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    note = cache_folder() / "digests" / hashlib.sha256(repr(marks).encode()).hexdigest()
    try:
        kept = note.read_text(encoding="ascii")
        if len(bytes.fromhex(kept)) == hashlib.sha256().digest_size:
            return kept
    except (OSError, ValueError):
        pass
    digest = sha256_of(path)
    after = path.stat()
    if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) == marks[1:4]:
        _note(note, digest)
    return digest


def _note(path: Path, digest: str) -> None:
    """Remember a hash; where nothing can be written it is reckoned again the next time."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(digest, encoding="ascii")
        temporary.replace(path)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
