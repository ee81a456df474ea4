"""What of a hit goes into a framework's document, and what of a document goes into a ranking."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ponder.media.formats import kind_of
from ponder.records import Hit, Usage

if TYPE_CHECKING:
    from ponder.shelf.given import Given

OWN = ("id", "uri", "kind", "path", "page", "rank", "score", "part", "reasoning", "tokens")
"""The keys that `metadata_of` sets. An item's own metadata stand beside them."""


def text_of(hit: Hit) -> str:
    """The words of a hit, for a model to answer from: the passage that was found, else the reasoning.

    Example:
        >>> from ponder.records import Item
        >>> text_of(Hit(Item("1", "text"), 1, 0.9, passage="A kite.", reason="About kites."))
        'A kite.'
    """
    return hit.passage.strip() or hit.reason.strip() or hit.item.text.strip()


def place_of(hit: Hit) -> str:
    """Where a hit is: its uri, and of a clip the moment, as ``#t=START,END``."""
    if hit.part.startswith("t=") and "#" not in hit.item.uri:
        return f"{hit.item.uri}#{hit.part}"
    return hit.item.uri


def metadata_of(hit: Hit, usage: Usage) -> dict[str, Any]:
    """What is known of a hit, as JSON values.

    Args:
        hit: The hit.
        usage: What its query cost, together with the other hits.

    Returns:
        `OWN`, and the item's own metadata. Of these, one with the name of an own key is kept under
        ``"item"``.

    Example:
        >>> from ponder.records import Item
        >>> item = Item("a", "text", "/kite.txt", metadata={"author": "Ann", "score": 5})
        >>> found = metadata_of(Hit(item, 1, 0.9), Usage(read=3))
        >>> found["author"], found["score"], found["item"], found["tokens"]["read"]
        ('Ann', 0.9, {'score': 5}, 3)
    """
    own = {
        "id": hit.item.id,
        "uri": place_of(hit),
        "kind": hit.item.kind,
        "path": hit.item.path,
        "page": hit.item.page,
        "rank": hit.rank,
        "score": hit.score,
        "part": hit.part,
        "reasoning": hit.reason,
        "tokens": tokens_of(usage),
    }
    hidden = {key: value for key, value in hit.item.metadata.items() if key in own}
    return {**hit.item.metadata, **own, **({"item": hidden} if hidden else {})}


def tokens_of(usage: Usage) -> dict[str, int]:
    """``{"read", "written", "cached"}``."""
    return {"read": usage.read, "written": usage.written, "cached": usage.cached}


def document_of(text: str, metadata: Mapping[str, Any], medium: str | None) -> Given:
    """A framework's document as `ponder.shelf.given.rank_given` takes it.

    Args:
        text: Its words.
        metadata: Its metadata.
        medium: The key of the metadata under which a file's path or a picture is found; None looks at the
            text alone. A PDF's page is that under ``"page"``, the first unless told.

    Example:
        >>> document_of("a kite", {"path": "/kite.jpg"}, "path")
        {'text': 'a kite', 'image': '/kite.jpg'}
        >>> document_of("a kite", {"path": "/kite.jpg"}, None)
        'a kite'
    """
    value = metadata.get(medium) if medium else None
    if not isinstance(value, str | os.PathLike):
        return text if value is None else {"text": text, "image": value}
    path = os.fspath(value)
    kind = kind_of(path) or "text"
    if kind == "text":
        return text
    if kind == "page":
        return {"text": text, "page": (path, metadata.get("page") or 1)}
    return {"text": text, kind: path}
