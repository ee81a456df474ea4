"""Errors as HTTP says them: a clear message, the right status, nothing of our insides."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ponder.errors import (
    BackendFailed,
    BadArguments,
    InputInvalid,
    InputNotFound,
    MissingDependency,
    PonderError,
)
from ponder.serve.engine import Busy

_STATUS: tuple[tuple[type[PonderError], int], ...] = (
    (Busy, 429),
    (BadArguments, 400),
    (InputNotFound, 404),
    (InputInvalid, 422),
    (MissingDependency, 503),
    (BackendFailed, 502),
)

log = logging.getLogger("ponder.serve")


def status_of(error: PonderError) -> int:
    """The HTTP status of one of our errors."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def body_of(message: str, kind: str, status: int) -> dict[str, object]:
    """A body that clients of OpenAI, Cohere and Jina find their message in."""
    return {
        "error": {"message": message, "type": kind, "code": status},
        "message": message,
        "detail": message,
    }


def public(error: PonderError) -> str:
    """What a client is told: what is wrong and what to do, without paths of this machine."""
    return f"{error.what}: {error.hint}" if error.hint else error.what


def handle(app: FastAPI) -> None:
    """Have an application answer errors so."""

    @app.exception_handler(PonderError)
    async def ours(request: Request, error: PonderError) -> JSONResponse:
        status = status_of(error)
        headers = {"retry-after": str(error.retry_after)} if isinstance(error, Busy) else None
        return JSONResponse(body_of(public(error), type(error).__name__, status), status, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
        if first["type"] == "json_invalid":
            place = f"the body is not JSON, at character {place}"
        elif first["type"] == "model_attributes_type" and place == "body":
            place = "the body is no JSON object; send it with content-type: application/json"
        return JSONResponse(body_of(f"{place}: {first['msg']}", "invalid_request_error", 422), 422)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        body = body_of(str(error.detail), "http_error", error.status_code)
        return JSONResponse(body, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected", exc_info=error)
        return JSONResponse(body_of("something failed; the server's log has it", "server_error", 500), 500)
