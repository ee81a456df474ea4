"""``ponder reason``: the ECRs of a data set, made once, kept by content, written as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed, InputInvalid, InputNotFound, ModelInvalid
from ponder.index.cache import cache_key
from ponder.index.codecs import cached_reasoning, encode_reasoning
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.records import Content, Item, Query, Reasoning, Skipped
from ponder.shelf.ingest import Document, Ingest, skipped
from ponder.train.ecrs import fields

Advance = Callable[[int, int], None]


def documents(items: Sequence[Item], ingest: Ingest, advance: Advance) -> Iterator[dict[str, Any] | Skipped]:
    """The ECR of each document as a line's fields, in order; a `Skipped` for what cannot be opened.

    Args:
        items: Whom to reason about.
        ingest: Has the models and the cache.
        advance: Told how far it is.

    Raises:
        MissingDependency, ModelInvalid, BackendFailed: The reasoner fails.
    """
    together = max(1, int(getattr(ingest.models, "reason_batch", 1)))
    waiting, done = iter(items), 0
    while block := list(islice(waiting, together)):
        opened = [_document(item, ingest) for item in block]
        ingest.reason_together([each for each in opened if isinstance(each, Document)])
        for item, document in zip(block, opened, strict=True):
            found: dict[str, Any] | Skipped
            if isinstance(document, Skipped):
                found = document
            else:
                try:
                    found = fields(item.id, "document", document.digest, ingest.reason(document))
                except ModelInvalid:
                    raise
                except (InputInvalid, InputNotFound) as error:
                    found = skipped(item, error)
            done += 1
            advance(done, len(items))
            yield found


def queries(
    asked: Sequence[Query], ingest: Ingest, tokens: int, advance: Advance
) -> Iterator[dict[str, Any] | Skipped]:
    """The same for queries.

    Args:
        asked: Whom to reason about.
        ingest: Has the models and the cache.
        tokens: Most that is read and written for one.
        advance: Told how far it is.
    """
    for number, query in enumerate(asked, 1):
        try:
            content = open_query(query, Limits())
            found: dict[str, Any] | Skipped = fields(
                query.id, "query", content.digest, _about(content, ingest, tokens)
            )
        except ModelInvalid:
            raise
        except (InputInvalid, InputNotFound) as error:
            found = Skipped(f"query {query.id}", str(error))
        advance(number, len(asked))
        yield found


def write_file(path: Path, lines: Iterator[dict[str, Any] | Skipped]) -> list[Skipped]:
    """Write a file that is there whole or as it was; what was left out comes back.

    A run that is broken off is gone on with by the cache: what was written about an item is not written anew.

    Raises:
        BackendFailed: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    left_out = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            for line in lines:
                if isinstance(line, Skipped):
                    left_out.append(line)
                else:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
        partial.replace(path)
    except OSError as error:
        raise BackendFailed(error.strerror or str(error), str(path), "check the disk") from error
    finally:
        partial.unlink(missing_ok=True)
    return left_out


def _document(item: Item, ingest: Ingest) -> Document | Skipped:
    try:
        return ingest.document(item)
    except (InputInvalid, InputNotFound) as error:
        return skipped(item, error)


def _about(content: Content, ingest: Ingest, tokens: int) -> Reasoning:
    key = cache_key(
        what="reasoning",
        role="query",
        digest=content.digest,
        instruction=content.instruction,
        reasoner=ingest.models.reasoner.fingerprint,
        tokens=tokens,
    )
    kept = cached_reasoning(ingest.cache, key)
    if kept is not None:
        return kept
    [found] = ingest.models.reasoner.reason([content], role="query", tokens=tokens)
    ingest.cache.put(key, encode_reasoning(found))
    return found
