"""How a server is run."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from ponder.errors import BadArguments

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """A server's settings.

    Attributes:
        shelf: The folder of the shelf.
        host: Address to listen on; loopback unless a token is asked for.
        port: Port; 0 takes a free one.
        token: What clients have to send; "" asks for none, on loopback only.
        roots: Folders that may be indexed from; empty allows uploads alone.
        max_queue: Requests that may wait for the models; beyond, clients are told to come again.
        max_body: Bytes of one request.
        per_minute: Requests that a client may make a minute.
        allow_urls: Whether pictures may be named by URLs, which the server then fetches.
        scale: Folders of `ponder scale` that the evaluation view shows.

    Raises:
        BadArguments: A value cannot be used, or another address than loopback is to be open without a token.
    """

    shelf: Path
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    roots: tuple[Path, ...] = ()
    max_queue: int = 64
    max_body: int = 64 * MIB
    per_minute: int = 6000
    allow_urls: bool = False
    scale: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.loopback and not self.token:
            raise BadArguments(
                f"{self.host} can be reached by others",
                "--host",
                "give a --token with it, or stay on 127.0.0.1",
            )
        if not 0 <= self.port < 65536:
            raise BadArguments(f"no port: {self.port}", "--port", "0 to 65535")
        for name in ("max_queue", "max_body", "per_minute"):
            if getattr(self, name) < 1:
                raise BadArguments("not a positive number", f"--{name.replace('_', '-')}", "give 1 or more")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
