"""``ponder serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ponder.cli import options
from ponder.errors import MissingDependency


def serve(
    shelf: options.Shelf,
    host: Annotated[str, typer.Option(help="Address to listen on; another than loopback needs --token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    token: Annotated[
        str, typer.Option(envvar="PONDER_TOKEN", help="What clients have to send; none on loopback.")
    ] = "",
    root: Annotated[
        list[Path] | None, typer.Option("--root", help="A folder that may be indexed from; again for more.")
    ] = None,
    max_queue: Annotated[int, typer.Option(min=1, help="Requests that may wait for the models.")] = 64,
    per_minute: Annotated[int, typer.Option(min=1, help="Requests that a client may make a minute.")] = 6000,
    scale: Annotated[
        list[Path] | None, typer.Option("--scale", help="A folder of ponder scale to show; again for more.")
    ] = None,
    allow_urls: Annotated[
        bool, typer.Option("--allow-urls", help="Fetch pictures that requests name by public URLs.")
    ] = False,
    isolate: options.Isolate = "on",
) -> None:
    """Serve a shelf: the page at /, the API at /v1 and /v2, OpenAPI at /openapi.json."""
    from ponder.serve.settings import ServeSettings

    settings = ServeSettings(
        shelf=shelf,
        host=host,
        port=port,
        token=token,
        roots=tuple(root or ()),
        max_queue=max_queue,
        per_minute=per_minute,
        allow_urls=allow_urls,
        scale=tuple(scale or ()),
    )
    try:
        import uvicorn

        from ponder.serve.app import create_app
        from ponder.serve.warm import announce, withdraw
    except ImportError as error:
        what = f"serving needs {error.name}"
        raise MissingDependency(what, "", 'pip install "ponder[serve]"') from None
    from ponder.media import isolated
    from ponder.shelf.shelf import open_shelf

    isolated.isolate(isolate)
    # What is wrong with a shelf is told here, rather than by the first search.
    with open_shelf(shelf, create=False) as opened:
        opened.searching()
    folder = shelf.expanduser().absolute()

    class Announcing(uvicorn.Server):
        """Is found by `ponder search` once it listens."""

        async def startup(self, *args: Any, **told: Any) -> None:
            await super().startup(*args, **told)
            if self.started and settings.loopback and not settings.token:
                announce(folder, self.servers[0].sockets[0].getsockname()[1])

        async def shutdown(self, *args: Any, **told: Any) -> None:
            # Here and not behind `run`: uvicorn ends a terminated process with the signal it got.
            withdraw(folder)
            await super().shutdown(*args, **told)

    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        log_level="info",
        # Our own log has routes; uvicorn's has paths, with the ids in them.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    Announcing(config).run()
