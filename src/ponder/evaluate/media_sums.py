"""What a data set's media files hold, in one hash: its own files name them and would not tell a change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ponder.evaluate.beir import Dataset
from ponder.models.folder import folder_digest, remembered_sha256
from ponder.records import Query


def queries_media_sha256(dataset: Dataset) -> str:
    """Over the files that a split's queries point at, in whichever order; "" where they are all text.

    Example:
        >>> import tempfile
        >>> from ponder.evaluate.beir import JudgedQuery
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     picture = Path(folder) / "a.png"
        ...     asked = JudgedQuery(Query(image=str(picture), id="q"), {"d": 1})
        ...     data = Dataset("set", "dev", (), (asked,), ())
        ...     _ = picture.write_bytes(b"one")
        ...     before = queries_media_sha256(data)
        ...     _ = picture.write_bytes(b"two")
        ...     before == queries_media_sha256(data)
        False
    """
    return _sum({path for each in dataset.queries for path in paths_of(each.query)})


def media_sha256(dataset: Dataset) -> str:
    """The same over those of its documents too."""
    documents = {item.path for item in dataset.items if item.path}
    return _sum(documents | {path for each in dataset.queries for path in paths_of(each.query)})


def paths_of(query: Query) -> Iterator[str]:
    """The files of a query; there is one, or none."""
    yield from (path for path in (query.image, query.video, query.page and query.page[0]) if path)


def _sum(paths: set[str]) -> str:
    if not paths:
        return ""
    # By contents alone: a data set may lie elsewhere.
    sums = sorted(content_of(path) for path in paths)
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def content_of(path: str) -> str:
    """A hash over what a file holds, or a folder of frames; "" where it cannot be read, which others tell.

    Large files are read once.
    """
    try:
        return folder_digest(Path(path)) if Path(path).is_dir() else remembered_sha256(Path(path))
    except OSError:
        return ""
