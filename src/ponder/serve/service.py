"""What the routes share: the shelf, its models' engine, jobs and counters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI, Request

from ponder.media.content import open_query
from ponder.protocols import BlobCache, Models, PricesQueries
from ponder.records import Content, Item, Query
from ponder.serve.counting import Counters
from ponder.serve.engine import Engine
from ponder.serve.jobs import Jobs
from ponder.serve.looking import Looks
from ponder.serve.settings import ServeSettings
from ponder.shelf.ingest import Ingest, MediaOpener
from ponder.shelf.opening import open_shelf
from ponder.shelf.shelf import Shelf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]


_LOOKS = 16
"""Pictures that may wait for each search that may: a page of hits has a dozen, of the collection sixty."""


@dataclass(slots=True, eq=False)
class Service:
    """A server's state.

    Attributes:
        settings: How it is run.
        shelf: What is searched; its models are used by the engine's thread alone.
        engine: Runs whatever needs the models.
        looks: Runs what only reads the index or opens files.
        jobs: Indexing in the background.
        counters: For ``/metrics``.
    """

    settings: ServeSettings
    shelf: Shelf
    engine: Engine
    looks: Looks
    jobs: Jobs
    counters: Counters

    @property
    def models(self) -> Models:
        """The shelf's."""
        return self.shelf.models

    def embed_queries(self, queries: Sequence[Query]) -> list[tuple[Vector, int]]:
        """Plain vectors, each with the tokens that were read for it; in the engine's thread."""
        contents = [open_query(query, self.shelf.manifest.limits) for query in queries]
        vectors = self.models.embedder.embed_queries(contents, [None] * len(contents))
        return [(vector, self._tokens(content)) for vector, content in zip(vectors, contents, strict=True)]

    def embed_documents(self, queries: Sequence[Query]) -> list[tuple[Vector, int]]:
        """Vectors of what was reasoned about first, with the tokens of both; in the engine's thread."""
        limits = self.shelf.manifest.limits
        ingest = Ingest(self.models, self.shelf.cache, opener=MediaOpener(limits))
        found = []
        for query in queries:
            item = Item("given", "image" if query.image else "text", path=query.image, text=query.text)
            document = ingest.document(item)
            reasoning = ingest.reason(document)
            vector: Vector = ingest.embed(document, reasoning).vectors[0]
            found.append((vector, self._tokens(document.content) + reasoning.usage.spent))
        return found

    def _tokens(self, content: Content) -> int:
        embedder = self.models.embedder
        return embedder.query_tokens(content, None) if isinstance(embedder, PricesQueries) else 0


def lifespan(settings: ServeSettings, models: Models | None, cache: BlobCache | None):  # type: ignore[no-untyped-def]
    """Opens the shelf when the application starts and lets go of it when it ends."""

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        with open_shelf(settings.shelf, models, create=False, cache=cache) as shelf:
            # The index is opened before several threads use it.
            len(shelf)
            engine, looks = Engine(settings.max_queue), Looks(_LOOKS * settings.max_queue)
            service = Service(settings, shelf, engine, looks, Jobs(shelf, engine), Counters(engine))
            app.state.service = service
            # The first to ask should not wait for the database and the weights.
            engine.later(lambda: _warm(shelf))
            try:
                yield
            finally:
                service.jobs.stop()
                engine.close()
                looks.close()

    return living


def _warm(shelf: Shelf) -> None:
    if len(shelf.index):
        shelf.search("warm", k=1)


def service_of(request: Request) -> Service:
    """The application's service."""
    found: Service = request.app.state.service
    return found


Served = Annotated[Service, Depends(service_of)]
"""A route's parameter."""
