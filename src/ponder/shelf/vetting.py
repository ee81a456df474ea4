"""What models give, looked at before it is kept: garbage is refused, never cached or stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from ponder.errors import BackendFailed
from ponder.protocols import Embedder, Reasoner
from ponder.records import Content, Embedded, Reasoning

T = TypeVar("T")

LENGTH_OFF = 1e-2
"""How far a vector's length may be from 1, where it is made and wherever it is looked at again.

bfloat16 has three digits, so that lengths come out as .995. Scores are products: theirs are as far off.
"""

_WORD = re.compile(r"\w")


def one_each(found: Sequence[T], count: int, who: str) -> Sequence[T]:
    """What a model gave for `count` contents.

    Raises:
        BackendFailed: It is another number.

    Example:
        >>> one_each(["a"], 1, "my-reasoner")
        ['a']
    """
    if len(found) != count:
        raise _garbage(f"a model gave {len(found)} results for {count} items", who)
    return found


def vetted_reasoning(reasoning: Reasoning, content: Content, tokens: int, reasoner: Reasoner) -> Reasoning:
    """The reasoning, if it is one.

    Nothing at all is refused where there was something to see and room to tell it; not where a limit cut it.

    Raises:
        BackendFailed: It is none.
    """
    who = reasoner.fingerprint
    if not isinstance(reasoning, Reasoning) or not isinstance(reasoning.text, str):
        raise _garbage(f"the reasoner gave a {type(reasoning).__name__}", who)
    usage = reasoning.usage
    if min(usage.read, usage.written, usage.cached, reasoning.tokens) < 0:
        raise _garbage("the reasoner counted less than no tokens", who)
    told = reasoning.text + "".join(part.text for part in reasoning.parts)
    seen = bool(content.images) or _WORD.search(content.text) is not None
    if tokens > 0 and seen and not told.strip() and not reasoning.truncated and not _facts(reasoning):
        raise _garbage("the reasoner said nothing", who)
    return reasoning


def vetted_embedded(embedded: Embedded, embedder: Embedder) -> Embedded:
    """The vectors, if they are some: float, of shape (labels, dim), finite, of length 1.

    Raises:
        BackendFailed: They are none.
    """
    import numpy as np

    who = embedder.fingerprint
    if not isinstance(embedded, Embedded):
        raise _garbage(f"the embedder gave a {type(embedded).__name__}", who)
    vectors = np.asarray(embedded.vectors)
    shape = (len(embedded.labels), embedder.dim)
    if vectors.shape != shape or not shape[0]:
        raise _garbage(f"the embedder gave vectors of shape {vectors.shape}, not {shape}", who)
    if vectors.dtype.kind != "f":
        raise _garbage(f"the embedder gave vectors of {vectors.dtype}", who)
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if not np.isfinite(lengths).all():
        raise _garbage("the embedder gave values that are not finite", who)
    if (abs(lengths - 1) > LENGTH_OFF).any():
        raise _garbage(f"the embedder gave a vector of length {lengths[abs(lengths - 1).argmax()]:.3g}", who)
    return embedded


def _facts(reasoning: Reasoning) -> bool:
    return any(part.facts for part in reasoning.parts)


def _garbage(what: str, who: str) -> BackendFailed:
    return BackendFailed(what, who, "check the model; what was stored before stays, nothing of this is kept")
