"""Pictures, page renderings and clips of items: only what the shelf has indexed, by id, never by path.

What lies at an item's path is served only while it is, by its digest, what was indexed: a link that was put
in its place leads nowhere.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from ponder.errors import InputNotFound
from ponder.media.content import digest_of, open_content
from ponder.records import Row
from ponder.serve.items import row_of
from ponder.serve.service import Served, Service

router = APIRouter(tags=["ponder"])

_CLIPS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime"}
_KEPT = {"cache-control": "private, max-age=3600"}


@router.get(
    "/v1/items/{item}/media",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The picture"}},
)
async def media(service: Served, item: str, size: Annotated[int, Query(ge=16, le=1600)] = 480) -> Response:
    """A picture of the item, at most `size` pixels long: itself, its page, or a frame of its clip.

    Decoded and encoded anew: whatever else a file holds is not passed on.
    """
    data = await service.looks.run(lambda: _picture(service, item, size))
    return Response(data, media_type="image/jpeg", headers=_KEPT)


@router.get(
    "/v1/items/{item}/clip",
    response_class=FileResponse,
    responses={
        200: {"content": {kind: {} for kind in _CLIPS.values()}, "description": "The clip"},
        206: {"content": {kind: {} for kind in _CLIPS.values()}, "description": "A part of it"},
        416: {"description": "No such part"},
    },
)
async def clip(service: Served, item: str) -> FileResponse:
    """The clip itself, in ranges as players ask for them."""
    path = await service.looks.run(lambda: _clip(service, item))
    return FileResponse(path, media_type=_CLIPS[path.suffix.lower()], headers=_KEPT)


def _clip(service: Service, id_: str) -> Path:
    row = _unchanged(service, id_)
    path = Path(row.item.path or "")
    if row.item.kind != "video" or path.suffix.lower() not in _CLIPS or not path.is_file():
        raise InputNotFound("no clip that a browser plays", id_, "ask for its picture")
    return path


def _picture(service: Service, id_: str, size: int) -> bytes:
    row = _unchanged(service, id_)
    if row.item.kind == "text":
        raise InputNotFound("a text has no picture", id_, "read it with GET /v1/items/{id}")
    # Of a clip the middle frame, for which three are enough: the first is often black.
    limits = replace(service.shelf.manifest.limits, max_frames=3)
    images = open_content(row.item, limits, text_layer=False).images
    if not images:
        raise InputNotFound("nothing to show", id_, "index it again")
    shown: Any = images[len(images) // 2].copy()
    shown.thumbnail((size, size))
    out = io.BytesIO()
    # WEBP would be a quarter smaller and take twenty times as long.
    shown.save(out, "JPEG", quality=85)
    return out.getvalue()


def _unchanged(service: Service, id_: str) -> Row:
    row = row_of(service, id_)
    if row.item.path is not None and digest_of(row.item, service.shelf.manifest.limits) != row.digest:
        raise InputNotFound("changed since it was indexed", id_, "index it again")
    return row
