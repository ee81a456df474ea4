"""Documents that are given with the query and ranked at once: no shelf, no index on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.cascade import Cascade, Retrieve, default_cascade, parse_stages
from ponder.errors import BadArguments, InputInvalid
from ponder.index.exact import ExactIndex
from ponder.media.formats import kind_of, known_types
from ponder.media.handed import Handed
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Index, Models
from ponder.records import Item, Kind, Query, Ranking, Row
from ponder.shelf.ingest import Ingest, MediaOpener

if TYPE_CHECKING:
    from PIL.Image import Image

    from ponder.cascade.cascade import OnFault
    from ponder.cascade.pacing import Allocation

    Given = str | os.PathLike[str] | Image | bytes | Mapping[str, Any]

_MEDIA: tuple[Kind, ...] = ("image", "video", "page")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Given documents in their order.

    Attributes:
        ranking: The search's answer; the hits' items have made-up ids.
        places: Of each hit, which of the given documents it is, from 0.
        unread: Documents that could not be opened, by place, and why; they are no hits.
    """

    ranking: Ranking
    places: tuple[int, ...]
    unread: Mapping[int, str]


def rank_given(
    query: Given | Query,
    documents: Sequence[Given],
    models: Models,
    cache: BlobCache,
    *,
    budget: int = 0,
    stages: str | Cascade | None = None,
    reason_tokens: int | None = None,
    limits: Limits | None = None,
    on_fault: OnFault = "raise",
    allocate: Allocation = "uniform",
) -> Ranked:
    """Rank documents for a query, as a search over a shelf of them would.

    Documents are reasoned about and embedded first, which is no part of the budget; what was once reasoned
    about is in the cache. All of them are ranked.

    Args:
        query: A text, a file's `Path`, a picture (PIL, or its file's bytes), a mapping of these with the
            keys ``text``, ``image``, ``video``, ``page`` (``(path, number)``) and ``instruction``, or a
            `Query`. A string is always a text, never a path.
        documents: The same, without ``instruction``; further keys of a mapping are not looked at.
        models: What reasons, embeds and judges.
        cache: Where reasonings and vectors are kept by content.
        budget: The most tokens that judges may read and write for the query.
        stages: The cascade; the default one unless told. The first stage of the default passes all on.
        reason_tokens: Longest reasoning about a document; the models' own unless told.
        limits: Bounds on what is opened; the media room's own unless told.
        on_fault: As for a search.
        allocate: As for a search.

    Raises:
        BadArguments: The budget or the stages cannot be used, or something given is of no known form.
        InputInvalid: The query is empty or cannot be opened.
        InputNotFound: The query's file is not there.
        BackendFailed: A model failed.

    Example:
        >>> import tempfile
        >>> from ponder.index.cache import Cache
        >>> from ponder.testing import FakeModels
        >>> cache = Cache(Path(tempfile.mkdtemp()) / "cache.sqlite")
        >>> ranked = rank_given("red kite", ["a blue whale", "", "a red kite"], FakeModels(), cache)
        >>> ranked.places, sorted(ranked.unread)
        ((2, 0), [1])
    """
    limits = limits or Limits()
    with ExitStack() as stack:
        handed = stack.enter_context(Handed())
        asked = query if isinstance(query, Query) else _query(query, handed, limits)
        items, unread = _items(documents, handed)
        ingest = Ingest(models, cache, reason_tokens=reason_tokens, opener=MediaOpener(limits))
        index = ExactIndex(models.embedder.dim)
        rows: list[Row] = []
        for item, row in zip(items, ingest.rows(items), strict=True):
            if isinstance(row, Row):
                rows.append(row)
            else:
                unread[int(item.id)] = row.error
        index.add(rows)
        cascade = parse_stages(stages) if isinstance(stages, str) else stages or _all(len(rows))
        search = cascade.on(_Corpus(index, models), on_fault=on_fault, limits=limits)
        ranking = search(asked, budget=budget, k=max(1, len(rows)), allocate=allocate)
    places = tuple(int(hit.item.id) for hit in ranking.hits)
    return Ranked(ranking, places, dict(sorted(unread.items())))


@dataclass(frozen=True, slots=True)
class _Corpus:
    """What a cascade runs on."""

    index: Index
    models: Models


def _all(count: int) -> Cascade:
    first, *rest = default_cascade().stages
    assert isinstance(first, Retrieve)
    return Cascade((replace(first, k=max(first.k, count)), *rest))


def _items(documents: Sequence[Given], handed: Handed) -> tuple[list[Item], dict[int, str]]:
    """The documents as items, named by their places, and what is wrong with the others."""
    # Ties are settled by id: of equal width, ids order as places do.
    width = len(str(len(documents)))
    items: list[Item] = []
    unread: dict[int, str] = {}
    for place, document in enumerate(documents):
        try:
            text, medium = _read(document, f"document {place}", handed)
            if medium is None and not text.strip():
                raise InputInvalid("an empty text")
        except InputInvalid as error:
            unread[place] = str(error)
            continue
        kind, path, page = medium or ("text", None, None)
        items.append(Item(f"{place:0{width}d}", kind, path=path, page=page, text=text))
    return items, unread


def _query(given: Given, handed: Handed, limits: Limits) -> Query:
    text, medium = _read(given, "query", handed)
    instruction = str(given.get("instruction") or "") if isinstance(given, Mapping) else ""
    asked = Query(text, instruction=instruction)
    if medium is None:
        return asked
    kind, path, page = medium
    if kind == "text":
        from ponder.media.text import read_text

        return replace(asked, text=read_text(path, limits))
    if kind == "page":
        return replace(asked, page=(path, page or 1))
    return replace(asked, image=path) if kind == "image" else replace(asked, video=path)


def _read(given: Given, where: str, handed: Handed) -> tuple[str, tuple[Kind, str, int | None] | None]:
    """The text, and the medium: its kind, path and page number."""
    if isinstance(given, str):
        return given, None
    if not isinstance(given, Mapping):
        return "", _medium(given, where, handed)
    media = [name for name in _MEDIA if given.get(name) is not None]
    if len(media) > 1:
        raise BadArguments(f"more than one medium: {', '.join(media)}", where, "give one of them")
    text = given.get("text") or ""
    if not isinstance(text, str):
        raise BadArguments(f"a text of type {type(text).__name__}", where, "give a string")
    if not media:
        return text, None
    value = given[media[0]]
    if media[0] == "page":
        try:
            path, number = value
            return text, ("page", str(path), int(number))
        except (TypeError, ValueError):
            raise BadArguments("a page that is no (path, number)", where, "count pages from 1") from None
    if isinstance(value, str | os.PathLike):
        return text, (media[0], os.fspath(value), None)
    return text, _medium(value, where, handed)


def _medium(given: Any, where: str, handed: Handed) -> tuple[Kind, str, int | None]:
    if isinstance(given, bytes) or hasattr(given, "convert"):
        return "image", handed.picture(given), None
    if not isinstance(given, os.PathLike):
        raise BadArguments(
            f"of type {type(given).__name__}",
            where,
            "give a text, a Path, a picture, or a mapping with text, image, video or page",
        )
    path = os.fspath(given)
    kind = kind_of(path)
    if kind is None:
        raise InputInvalid("not a type that ponder reads", path, f"known: {known_types()}")
    if kind == "page":
        raise BadArguments("which page of the PDF", path, f'give {{"page": ({Path(path).name!r}, 1)}}')
    return kind, path, None
