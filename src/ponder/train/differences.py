"""What differs between what was begun and what is asked for now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def differences(there: Any, wanted: Any) -> list[str]:
    """Where two JSON values differ, in words.

    Example:
        >>> differences({"split": "dev", "seed": 1}, {"split": "train", "seed": 1})
        ['split was "dev", is "train"']
    """
    wanted = json.loads(json.dumps(wanted))
    return [f"{key} was {_short(old)}, is {_short(new)}" for key, old, new in _apart(there, wanted)]


def _apart(old: Any, new: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _apart(old.get(key), new.get(key), f"{place}.{key}" if place else key)
    elif old != new:
        yield place, old, new


def _short(value: Any) -> str:
    text = "not there" if value is None else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
