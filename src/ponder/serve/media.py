"""Pictures, page renderings and clips of items: only what the shelf has indexed, by id, never by path."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from ponder.errors import InputNotFound
from ponder.media.content import open_content
from ponder.serve.items import row_of
from ponder.serve.service import Served, Service

router = APIRouter(tags=["ponder"])

_CLIPS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime"}
_KEPT = {"cache-control": "private, max-age=3600"}


@router.get("/v1/items/{item}/media", response_model=None)
async def media(
    service: Served, item: str, size: Annotated[int, Query(ge=16, le=1600)] = 480
) -> Response | FileResponse:
    """A picture of the item, at most `size` pixels long: itself, its page, or a frame of its clip.

    Decoded and encoded anew: whatever else a file holds is not passed on.
    """
    data = await service.engine.run(lambda: _picture(service, item, size))
    return Response(data, media_type="image/webp", headers=_KEPT)


@router.get("/v1/items/{item}/clip", response_model=None)
async def clip(service: Served, item: str) -> FileResponse:
    """The clip itself, in ranges as players ask for them."""
    row = await service.engine.run(lambda: row_of(service, item))
    suffix = Path(row.item.path or "").suffix.lower()
    if row.item.kind != "video" or suffix not in _CLIPS or not Path(row.item.path).is_file():
        raise InputNotFound("no clip that a browser plays", item, "ask for its picture")
    return FileResponse(row.item.path, media_type=_CLIPS[suffix], headers=_KEPT)


def _picture(service: Service, id_: str, size: int) -> bytes:
    row = row_of(service, id_)
    if row.item.kind == "text":
        raise InputNotFound("a text has no picture", id_, "read it with GET /v1/items/{id}")
    images = open_content(row.item, service.shelf.manifest.limits, text_layer=False).images
    if not images:
        raise InputNotFound("nothing to show", id_, "index it again")
    # Of a clip the middle frame: the first is often black.
    shown: Any = images[len(images) // 2].copy()
    shown.thumbnail((size, size))
    out = io.BytesIO()
    shown.save(out, "WEBP", quality=80)
    return out.getvalue()
