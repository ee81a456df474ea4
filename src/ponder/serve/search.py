"""``POST /v1/search`` and ``/v1/recommend``: the cascade within a budget, at once or stage by stage."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ponder.errors import BadArguments, PonderError
from ponder.media.handed import Handed
from ponder.records import Query, Ranking
from ponder.serve.answers import explanation, ranking_json
from ponder.serve.described import EVENT, Answer, told
from ponder.serve.faults import body_of, public, status_of
from ponder.serve.fetching import handed_over
from ponder.serve.service import Served, Service

router = APIRouter(tags=["ponder"])

DEFAULT_BUDGET = 256

_SUFFIXES = {"image": ".png", "video": ".mp4", "document": ".pdf"}
"""What a field's file is taken for; readers look at its content."""

_EXAMPLES: dict[str, Any] = {"words": {"value": {"text": "a red kite", "k": 5, "budget": 256}}}


class Spending(BaseModel):
    """How a search is run, whatever it is for."""

    model_config = ConfigDict(extra="forbid")
    k: Annotated[int, Field(ge=1, le=1000)] = 10
    budget: Annotated[int, Field(ge=0, le=1_000_000)] = DEFAULT_BUDGET
    stages: str | None = None
    filter: str | None = None
    allocate: Literal["uniform", "adaptive"] = "uniform"
    explain: bool = False


class SearchRequest(Spending):
    """A query: words, a picture, clip or PDF page as a data URL, or words with one of them."""

    text: Annotated[str, Field(max_length=100_000)] = ""
    image: str | None = None
    video: str | None = None
    document: str | None = None
    page: Annotated[int, Field(ge=1, le=100_000, description="Which page of the document")] = 1
    instruction: Annotated[str, Field(max_length=10_000)] = ""
    gates: bool = True
    stream: bool = False


class RecommendRequest(Spending):
    """Examples."""

    like: Annotated[list[str], Field(min_length=1, max_length=100)]
    dislike: Annotated[list[str], Field(max_length=100)] = []


@router.post(
    "/v1/search",
    response_model=None,
    responses=told(Answer, content={"text/event-stream": {"schema": EVENT}}),
)
async def search(
    request: Request,
    service: Served,
    asked: Annotated[SearchRequest, Body(openapi_examples=_EXAMPLES)],
) -> dict[str, Any] | StreamingResponse:
    """Search the shelf.

    With ``stream`` (or ``Accept: text/event-stream``) each stage's order is an event as soon as it is there:
    ``stage`` events with the hits so far, then ``done``.
    """
    if asked.stream or "text/event-stream" in request.headers.get("accept", ""):
        events = streamed(service, asked)
        return StreamingResponse(
            _sent(events), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )
    began = time.perf_counter()
    rankings = [ranking async for _, ranking in ranked(service, asked)]
    return answer(rankings[-1], time.perf_counter() - began, explain=asked.explain)


@router.post("/v1/recommend", response_model=None, responses=told(Answer))
async def recommend(service: Served, asked: RecommendRequest) -> dict[str, Any]:
    """Find more like some items and less like others."""
    began = time.perf_counter()
    ranking = await service.engine.run(
        lambda: service.shelf.recommend(
            asked.like,
            asked.dislike,
            k=asked.k,
            budget=asked.budget,
            stages=asked.stages,
            where=asked.filter,
            allocate=asked.allocate,
            explain=asked.explain,
        )
    )
    service.counters.spent(ranking.usage)
    found = answer(ranking, time.perf_counter() - began, explain=asked.explain)
    return {**found, "shared": ranking.query.text}


async def ranked(service: Service, asked: SearchRequest) -> AsyncIterator[tuple[str, Ranking]]:
    """Each stage's name and ranking, the last one the answer."""
    with Handed() as handed:
        query = _query(asked, handed, allow_urls=service.settings.allow_urls)

        def work() -> Iterator[tuple[str, Ranking]]:
            return service.shelf.searching(asked.stages or None).stream(
                query,
                budget=asked.budget,
                k=asked.k,
                where=asked.filter,
                allocate=asked.allocate,
                explain=asked.explain,
                gates=asked.gates,
            )

        last: Ranking | None = None
        async for stage, last in service.engine.stream(work):
            yield stage, last
        if last is not None:
            service.counters.spent(last.usage)


def _query(asked: SearchRequest, handed: Handed, *, allow_urls: bool) -> Query:
    given = {name: getattr(asked, name) for name in _SUFFIXES if getattr(asked, name)}
    if len(given) > 1:
        raise BadArguments("more than one medium", ", ".join(given), "give one of them")
    if not given and not asked.text.strip():
        raise BadArguments("empty query", "text", "give some words, or a picture as a data URL")
    query = Query(asked.text, instruction=asked.instruction)
    for name, data in given.items():
        path = handed_over(data, handed, allow_urls=allow_urls, suffix=_SUFFIXES[name])
        if name == "document":
            return replace(query, page=(path, asked.page))
        return replace(query, video=path) if name == "video" else replace(query, image=path)
    return query


async def streamed(service: Service, asked: SearchRequest) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Events of a search: ``stage`` for each, ``done`` with the last once more, or ``error``."""
    began = time.perf_counter()
    found: dict[str, Any] = {}
    try:
        async for stage, ranking in ranked(service, asked):
            found = {"stage": stage, **answer(ranking, time.perf_counter() - began, explain=asked.explain)}
            yield "stage", found
    except PonderError as error:
        # The status line is out already: the error is an event.
        yield "error", body_of(public(error), type(error).__name__, status_of(error))
        return
    yield "done", found


def answer(ranking: Ranking, seconds: float, *, explain: bool) -> dict[str, Any]:
    """As ``ponder search --json`` has it; files by name, not by where they lie on the server."""
    found = ranking_json(ranking, seconds)
    for entry, hit in zip(found["hits"], ranking.hits, strict=True):
        entry["media"] = f"/v1/items/{hit.item.id}/media"
    return {**found, "explanation": explanation(ranking)} if explain else found


async def _sent(events: AsyncIterator[tuple[str, dict[str, Any]]]) -> AsyncIterator[bytes]:
    async for name, fields in events:
        yield f"event: {name}\ndata: {json.dumps(fields)}\n\n".encode()
