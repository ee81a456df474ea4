"""Who may ask, how often, how much, and what browsers may do with the answers."""

from __future__ import annotations

import hmac
import time
from collections import deque
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ponder.serve.settings import ServeSettings

_OPEN = ("/healthz", "/readyz", "/static/", "/page/token")
"""Say nothing of the shelf, and are asked by what has no token."""

HEADERS = {
    # Pictures, clips and pages come from here; scripts and styles are files of ours and nothing inline.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Without any referrer a browser names no origin with a form, and ours would be refused as another site's.
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

_LOCAL = ("127.0.0.1", "localhost", "[::1]", "testserver")

Next = Callable[[Request], Awaitable[Response]]


class Limits:
    """ASGI middleware that ends a request whose body grows past the limit, however it is sent."""

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self.app, self.max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes as they come; a length that is told too large is refused before."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not told.isdigit() or int(told) > self.max_body:
            await _refused(413, f"a request may have {self.max_body:,} bytes")(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_body:
                return {"type": "http.disconnect"}
            return message

        await self.app(scope, counted, send)


class Guard:
    """Checks host, token and rate, and puts the headers on."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._seen: dict[str, deque[float]] = {}

    async def __call__(self, request: Request, following: Next) -> Response:
        """Refuse, or pass on and put the headers on."""
        response = self._refusal(request) or await following(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _refusal(self, request: Request) -> Response | None:
        # Under another name a page of somebody else's could talk to a server on loopback (DNS rebinding).
        host = request.headers.get("host", "").rsplit(":", 1)[0] or "localhost"
        if self._settings.loopback and not self._settings.token and host not in _LOCAL:
            return _refused(421, "this server answers to 127.0.0.1 and localhost")
        origin = request.headers.get("origin")
        if origin and request.method not in ("GET", "HEAD") and not _same(origin, request):
            return _refused(403, "requests from other sites are not answered")
        wait = self._too_often(request)
        if wait:
            response = _refused(429, f"more than {self._settings.per_minute} requests a minute")
            response.headers["retry-after"] = str(wait)
            return response
        open_to_all = request.url.path.startswith(_OPEN)
        return None if open_to_all or self._admitted(request) else _asks_for_token(request)

    def _admitted(self, request: Request) -> bool:
        if not self._settings.token:
            return True
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        given = told if kind.lower() == "bearer" else request.cookies.get("ponder-token", "")
        return hmac.compare_digest(given.encode(), self._settings.token.encode())

    def _too_often(self, request: Request) -> int:
        client = request.client.host if request.client else ""
        now = time.monotonic()
        seen = self._seen.setdefault(client, deque())
        while seen and seen[0] < now - 60:
            seen.popleft()
        if len(seen) >= self._settings.per_minute:
            return max(1, round(60 - (now - seen[0])))
        seen.append(now)
        if len(self._seen) > 10_000:
            self._seen = {name: times for name, times in self._seen.items() if times and times[-1] > now - 60}
        return 0


def _asks_for_token(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/page/token", status_code=303)
    response = _refused(401, "a token is needed: Authorization: Bearer TOKEN")
    response.headers["www-authenticate"] = "Bearer"
    return response


def _same(origin: str, request: Request) -> bool:
    return origin.split("://", 1)[-1] == request.headers.get("host", "")


def _refused(status: int, what: str) -> JSONResponse:
    return JSONResponse(
        {"error": {"message": what, "type": "refused", "code": status}, "message": what}, status
    )
