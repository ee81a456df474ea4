"""Page pictures, out of their Parquet files into files of their own, before a model is to look at them.

The official loaders write them beside the other media, and keep whatever file is there: pages of an earlier,
faulty version of the data would be scored with the judgements of the later one. Here they go into a folder of
the user's cache that is named after the content of the Parquet files, below the same relative paths.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from ponder.errors import InputInvalid
from ponder.evaluate.mmeb.pages import file_name
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tables import count
from ponder.media.saved import saved_as
from ponder.models.folder import cache_folder, remembered_sha256


def pages_root(source: Source) -> Path:
    """The folder that the pages' media paths are relative to once `write_pages` has run.

    The files of the corpus are hashed: once, while they stay as they are.

    Raises:
        MissingDependency: They are not here.
    """
    whole = hashlib.sha256(source.task.parser.encode())
    for file in source.files("corpus"):
        whole.update(bytes.fromhex(remembered_sha256(file)))
    name = source.task.repo.replace("/", "--")
    return cache_folder() / "mmeb" / "pages" / f"{name}-{whole.hexdigest()[:16]}"


def write_pages(source: Source, advance: Callable[[int, int], None] | None = None) -> Path:
    """Write the pages of a task's corpus that are not written yet; several processes may do so at once.

    Args:
        source: A task of pages.
        advance: Called with (pages done, pages).

    Returns:
        What the media paths of the parsed task are relative to.

    Raises:
        MissingDependency: The corpus is not here.
        InputInvalid: It cannot be read, or a page is no picture.
    """
    root = pages_root(source)
    folder = root / source.path()
    marker = folder.with_name(f"{folder.name}.complete")
    if marker.exists():
        return root
    total = count(source.files("corpus"))
    for number, row in enumerate(source.rows("corpus-id", "image", config="corpus"), 1):
        path = root / source.path(file_name(source.task.parser, row["corpus-id"]))
        if not path.exists():
            _write(path, _bytes(row["image"], path.suffix, f"{source.task.repo}, page {row['corpus-id']!r}"))
        if advance:
            advance(number, total)
    _write(marker, b"")
    return root


def _bytes(told: object, suffix: str, where: str) -> bytes:
    data = told.get("bytes") if isinstance(told, dict) else told
    if not isinstance(data, bytes):
        raise InputInvalid("a page without a picture", where, "fetch the data anew")
    return saved_as(data, suffix, where)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: what is under its name can be trusted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
