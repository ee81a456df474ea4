"""``/v1/items`` and ``/v1/jobs``: what the shelf holds, what is added in the background, what goes."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.media.formats import kind_of, known_types
from ponder.records import Row
from ponder.serve.described import Items, JobsTold, JobTold, Removed, Shown, told
from ponder.serve.service import Served, Service

router = APIRouter(tags=["ponder"])

UPLOADS = "uploads"
"""Folder below the shelf that holds what was uploaded."""

_NAME = 120


class AddRequest(BaseModel):
    """Files and folders on the server, below one of its roots."""

    model_config = ConfigDict(extra="forbid")
    paths: Annotated[list[str], Field(min_length=1, max_length=1000)]


@router.get("/v1/items", response_model=None, responses=told(Items))
async def items(
    service: Served,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """What the shelf holds, a page at a time, by id."""
    total, rows = await service.looks.run(lambda: rows_from(service, offset, limit))
    return {"total": total, "items": [_item(row) for row in rows]}


@router.get("/v1/items/{item}", response_model=None, responses=told(Shown))
async def item(service: Served, item: str) -> dict[str, Any]:
    """One item with its reasoning."""
    row = await service.looks.run(lambda: row_of(service, item))
    return {**_item(row), "reasoning": row.reasoning.text, "parts": list(row.embedded.labels)}


@router.post("/v1/items", status_code=202, response_model=None, responses=told(JobTold, 202))
async def add(service: Served, asked: AddRequest) -> dict[str, Any]:
    """Index files or folders in the background; ``GET /v1/jobs/{id}`` tells how far it is."""
    paths = [_allowed(service, path) for path in asked.paths]
    return service.jobs.add(paths).fields


@router.post("/v1/items/upload", status_code=202, response_model=None, responses=told(JobTold, 202))
async def upload(service: Served, files: Annotated[list[UploadFile], File()]) -> dict[str, Any]:
    """Keep files beside the shelf and index them in the background."""
    return service.jobs.add(await keep(service, files)).fields


@router.delete("/v1/items/{item}", response_model=None, responses=told(Removed))
async def delete(service: Served, item: str) -> dict[str, Any]:
    """Take an item off the shelf; its file stays."""
    removed = await service.engine.run(lambda: service.shelf.remove([item]))
    if not removed:
        raise InputNotFound("no such item", item, "ids are those of a search")
    return {"removed": removed}


@router.get("/v1/jobs", response_model=None, responses=told(JobsTold))
async def jobs(service: Served) -> dict[str, Any]:
    """Indexing, the newest first."""
    return {"jobs": [job.fields for job in service.jobs.all()]}


@router.get("/v1/jobs/{job}", response_model=None, responses=told(JobTold))
async def job(service: Served, job: str) -> dict[str, Any]:
    """How far one is."""
    return service.jobs.get(job).fields


@router.delete("/v1/jobs/{job}", response_model=None, responses=told(JobTold))
async def cancel(service: Served, job: str) -> dict[str, Any]:
    """Stop one; what is stored stays."""
    return service.jobs.cancel(job).fields


async def keep(service: Service, files: Sequence[UploadFile]) -> list[Path]:
    """Write uploads into a folder of their own beside the shelf; their paths.

    Raises:
        InputInvalid: One of them is of no type that is indexed; nothing is kept then.
    """
    names = [safe_name(each.filename or "") for each in files]
    for name in names:
        if kind_of(name) is None:
            raise InputInvalid(f"a type that is not ours: {name}", "files", f"known: {known_types()}")
    folder = service.settings.shelf.absolute() / UPLOADS / uuid.uuid4().hex[:8]
    folder.mkdir(parents=True)
    kept = []
    for each, name in zip(files, names, strict=True):
        path = folder / name
        path.write_bytes(await each.read())
        kept.append(path)
    return kept


def rows_from(service: Service, offset: int, limit: int) -> tuple[int, list[Row]]:
    """How many items there are, and some of them in the order of their ids."""
    ids = sorted(source.id for source in service.shelf.index.sources())
    return len(ids), service.shelf.get(ids[offset : offset + limit])


def row_of(service: Service, id_: str) -> Row:
    """An item's row.

    Raises:
        InputNotFound: There is no such item.
    """
    rows = service.shelf.get([id_])
    if not rows:
        raise InputNotFound("no such item", id_, "ids are those of a search")
    return rows[0]


def safe_name(given: str) -> str:
    r"""A file's name without folders, control characters or a dot in front.

    Example:
        >>> safe_name("../../etc/.passwd"), safe_name("a\x00b.png"), safe_name("C:\\x\\cat.JPG")
        ('passwd', 'ab.png', 'cat.JPG')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    shown = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip().lstrip(".")
    stem, dot, suffix = shown.rpartition(".")
    return f"{stem[: _NAME - len(suffix)]}{dot}{suffix[:10]}" if dot else shown[:_NAME] or "file"


def _allowed(service: Service, given: str) -> Path:
    """A path below one of the roots, links followed."""
    try:
        path = Path(given).expanduser().resolve()
    except (OSError, ValueError, RuntimeError):
        raise BadArguments("not a path", "paths", "give a file or folder") from None
    for root in service.settings.roots:
        if path.is_relative_to(root.resolve()):
            return path
    raise BadArguments("outside of the server's roots", "paths", "upload it, or start the server with --root")


def _item(row: Any) -> dict[str, Any]:
    one = row.item
    return {
        "id": one.id,
        "kind": one.kind,
        "uri": one.uri,
        "page": one.page,
        "text": one.text[:500],
        "media": f"/v1/items/{one.id}/media",
    }
