"""Prompts as a server reads them, and what it says of tokens."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ponder.models.engine import Prompt, Turn
from ponder.records import Usage

if TYPE_CHECKING:
    from PIL.Image import Image

TURN, PICTURE = 32, 1600
"""Tokens that a turn's marks and a picture take at most: 1280 patches and their marks, and some room."""

QUESTION = 128
"""Tokens that a decisions API puts around a conversation: its question, with letters for up to 26 answers."""


def messages(prompt: Prompt) -> list[dict[str, Any]]:
    """A prompt as chat messages; pictures are sent as PNG in data URLs."""
    found = [{"role": turn.role, "content": _content(turn)} for turn in prompt.turns]
    if prompt.opening:
        found.append({"role": "assistant", "content": prompt.opening})
    return found


def chat(model: str, prompt: Prompt, tokens: int, **more: Any) -> dict[str, Any]:
    """The body of a chat completion of at most `tokens` tokens, the likeliest ones."""
    body = {"model": model, "messages": messages(prompt), "max_tokens": tokens, "temperature": 0, **more}
    if prompt.opening:
        # What vLLM and SGLang want to be told when the assistant has begun to speak.
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body


def bound(prompt: Prompt, *, asked: bool = False) -> int:
    """Tokens of a prompt, at most; exact counts need the model's tokenizer, which is not here.

    Tokenizers of bytes make no more tokens than there are bytes. Marks of turns and pictures are reckoned
    with `TURN` and `PICTURE`.

    Args:
        prompt: What is read.
        asked: It may be put to a decisions API: as JSON, which escapes quotes and line breaks, together with
            a `QUESTION`.

    Example:
        >>> bound(Prompt((Turn("user", ("a cello",)),)))
        71
    """
    texts = [part for turn in prompt.turns for part in turn.parts if isinstance(part, str)]
    shown = sum(len(turn.parts) for turn in prompt.turns) - len(texts)
    texts.append(prompt.opening)
    if asked:
        texts = [json.dumps(text, ensure_ascii=False)[1:-1] for text in texts]
    said = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return said + TURN * (len(prompt.turns) + 1) + PICTURE * shown + (QUESTION if asked else 0)


def plain(prompt: Prompt) -> str | None:
    """All words of a prompt as one text; None if it has pictures."""
    if any(not isinstance(part, str) for turn in prompt.turns for part in turn.parts):
        return None
    return "\n\n".join("".join(map(str, turn.parts)) for turn in prompt.turns)


def data_url(picture: Image) -> str:
    """A picture as a data URL; PNG, so that nothing is lost."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def usage(answer: Mapping[str, Any], most: int) -> Usage:
    """The server's own counts.

    Args:
        answer: Its JSON.
        most: What is reckoned with where it gives none.
    """
    told = answer.get("usage")
    told = told if isinstance(told, dict) else {}
    read = _count(told.get("prompt_tokens", told.get("input_tokens", told.get("total_tokens"))))
    written = _count(told.get("completion_tokens", told.get("output_tokens")))
    details = told.get("prompt_tokens_details", told.get("input_tokens_details"))
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    if read is None:
        return Usage(read=most)
    # What the server had in its own cache was read by no model.
    return Usage(read - min(cached or 0, read), written or 0, min(cached or 0, read))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _content(turn: Turn) -> Any:
    if all(isinstance(part, str) for part in turn.parts):
        return "".join(map(str, turn.parts))
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": data_url(part)}}
        for part in turn.parts
    ]
