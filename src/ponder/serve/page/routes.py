"""The page's addresses."""

from __future__ import annotations

import hmac
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field
from starlette.staticfiles import StaticFiles

from ponder.errors import InputNotFound, PonderError
from ponder.serve.faults import public
from ponder.serve.items import keep, row_of, rows_from
from ponder.serve.page.curves import Curve, curves
from ponder.serve.page.marks import add_mark
from ponder.serve.service import Served

router = APIRouter(include_in_schema=False)

_HERE = Path(str(resources.files("ponder.serve.page")))
templates = Jinja2Templates(_HERE / "templates")
static = StaticFiles(directory=_HERE / "static")

BUDGETS = (
    (0, "by stored vectors alone; costs no tokens"),
    (64, "a judge glances at the best few"),
    (256, "judges read the reasoning of the best"),
    (1024, "and look again with your words in view"),
    (4096, "whatever judging can still change"),
)
"""The slider's stops, and what each buys, in words."""

_PAGE = 60


class Mark(BaseModel):
    """Somebody's word on a hit."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(max_length=10_000)]
    id: Annotated[str, Field(max_length=1000)]
    mark: Literal["right", "wrong", ""]


@router.get("/")
async def search_page(request: Request, service: Served) -> Response:
    """The search."""
    items = await service.looks.run(lambda: len(service.shelf.index))
    told = {"items": items, "budgets": BUDGETS, "models": service.shelf.manifest.models, "view": "search"}
    return templates.TemplateResponse(request, "search.html", told)


@router.get("/collection")
async def collection(request: Request, service: Served, offset: int = 0) -> Response:
    """What is on the shelf, and what is being put there."""
    total, rows = await service.looks.run(lambda: rows_from(service, max(0, offset), _PAGE))
    told = {
        "total": total,
        "rows": [{"item": row.item, "name": _name(row.item.uri), "why": row.reasoning.text} for row in rows],
        "offset": max(0, offset),
        "step": _PAGE,
        "jobs": service.jobs.all(),
        "view": "collection",
    }
    return templates.TemplateResponse(request, "collection.html", told)


@router.get("/page/jobs")
async def jobs(request: Request, service: Served) -> Response:
    """How far indexing is: the part of the collection that is asked for again and again."""
    return templates.TemplateResponse(request, "jobs.html", {"jobs": service.jobs.all()})


@router.post("/page/upload")
async def upload(request: Request, service: Served, files: list[UploadFile]) -> Response:
    """Files, kept beside the shelf and indexed."""
    refused = ""
    try:
        service.jobs.add(await keep(service, files))
    except PonderError as error:
        # In the part of the page that the answer is put into, which the next upload needs again.
        refused = public(error)
    return templates.TemplateResponse(request, "jobs.html", {"jobs": service.jobs.all(), "refused": refused})


@router.post("/page/jobs/{job}/cancel")
async def cancel(request: Request, service: Served, job: str) -> Response:
    """Stop one."""
    service.jobs.cancel(job)
    return templates.TemplateResponse(request, "jobs.html", {"jobs": service.jobs.all()})


@router.get("/evaluation")
async def evaluation(request: Request, service: Served) -> Response:
    """Curves of accuracy against tokens, and what was won and lost."""
    told = {"curves": curves(service.settings.scale), "view": "evaluation"}
    return templates.TemplateResponse(request, "evaluation.html", told)


@router.get("/page/curve/{number}.svg")
async def curve(service: Served, number: int) -> FileResponse:
    """One of the curves that the server was started with."""
    found: list[Curve] = curves(service.settings.scale)
    if not 0 <= number < len(found):
        raise InputNotFound("no such curve", str(number), "start the server with --scale")
    return FileResponse(found[number].svg, media_type="image/svg+xml")


@router.post("/page/marks")
async def mark(service: Served, told: Mark) -> dict[str, str]:
    """Keep somebody's word; `ponder marks` makes a data set of them for `ponder mine`."""
    await service.looks.run(lambda: row_of(service, told.id))
    add_mark(service.shelf.path, told.text, told.id, told.mark)
    return {"mark": told.mark}


@router.get("/page/token")
async def token_page(request: Request) -> Response:
    """Where the token is asked for."""
    return templates.TemplateResponse(request, "token.html", {"wrong": False, "view": ""})


@router.post("/page/token")
async def token(request: Request, service: Served, token: Annotated[str, Form()]) -> Response:
    """Take the token into a cookie that no script can read."""
    if not hmac.compare_digest(token.encode(), service.settings.token.encode()):
        return templates.TemplateResponse(request, "token.html", {"wrong": True, "view": ""}, status_code=401)
    response = RedirectResponse("/", status_code=303)
    secure = request.url.scheme == "https"
    response.set_cookie("ponder-token", token, httponly=True, samesite="strict", secure=secure)
    return response


def _name(uri: str) -> str:
    """What an item is called: of a page its number first, which a long file name would push out of sight."""
    name, _, part = uri.rsplit("/", 1)[-1].partition("#")
    return f"{part.replace('page=', 'page ')} · {name}" if part else name
