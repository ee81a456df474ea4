"""``ponder serve``."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from ponder.cli import options
from ponder.errors import BadArguments, InputNotFound, MissingDependency


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
    from ponder.shelf.opening import open_shelf

    for name, folders in (("--root", root), ("--scale", scale)):
        for folder in folders or ():
            if not folder.expanduser().is_dir():
                raise InputNotFound("no such folder", f"{name} {folder}", "check the path")
    _listenable(host, port)
    isolated.isolate(isolate)
    # What is wrong with a shelf is told here, rather than by the first search.
    with open_shelf(shelf, create=False) as opened:
        opened.searching()
        len(opened)
    place = shelf.expanduser().absolute()

    class Announcing(uvicorn.Server):
        """Is found by `ponder search` once it listens."""

        async def startup(self, *args: Any, **told: Any) -> None:
            await super().startup(*args, **told)
            if self.started and settings.loopback and not settings.token:
                announce(place, self.servers[0].sockets[0].getsockname()[1])

        async def shutdown(self, *args: Any, **told: Any) -> None:
            # Here and not behind `run`: uvicorn ends a terminated process with the signal it got.
            withdraw(place)
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


def _listenable(host: str, port: int) -> None:
    """Refuse an address that cannot be had before anything is loaded for it.

    Raises:
        BadArguments: Somebody listens there, or it is no address of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # as the server will: a port that was left a moment ago is free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            hint = "stop it, or give another --port; 0 takes a free one"
            raise BadArguments("something listens there already", where, hint) from None
        hint = "give another --host or --port"
        raise BadArguments(f"no address to listen on: {error.strerror}", where, hint) from None
