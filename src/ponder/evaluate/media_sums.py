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
    return _sum({path for each in dataset.queries for path in _paths(each.query)})


def media_sha256(dataset: Dataset) -> str:
    """The same over those of its documents too."""
    documents = {item.path for item in dataset.items if item.path}
    return _sum(documents | {path for each in dataset.queries for path in _paths(each.query)})


def _paths(query: Query) -> Iterator[str]:
    yield from (path for path in (query.image, query.video, query.page and query.page[0]) if path)


def _sum(paths: set[str]) -> str:
    if not paths:
        return ""
    # A clip may be a folder of frames. By contents alone: a data set may lie elsewhere.
    sums = sorted(
        folder_digest(Path(path)) if Path(path).is_dir() else remembered_sha256(Path(path)) for path in paths
    )
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()
