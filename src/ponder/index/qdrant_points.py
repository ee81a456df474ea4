"""What `QdrantIndex` sends and gets: a client, points of rows, and what a failure means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from ponder.errors import BackendFailed, InputInvalid, MissingDependency
from ponder.index.filters import FILTER_COLUMNS, item_columns
from ponder.index.mirror import item_key
from ponder.index.rows import stored_texts
from ponder.records import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient
    from qdrant_client.models import PointStruct


def connect(url: str) -> QdrantClient:
    """A client of the server at ``http://host:6333``; its key from the address or ``QDRANT_API_KEY``.

    Raises:
        MissingDependency: qdrant-client is not installed.
    """
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise MissingDependency(
            "Qdrant's client is not installed", str(error.name), "pip install 'ponder[qdrant]'"
        ) from error
    parts = urlsplit(url)
    key = unquote(parts.password or parts.username or "") or os.environ.get("QDRANT_API_KEY")
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return QdrantClient(url=bare, api_key=key, timeout=60, check_compatibility=False)


def point_of(row: Row, written: int) -> tuple[PointStruct, int]:
    """The point of a row, and about how many bytes it takes in a request."""
    from qdrant_client import models

    columns = item_columns([row.item], [row.digest])
    try:
        payload = {name: columns[name][0] for name in FILTER_COLUMNS}
        record, source = stored_texts(row)
        payload |= {"record": record, "source": source, "written": written}
        payload |= {"labels": list(row.embedded.labels), "parts": len(row.embedded.labels)}
        size = sum(len(value.encode()) for value in payload.values() if isinstance(value, str))
    except (TypeError, ValueError) as error:
        raise InputInvalid(f"the item cannot be stored: {error}", ascii(row.item.id)) from error
    vectors = row.embedded.vectors
    point = models.PointStruct(id=str(item_key(row.item.id)), vector=vectors.tolist(), payload=payload)
    return point, size + 13 * vectors.size


def array_of(vector: Any) -> NDArray[np.float32]:
    """A point's vectors: float32 array of shape (parts, dim)."""
    import numpy as np

    return np.asarray(vector, dtype=np.float32)


@contextmanager
def guarded(doing: str, name: str) -> Iterator[None]:
    """Turn Qdrant's errors into ours.

    Raises:
        BackendFailed: Says what to check.
    """
    from qdrant_client.http.exceptions import ApiException

    try:
        yield
    except (ApiException, OSError, RuntimeError, ValueError, KeyError) as error:
        raise BackendFailed(
            f"the index failed to {doing}: {' '.join(str(error).split())[:300]}",
            name,
            "check the server and QDRANT_API_KEY; nothing stored before is lost",
        ) from error
