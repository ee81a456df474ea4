"""What answers look like, for OpenAPI: routes make plain dicts, tests hold them against these."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class _Told(BaseModel):
    """Nothing but what is described."""

    model_config = ConfigDict(extra="forbid")


class Fault(_Told):
    """What is wrong, where clients of OpenAI, Cohere and Jina each look for it."""

    class Inner(_Told):
        """OpenAI's place."""

        message: str
        type: str
        code: int

    error: Inner
    message: str
    detail: str


class Tokens(_Told):
    """Tokens by kind."""

    read: int
    written: int
    cached: int


class Spent(Tokens):
    """And by stage."""

    by_stage: dict[str, Tokens]


class Stage(_Told):
    """What a stage said of a hit."""

    name: str
    score: float | None
    rank: int
    note: str


class Found(_Told):
    """A hit."""

    id: str
    uri: str
    kind: str
    rank: int
    score: float
    part: str
    reasoning: str
    passage: str
    stages: list[Stage]
    media: str


class Answer(_Told):
    """Of a search; ``explanation`` where it was asked for, ``shared`` of a recommendation."""

    class Failed(_Told):
        """A stage that failed and was passed over."""

        stage: str
        why: str

    hits: list[Found]
    budget: int
    usage: Spent
    failed: list[Failed]
    seconds: float
    explanation: dict[str, Any] | None = None
    shared: str | None = None


class Vectors(_Told):
    """Of ``/v1/embeddings``."""

    class Vector(_Told):
        """One; base64 of little-endian float32 where that was asked for."""

        object: str
        index: int
        embedding: list[float] | str

    class Counted(_Told):
        """Tokens, as OpenAI counts."""

        prompt_tokens: int
        total_tokens: int

    object: str
    data: list[Vector]
    model: str
    usage: Counted


class ModelsTold(_Told):
    """Of ``/v1/models``."""

    object: str
    data: list[dict[str, Any]]


class Ranked(_Told):
    """Of the rerank routes."""

    class Result(_Told):
        """A document's place among those given, and its score."""

        index: int
        relevance_score: float
        reasoning: str
        document: dict[str, Any] | None = None

    class Counted(_Told):
        """Tokens, as Jina counts."""

        total_tokens: int
        prompt_tokens: int

    id: str
    object: str
    model: str
    results: list[Result]
    meta: dict[str, Any]
    usage: Counted


class Listed(_Told):
    """An item."""

    id: str
    kind: str
    uri: str
    page: int | None
    text: str
    media: str


class Shown(Listed):
    """An item with what was reasoned about it and the names of its parts."""

    reasoning: str
    parts: list[str]


class Items(_Told):
    """A page of items."""

    total: int
    items: list[Listed]


class JobTold(_Told):
    """An indexing: waiting, running, done, failed or cancelled."""

    id: str
    paths: list[str]
    state: str
    done: int
    total: int
    seconds: float
    report: dict[str, Any]
    error: str
    seconds_left: float | None


class JobsTold(_Told):
    """All of them."""

    jobs: list[JobTold]


class Removed(_Told):
    """How many items were taken off."""

    removed: int


EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {"event": {"enum": ["stage", "done", "error"]}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
"""Of a stream; ``data`` is JSON: `Answer` with its stage, or `Fault`."""

FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": Fault, "description": what}
    for status, what in (
        (400, "Cannot be used as it is"),
        (401, "A token is needed"),
        (403, "From another site"),
        (404, "Nothing of that name"),
        (405, "Not with this method"),
        (413, "Too large"),
        (421, "Another host's name"),
        (422, "Cannot be read"),
        (429, "Too much or too often: come again after Retry-After seconds"),
        (500, "Something failed here"),
        (502, "A model or store failed"),
        (503, "Something is not installed"),
    )
}
"""Of any route."""


def told(model: type[BaseModel], status: int = 200, **more: Any) -> dict[int | str, dict[str, Any]]:
    """A route's ``responses``: what it answers when all is well."""
    return {status: {"model": model, **more}}
