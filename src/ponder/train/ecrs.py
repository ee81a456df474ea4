"""ECRs as JSON lines: what ``ponder reason`` writes, and what a reasoner learns from.

One object a line: ``id``, ``role`` ("document" or "query"), ``reasoning``, ``trace``, ``tokens`` (the
reasoning's length), ``usage``, ``truncated``, ``model`` (the reasoner's fingerprint) and ``digest`` (of the
content). Only ``id`` and ``reasoning`` are needed to learn from it, so that lines of other teachers do too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid
from ponder.evaluate.rows import read_lines
from ponder.records import Reasoning, Role


@dataclass(frozen=True, slots=True)
class Ecr:
    """What was written about an item.

    Attributes:
        id: The item's, or the query's.
        text: The reasoning.
        trace: What was thought before it.
        truncated: A limit cut it off.
        role: What the item is.
        digest: Of the content that was reasoned about; "" where it was not told.
        model: Who wrote it.
    """

    id: str
    text: str
    trace: str = ""
    truncated: bool = False
    role: Role = "document"
    digest: str = ""
    model: str = ""


def ecr_of(name: str, role: Role, digest: str, reasoning: Reasoning) -> Ecr:
    """A reasoning as an ECR.

    Example:
        >>> ecr_of("d1", "document", "", Reasoning("A cello.", model="m")).text
        'A cello.'
    """
    return Ecr(name, reasoning.text, reasoning.trace, reasoning.truncated, role, digest, reasoning.model)


def fields(name: str, role: Role, digest: str, reasoning: Reasoning) -> dict[str, Any]:
    """A line of the file."""
    return {
        "id": name,
        "role": role,
        "reasoning": reasoning.text,
        "trace": reasoning.trace,
        "tokens": reasoning.tokens,
        "usage": {"read": reasoning.usage.read, "written": reasoning.usage.written},
        "truncated": reasoning.truncated,
        "model": reasoning.model,
        "digest": digest,
    }


def read_ecrs(path: Path) -> Iterator[Ecr]:
    """The ECRs about documents in a file.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A line is no ECR; says which.
    """
    for line in read_lines(path):
        role = line.text("role") or "document"
        if role not in ("document", "query"):
            raise InputInvalid(f"unknown role {role!r}", line.where, "write document or query")
        if role == "query":
            continue
        truncated = line.values.get("truncated", False)
        if not isinstance(truncated, bool):
            raise InputInvalid('"truncated" is neither true nor false', line.where, "see ponder reason")
        yield Ecr(
            line.text("id", required=True),
            line.text("reasoning"),
            line.text("trace"),
            truncated,
            "document",
            line.text("digest"),
            line.text("model"),
        )
