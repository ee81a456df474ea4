"""Prompts that exceed a context: pictures go first, words are never cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ponder.errors import InputInvalid
from ponder.models.engine import Prompt, Turn
from ponder.models.local.rendering import Rendered, bounded

_LEAST = 64 * 64
"""Pixels below which a picture says nothing any more."""


def fitted(render: Callable[[Prompt], Rendered], prompt: Prompt, room: int, where: str) -> Rendered:
    """A prompt, rendered so that it is at most `room` tokens long.

    Of several pictures every second goes, again and again, so that what stays is spread as before; the
    last one is halved in area. What was left out is told in `Rendered.cut`.

    Args:
        render: Renders a prompt.
        prompt: What to render.
        room: Tokens that there are.
        where: The model's name, for the message.

    Raises:
        InputInvalid: The words alone are too long; says by how many tokens.
    """
    rendered = render(prompt)
    had = len(rendered.pictures)
    shrunk = 0
    while len(rendered.ids) > room and rendered.pictures:
        count = len(rendered.pictures)
        if count > 1:
            prompt = _every_second(prompt)
        elif rendered.pictures[0].width * rendered.pictures[0].height >= 2 * _LEAST:
            area = rendered.pictures[0].width * rendered.pictures[0].height
            prompt = _bounded(prompt, area // 2)
            shrunk += 1
        else:
            break
        rendered = render(prompt)
    over = len(rendered.ids) - room
    if over > 0:
        shown = sum(rendered.seen)
        part = f"its words are {len(rendered.ids) - shown} tokens" + (
            f", its picture {shown}" if shown else ""
        )
        raise InputInvalid(
            f"the prompt exceeds the room of {room} tokens by {over}: {part}", where, "show or say less"
        )
    told = []
    if len(rendered.pictures) < had:
        told.append(f"{had - len(rendered.pictures)} of {had} pictures left out")
    if shrunk:
        told.append(f"a picture shrunk to 1/{2**shrunk} of its area")
    return replace(rendered, cut=", ".join(told)) if told else rendered


def _every_second(prompt: Prompt) -> Prompt:
    number = 0
    turns = []
    for turn in prompt.turns:
        parts: list[Any] = []
        for part in turn.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            if number % 2 == 0:
                parts.append(part)
            number += 1
        turns.append(Turn(turn.role, tuple(parts)))
    return Prompt(tuple(turns), prompt.opening)


def _bounded(prompt: Prompt, most: int) -> Prompt:
    turns = tuple(
        Turn(turn.role, tuple(part if isinstance(part, str) else bounded(part, most) for part in turn.parts))
        for turn in prompt.turns
    )
    return Prompt(turns, prompt.opening)
