"""From files to items: one for a picture, clip or text, one a page for a PDF."""

from __future__ import annotations

import hashlib

from ponder.errors import InputInvalid
from ponder.media.formats import size_of
from ponder.media.isolated import is_apart, page_count_apart
from ponder.media.limits import Limits
from ponder.media.pages import page_count
from ponder.media.scan import Source
from ponder.records import Item


def items_of(source: Source, limits: Limits) -> list[Item]:
    """The items in one file, in page order; nothing but a PDF's page count is read.

    A PDF with more than `limits.max_pages` is refused as a whole: half a document that looks like all
    of it would be found wanting only by the searches that fail.

    Raises:
        InputNotFound: The file has gone.
        InputInvalid: It is over a limit, or a PDF that is broken, locked or has no pages.
    """
    size_of(source.path, source.kind, limits)
    if source.kind != "page":
        return [Item(id=item_id(source.path), kind=source.kind, uri=source.path, path=source.path)]
    count = page_count_apart(source.path) if is_apart("page") else page_count(source.path)
    if count > limits.max_pages:
        raise InputInvalid(
            f"the PDF has {count} pages, over the limit of {limits.max_pages}",
            source.path,
            "split it, or raise max_pages in Limits",
        )
    uris = [f"{source.path}#page={number}" for number in range(1, count + 1)]
    return [
        Item(id=item_id(uri), kind="page", uri=uri, path=source.path, page=number)
        for number, uri in enumerate(uris, start=1)
    ]


def item_id(uri: str) -> str:
    """The id of an indexed item: the first 16 hex digits of its uri's sha256.

    By place, not by content, so that identical files at two paths are two items.

    Example:
        >>> item_id("/a/cat.jpg")
        'b229594be54e5957'
    """
    return hashlib.sha256(uri.encode()).hexdigest()[:16]
