"""From items to rows: opened, reasoned about, embedded; what was done once comes from the cache."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

from ponder.errors import InputInvalid, InputNotFound, ModelInvalid, PonderError
from ponder.index.cache import cache_key
from ponder.index.codecs import (
    cached_embedded,
    cached_reasoning,
    decode_reasoning,
    dumps,
    encode_embedded,
    encode_reasoning,
)
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models, ReadsInstructions
from ponder.records import Content, Embedded, Item, Reasoning, Row, Skipped, Usage
from ponder.shelf.refused import Blamed, bytes_are_to_blame
from ponder.shelf.vetting import one_each, vetted_embedded, vetted_reasoning


class Opener(Protocol):
    """Opens items: the only way from a file to a model."""

    def digest(self, item: Item) -> str:
        """The digest that the item's content has, found without decoding it."""
        ...

    def open(self, item: Item) -> Content:
        """The item's content."""
        ...


@dataclass(frozen=True, slots=True)
class MediaOpener:
    """Opens items through `ponder.media`.

    Args:
        limits: How much is opened.
        text_layer: False leaves the text layer of PDF pages unread.
    """

    limits: Limits = field(default_factory=Limits)
    text_layer: bool = True

    def digest(self, item: Item) -> str:
        """See `ponder.media.content.digest_of`."""
        from ponder.media.content import digest_of

        return digest_of(item, self.limits, text_layer=self.text_layer)

    def open(self, item: Item) -> Content:
        """See `ponder.media.content.open_content`."""
        from ponder.media.content import open_content

        return open_content(item, self.limits, text_layer=self.text_layer)


class Document:
    """An item that is decoded only when a model has to see it, and then kept while this object lives.

    Attributes:
        item: The item.
        digest: Digest of its content.
    """

    def __init__(self, item: Item, opener: Opener) -> None:
        self.item, self._opener = item, opener
        self.digest = self._tried(opener.digest)

    @cached_property
    def content(self) -> Content:
        """What models see.

        Raises:
            InputNotFound: The file has gone, or is another than the digest is of.
            InputInvalid: It cannot be opened, for whatever reason: limits, damage, a missing extra, a
                decoder that fails.
        """
        content: Content = self._tried(self._opener.open)
        # Asked once more: between its digest and its opening by `open`, too, a file may be written to.
        if not self.digest == content.digest == self._tried(self._opener.digest):
            # What a model said of the new content would be kept for good as being about the old one. Its
            # bytes are not to blame (`refused.bytes_are_to_blame`): the next time it is tried again.
            raise InputNotFound("the file changed while it was read", _place(self.item), "index it again")
        return content

    def _tried(self, opening: Any) -> Any:
        try:
            return opening(self.item)
        except (InputInvalid, InputNotFound):
            raise
        except PonderError as error:
            raise InputInvalid(error.what, error.where, error.hint) from error
        except Exception as error:
            # Decoders fail in many ways on damaged files; one file must not stop the others.
            raise InputInvalid(
                f"cannot be opened: {type(error).__name__}: {error}", _place(self.item), "check the file"
            ) from error


class Ingest:
    """Makes rows of items, one item at a time, so that no vector depends on its neighbours in a batch.

    Models that say ``reason_batch`` (chat models: on a GPU one item takes as long as many) have so many
    items reasoned about together; what is written then depends on the others by rounding only.

    Reasoning is cached by the content's digest (which covers the limits), the reasoner's fingerprint and the
    token budget; vectors by the digest, the reasoning, the embedder's fingerprint and, where the embedder
    reads it, the item's instruction. When both are there, nothing is decoded and no weights are loaded.

    Args:
        models: Their reasoner and embedder are used.
        cache: Where reasoning and vectors are looked up and kept.
        reason_tokens: The longest reasoning about a document, in the reasoner's tokens; None takes the
            models' default, 0 adds no knowledge.
        opener: How items are opened; the media room with its default limits unless told.

    Attributes:
        usage: Tokens so far: what the reasoner read and wrote, and as `cached` the length of the
            reasonings that were reused.
    """

    def __init__(
        self,
        models: Models,
        cache: BlobCache,
        *,
        reason_tokens: int | None = None,
        opener: Opener | None = None,
    ) -> None:
        self.models, self.cache = models, cache
        self.reason_tokens = models.reason_tokens if reason_tokens is None else reason_tokens
        self.opener: Opener = MediaOpener() if opener is None else opener
        self.usage = Usage()
        self._together = max(1, int(getattr(models, "reason_batch", 1)))
        self._made: dict[str, Usage] = {}

    def document(self, item: Item) -> Document:
        """The item, ready to be opened.

        Raises:
            InputNotFound: Its file has gone.
            InputInvalid: Its file cannot be read.
        """
        return Document(item, self.opener)

    def kept(self, document: Document) -> Reasoning | None:
        """The reasoning about a document, if the cache has it."""
        return cached_reasoning(self.cache, self._reasoning_key(document))

    def embedded(self, document: Document, reasoning: Reasoning) -> bool:
        """Whether the cache has the vectors of a document with this reasoning."""
        return self.cache.get(self._vectors_key(document, reasoning)) is not None

    def reason(self, document: Document) -> Reasoning:
        """The reasoning about a document, from the cache or else from the reasoner.

        Raises:
            InputInvalid: The content cannot be opened or reasoned about.
            BackendFailed: The reasoner or the cache failed.
        """
        key = self._reasoning_key(document)
        reasoning = cached_reasoning(self.cache, key)
        if reasoning is not None:
            made = self._made.pop(key, None)
            self.usage += Usage(cached=reasoning.tokens) if made is None else made
            return reasoning
        reasoner = self.models.reasoner
        told = reasoner.reason([document.content], role="document", tokens=self.reason_tokens)
        [found] = one_each(told, 1, reasoner.fingerprint)
        found = vetted_reasoning(found, document.content, self.reason_tokens, reasoner)
        data = encode_reasoning(found)
        self.cache.put(key, data)
        self.usage += Usage(found.usage.read, found.usage.written)
        # Fresh or cached, the embedder gets the very same object.
        return decode_reasoning(data)

    def reason_together(self, documents: Sequence[Document]) -> None:
        """Have those reasoned about that have no reasoning yet, all in one call; `reason` finds it then."""
        waiting: dict[str, Document] = {}
        for document in documents:
            key = self._reasoning_key(document)
            if self.cache.get(key) is None:
                waiting[key] = document
        contents = {}
        for key, document in waiting.items():
            try:
                contents[key] = document.content
            except (InputInvalid, InputNotFound):
                continue  # told when its own turn comes
        if len(contents) < 2:
            return
        try:
            found = self.models.reasoner.reason(
                list(contents.values()), role="document", tokens=self.reason_tokens
            )
        except ModelInvalid:
            raise
        except InputInvalid:
            return  # one by one, the one that is to blame is found
        one_each(found, len(contents), self.models.reasoner.fingerprint)
        for (key, content), reasoning in zip(contents.items(), found, strict=True):
            vetted_reasoning(reasoning, content, self.reason_tokens, self.models.reasoner)
            self.cache.put(key, encode_reasoning(reasoning))
            self._made[key] = Usage(reasoning.usage.read, reasoning.usage.written)

    def embed(self, document: Document, reasoning: Reasoning) -> Embedded:
        """The vectors of a document with a reasoning (its own, or another's to see what that does).

        Raises:
            InputInvalid: The content cannot be opened or embedded.
            BackendFailed: The embedder or the cache failed.
        """
        key = self._vectors_key(document, reasoning)
        embedded = cached_embedded(self.cache, key)
        if embedded is None:
            embedder = self.models.embedder
            told = self._instruction(document)
            content = replace(document.content, instruction=told) if told else document.content
            made = embedder.embed_documents([content], [reasoning])
            [embedded] = one_each(made, 1, embedder.fingerprint)
            embedded = vetted_embedded(embedded, embedder)
            self.cache.put(key, encode_embedded(embedded))
        return embedded

    def row(self, document: Document, source: Mapping[str, Any] | None = None) -> Row:
        """The row of a document.

        Args:
            document: What to store.
            source: The writer's bookkeeping, as in `Row`.

        Raises:
            InputInvalid: It cannot be opened, reasoned about or embedded.
            BackendFailed: A model or the cache failed.
        """
        reasoning = self.reason(document)
        embedded = self.embed(document, reasoning)
        return Row(document.item, reasoning, embedded, document.digest, {} if source is None else source)

    def rows(self, items: Iterable[Item], *, workers: int = 1) -> Generator[Row | Skipped]:
        """The row of each item, in order; a `Skipped` in the place of an item that cannot be used.

        It is a `Blamed` where trying the same file again would be in vain.

        Args:
            items: Taken as they are needed.
            workers: Threads that open files ahead of the models; 1 opens them when their turn comes.

        Raises:
            MissingDependency: The models' weights are not there.
            ModelInvalid: A model cannot be used.
            BackendFailed: A model or the cache failed.
        """
        documents = self._documents(items, workers)
        while block := list(islice(documents, self._together)):
            if self._together > 1:
                self.reason_together([each for each in block if isinstance(each, Document)])
            for document in block:
                if isinstance(document, Skipped):
                    yield document
                    continue
                try:
                    row: Row | Skipped = self.row(document)
                except ModelInvalid:
                    raise
                except (InputInvalid, InputNotFound) as error:
                    row = skipped(document.item, error)
                yield row

    def _documents(self, items: Iterable[Item], workers: int) -> Iterator[Document | Skipped]:
        if workers <= 1:
            for item in items:
                yield self._prepared(item, ahead=False)
            return
        waiting: deque[Future[Document | Skipped]] = deque()
        pool = ThreadPoolExecutor(workers, thread_name_prefix="ponder-open")
        try:
            for item in items:
                waiting.append(pool.submit(self._prepared, item, ahead=True))
                # Decoded content is large: few wait for the models at a time.
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _prepared(self, item: Item, *, ahead: bool) -> Document | Skipped:
        try:
            document = self.document(item)
            if ahead and self.cache.get(self._reasoning_key(document)) is None:
                _ = document.content
        except (InputInvalid, InputNotFound) as error:
            return skipped(item, error)
        return document

    def _reasoning_key(self, document: Document) -> str:
        return cache_key(
            what="reasoning",
            role="document",
            digest=document.digest,
            reasoner=self.models.reasoner.fingerprint,
            tokens=self.reason_tokens,
        )

    def _vectors_key(self, document: Document, reasoning: Reasoning) -> str:
        told = self._instruction(document)
        return cache_key(
            what="vectors",
            digest=document.digest,
            reasoning=_reasoning_digest(reasoning),
            embedder=self.models.embedder.fingerprint,
            **({"instruction": told} if told else {}),
        )

    def _instruction(self, document: Document) -> str:
        return document.item.instruction if reads_instructions(self.models) else ""


def reads_instructions(models: Models) -> bool:
    """Whether the vectors of documents depend on `Item.instruction`."""
    embedder = models.embedder
    return isinstance(embedder, ReadsInstructions) and embedder.reads_instructions


def skipped(item: Item, error: PonderError) -> Skipped:
    """The item, left out because of `error`."""
    kind = Blamed if bytes_are_to_blame(error) else Skipped
    return kind(_place(item), f"{error.what}: {error.hint}" if error.hint else error.what)


def _place(item: Item) -> str:
    return item.uri or item.path or item.id


def _reasoning_digest(reasoning: Reasoning) -> str:
    # Trace, usage and model do not reach the embedder.
    parts = [[part.label, part.text, dict(part.facts)] for part in reasoning.parts]
    return hashlib.sha256(dumps([reasoning.text, parts]).encode()).hexdigest()
