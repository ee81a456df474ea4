"""What there is to say about a model behind HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ponder.models.engine import Able

Verdicts = Literal["auto", "decisions", "systemone", "logprobs", "generated"]


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """A server and a model on it.

    Attributes:
        url: Where its API begins: ``http://127.0.0.1:8000/v1``.
        model: As the server names it.
        key_env: Environment variable that holds the key; a server without keys needs none. The key itself
            is read when a request is made and stands nowhere else.
        able: What the server can do. "likelihood" needs completions with ``echo`` and ``logprobs`` (vLLM).
        verdicts: How answers are judged: "decisions" (OpenAI's ``/decisions``), "systemone"
            (``/systemone``), "logprobs" of chat completions, or a "generated" word. "auto" takes the first
            of these that the server has.
        concurrency: Requests at a time.
        timeout: Seconds that one request may take.
        retries: How often a request is sent again after 429, 5xx or a broken connection.
    """

    url: str
    model: str
    key_env: str = "OPENAI_API_KEY"
    able: frozenset[Able] = frozenset(("write", "answer", "pictures"))
    verdicts: Verdicts = "auto"
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 5
