"""``POST /v1/rerank`` and ``/v2/rerank``: Cohere's and Jina's shapes, with a token budget."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from ponder.errors import BadArguments
from ponder.media.handed import Handed
from ponder.serve.described import Ranked, told
from ponder.serve.fetching import handed_over
from ponder.serve.service import Served, Service
from ponder.shelf.given import rank_given

router = APIRouter(tags=["Cohere and Jina"])

BUDGET = 512
"""Tokens of one reranking unless told: two answers from each of some ten documents with `lite`."""

_MOST = 1000

_EXAMPLES: dict[str, Any] = {
    "texts": {"value": {"model": "lite", "query": "a red kite", "documents": ["a blue whale", "a red kite"]}}
}


class RerankRequest(BaseModel):
    """Cohere's request, of version 1 or 2, or Jina's; ``budget`` and ``stages`` are ours."""

    model_config = ConfigDict(extra="ignore")
    model: str = ""
    query: str | dict[str, Any]
    documents: Annotated[list[str | dict[str, Any]], Field(min_length=1, max_length=_MOST)]
    top_n: Annotated[int | None, Field(ge=1)] = None
    return_documents: bool | None = None
    budget: Annotated[int, Field(ge=0, le=1_000_000)] = BUDGET
    stages: str | None = None


@router.post("/v1/rerank", response_model=None, responses=told(Ranked))
async def rerank_v1(
    service: Served, asked: Annotated[RerankRequest, Body(openapi_examples=_EXAMPLES)]
) -> dict[str, Any]:
    """Rank texts and pictures for a query; each result has its place among the documents and a score."""
    return await _reranked(service, asked, "1", documents=bool(asked.return_documents))


@router.post("/v2/rerank", response_model=None, responses=told(Ranked))
async def rerank_v2(
    service: Served, asked: Annotated[RerankRequest, Body(openapi_examples=_EXAMPLES)]
) -> dict[str, Any]:
    """The same, as version 2 of Cohere's client asks."""
    return await _reranked(service, asked, "2", documents=bool(asked.return_documents))


async def _reranked(
    service: Service, asked: RerankRequest, version: str, *, documents: bool
) -> dict[str, Any]:
    with Handed() as handed:
        urls = service.settings.allow_urls
        query = _given(asked.query, handed, "query", allow_urls=urls)
        given = [
            _given(each, handed, f"documents.{place}", allow_urls=urls)
            for place, each in enumerate(asked.documents)
        ]
        ranked = await service.engine.run(
            lambda: rank_given(
                query,
                given,
                service.models,
                service.shelf.cache,
                budget=asked.budget,
                stages=asked.stages,
                limits=service.shelf.manifest.limits,
            )
        )
    usage = ranked.ranking.usage
    service.counters.spent(usage)
    results: list[dict[str, Any]] = [
        {"index": place, "relevance_score": hit.score, "reasoning": hit.reason}
        for place, hit in zip(ranked.places, ranked.ranking.hits, strict=True)
    ][: asked.top_n]
    if documents:
        for each in results:
            document = asked.documents[each["index"]]
            each["document"] = {"text": document} if isinstance(document, str) else document
    return {
        "id": str(uuid.uuid4()),
        "object": "list",
        "model": service.models.name,
        "results": results,
        "meta": {
            "api_version": {"version": version},
            "billed_units": {"search_units": 1},
            "tokens": {"input_tokens": usage.read, "output_tokens": usage.written},
            "warnings": [f"document {place}: {why}" for place, why in ranked.unread.items()],
        },
        "usage": {"total_tokens": usage.spent, "prompt_tokens": usage.read},
    }


def _given(value: str | dict[str, Any], handed: Handed, where: str, *, allow_urls: bool) -> Any:
    """What `rank_given` takes: no path of the server's ever gets in from here."""
    if isinstance(value, str):
        return value
    text, image = value.get("text") or "", value.get("image") or value.get("image_url")
    image = image.get("url") if isinstance(image, dict) else image
    if not isinstance(text, str) or not isinstance(image, str | None):
        raise BadArguments("text and image are strings", where, "send pictures as data URLs")
    if not text.strip() and not image:
        raise BadArguments("no text and no picture", where, 'give a string, {"text"} or {"image"}')
    if not image:
        return {"text": text}
    from pathlib import Path

    return {"text": text, "image": Path(handed_over(image, handed, allow_urls=allow_urls))}
