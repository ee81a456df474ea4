"""What tells one model's folder from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

_SMALL = (".json", ".jinja", ".txt", ".model")


def folder_digest(folder: Path) -> str:
    """Name and hash of a folder: small files by content, all others, weights too, by name and size.

    Weights that were changed without a change of their size are not told apart (docs/log.md, 2026-11-24).
    """
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(folder)).encode())
            found.update(path.read_bytes() if path.suffix in _SMALL else str(path.stat().st_size).encode())
    return f"{folder.name}-{found.hexdigest()[:16]}"
