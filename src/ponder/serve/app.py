"""The application: routes, guards, errors, put together."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.middleware.gzip import GZipMiddleware

from ponder.protocols import BlobCache, Models
from ponder.serve import embeddings, items, media, rerank, search
from ponder.serve.described import FAULTS
from ponder.serve.faults import handle
from ponder.serve.page import routes as page
from ponder.serve.security import Guard, Limits
from ponder.serve.service import Served, lifespan
from ponder.serve.settings import ServeSettings
from ponder.serve.warm import identity

log = logging.getLogger("ponder.serve")


def create_app(
    settings: ServeSettings, models: Models | None = None, cache: BlobCache | None = None
) -> FastAPI:
    """An ASGI application over one shelf.

    Args:
        settings: How it is run.
        models: Those that the shelf was made with; built by their name unless given.
        cache: Where reasonings and vectors are kept; the user's cache unless told.
    """
    import ponder

    app = FastAPI(
        title="ponder",
        version=ponder.__version__,
        summary="Multimodal search that gets better by spending tokens of reasoning.",
        lifespan=lifespan(settings, models, cache),
        # The generated pages of documentation load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses=FAULTS,
    )
    handle(app)
    for part in (search, items, media, embeddings, rerank, page):
        app.include_router(part.router)
    app.mount("/static", page.static)

    @app.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["operation"])
    async def readyz(service: Served) -> dict[str, Any]:
        """The shelf is open, and how much waits for the models."""
        shelf = identity(service.shelf.path)
        return {"status": "ok", "waiting": service.engine.waiting, "shelf": shelf}

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def metrics(service: Served) -> PlainTextResponse:
        """Counters for Prometheus."""
        return PlainTextResponse(service.counters.text(), media_type="text/plain; version=0.0.4")

    @app.middleware("http")
    async def counted(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        response = await following(request)
        route = getattr(request.scope.get("route"), "path", "unknown")
        seconds = time.perf_counter() - began
        service = getattr(app.state, "service", None)
        if service is not None:
            service.counters.request(route, response.status_code, seconds)
        # The route and not the path: ids and words stay out of the log.
        log.info("%s %s %d %.3f", request.method, route, response.status_code, seconds)
        return response

    app.middleware("http")(Guard(settings))
    # Events are not held back to be compressed: Starlette leaves text/event-stream alone.
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(Limits, max_body=settings.max_body)
    return app
