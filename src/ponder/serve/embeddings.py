"""``POST /v1/embeddings``: OpenAI's shape, with pictures as vLLM and Jina take them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from ponder.errors import BadArguments
from ponder.media.handed import Handed
from ponder.records import Query
from ponder.serve.described import ModelsTold, Vectors, told
from ponder.serve.fetching import handed_over
from ponder.serve.service import Served

router = APIRouter(tags=["OpenAI"])

_MOST = 2048
"""Inputs of one request, as OpenAI has it."""


class EmbeddingsRequest(BaseModel):
    """OpenAI's request; ``messages`` is vLLM's form of it, objects in ``input`` are Jina's."""

    model_config = ConfigDict(extra="ignore")
    model: str = ""
    input: str | dict[str, Any] | list[Any] | None = None
    messages: list[dict[str, Any]] | None = None
    dimensions: Annotated[int | None, Field(ge=1, le=65536)] = None
    encoding_format: Literal["float", "base64"] = "float"
    input_type: Literal["query", "document"] = "query"


_EXAMPLE = {"model": "lite", "input": ["a red kite", "a blue whale"]}


@router.post("/v1/embeddings", response_model=None, responses=told(Vectors))
async def embeddings(
    service: Served,
    asked: Annotated[EmbeddingsRequest, Body(openapi_examples={"texts": {"value": _EXAMPLE}})],
) -> dict[str, Any]:
    """Vectors of texts and pictures, of unit norm; ``input_type`` "document" reasons about them first.

    ``dimensions`` cuts vectors and scales them anew, which only models trained for it stand well.
    """
    with Handed() as handed:
        pieces = [
            _query(each, handed, place, allow_urls=service.settings.allow_urls)
            for place, each in enumerate(_inputs(asked))
        ]
        batch = service.embed_documents if asked.input_type == "document" else service.embed_queries
        if len(pieces) == 1:
            # Single texts of many clients are embedded in one call.
            rows = [await service.engine.together(batch, pieces[0])]
        else:
            rows = list(await service.engine.run(lambda: batch(pieces)))
    width = service.models.embedder.dim
    if asked.dimensions is not None and asked.dimensions > width:
        raise BadArguments(f"vectors have {width} dimensions", "dimensions", f"give at most {width}")
    tokens = sum(row[1] for row in rows)
    data = [
        {"object": "embedding", "index": place, "embedding": _coded(vector, asked)}
        for place, (vector, _) in enumerate(rows)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": service.models.name, "usage": usage}


@router.get("/v1/models", response_model=None, responses=told(ModelsTold))
async def models(service: Served) -> dict[str, Any]:
    """The one set of models that is served."""
    entry = {"id": service.models.name, "object": "model", "created": 0, "owned_by": "ponder"}
    return {"object": "list", "data": [entry]}


def _inputs(asked: EmbeddingsRequest) -> list[Any]:
    if asked.messages is not None:
        return [_message(asked.messages)]
    if asked.input is None:
        raise BadArguments("nothing to embed", "input", "give input or messages")
    found = asked.input if isinstance(asked.input, list) else [asked.input]
    if not found or len(found) > _MOST:
        raise BadArguments(f"{len(found)} inputs", "input", f"give 1 to {_MOST}")
    if any(isinstance(each, int | list) for each in found):
        raise BadArguments("tokens instead of text", "input", "send texts: each model has tokens of its own")
    return found


def _message(messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The words and the picture of a conversation, as vLLM takes embeddings' input."""
    found: dict[str, Any] = {"text": ""}
    for message in messages:
        content = message.get("content", "")
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
            if part.get("type") == "text":
                found["text"] = f"{found['text']}\n{part.get('text', '')}".strip()
            elif part.get("type") == "image_url":
                url = part.get("image_url")
                found["image"] = url.get("url") if isinstance(url, dict) else url
            else:
                raise BadArguments(
                    f"a part of type {part.get('type')!r}", "messages", "give text or image_url"
                )
    return found


def _query(given: Any, handed: Handed, place: int, *, allow_urls: bool) -> Query:
    if isinstance(given, str):
        return Query(given)
    if not isinstance(given, dict) or not set(given) & {"text", "image"}:
        raise BadArguments("no text and no picture", f"input.{place}", 'give a string, {"text"} or {"image"}')
    text, image = given.get("text") or "", given.get("image")
    if not isinstance(text, str) or not isinstance(image, str | None):
        raise BadArguments("text and image are strings", f"input.{place}", "send pictures as data URLs")
    return Query(text, image=handed_over(image, handed, allow_urls=allow_urls) if image else None)


def _coded(vector: Any, asked: EmbeddingsRequest) -> Any:
    import numpy as np

    if asked.dimensions is not None:
        vector = vector[: asked.dimensions]
        vector = vector / (np.linalg.norm(vector) or 1.0)
    found = np.ascontiguousarray(vector, dtype="<f4")
    return base64.b64encode(found.tobytes()).decode() if asked.encoding_format == "base64" else found.tolist()
