"""Scoring many texts behind one head in a single row of tokens.

Every text sees the head and itself, nothing else: a block-diagonal attention mask, and positions that go on
from the head's. So the head is computed once, nothing is padded, and only the logits that are asked for are
made. (The "tree attention" of speculative decoding, SpecInfer, arXiv:2305.09781, with one level of branches.)
In float32 the scores equal those of one text at a time but for rounding: 1e-5 of the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What a model keeps of a beginning that texts share.

    Attributes:
        layers: Keys and values by layer, each of shape (1, heads, length, width).
        last: Hidden state (1, width) that predicts the next token; None for an empty head.
        length: In tokens.
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    last: torch.Tensor | None
    length: int


def read_head(model: Any, tokens: Tokens, before: Head | None = None) -> Head:
    """Compute a head's state with a causal language model of transformers.

    Args:
        model: Of transformers.
        tokens: What is read.
        before: What they go on from; it is left as it is. None for the beginning of a text.
    """
    import torch

    if not tokens:
        return before or Head((), None, 0)
    length = before.length if before else 0
    cache = cache_of(before or Head((), None, 0))
    with torch.inference_mode():
        out = model.model(torch.tensor([tokens]), past_key_values=cache, use_cache=True)
    layers = tuple((layer.keys, layer.values) for layer in cache.layers)
    return Head(layers, out.last_hidden_state[0, -1:], length + len(tokens))


def cache_of(head: Head) -> Any:
    """A cache of transformers with a head's state. What is added to it goes into new tensors."""
    from transformers import DynamicCache

    cache: Any = DynamicCache()
    for number, (keys, values) in enumerate(head.layers):
        cache.update(keys, values, number)
    return cache


def score_row(model: Any, head: Head, pieces: Sequence[tuple[Tokens, Tokens]]) -> list[tuple[float, ...]]:
    """Log-probabilities of the tokens of each target behind head and context.

    Args:
        model: A causal language model of transformers with `model` and `lm_head`.
        head: What all share; where it is empty, no context may be.
        pieces: ``(context, target)`` of each text. A target's last token is predicted, never read.
    """
    import torch

    fed = [(*context, *target)[:-1] for context, target in pieces]
    starts = [sum(len(tokens) for tokens in fed[:i]) for i in range(len(fed))]
    found: list[tuple[float, ...]] = []
    with torch.inference_mode():
        hidden = _hidden(model, head, fed, starts) if any(fed) else None
        for (context, target), start, tokens in zip(pieces, starts, fed, strict=True):
            if not target:
                found.append(())
                continue
            states = [] if hidden is None else [hidden[start : start + len(tokens)]]
            if not context and head.last is not None:
                states.insert(0, head.last)
            logits = model.lm_head(torch.cat(states)[-len(target) :]).float()
            chosen = logits.gather(1, torch.tensor(target)[:, None])[:, 0]
            found.append(tuple((chosen - logits.logsumexp(1)).tolist()))
    return found


def _hidden(model: Any, head: Head, fed: Sequence[Tokens], starts: Sequence[int]) -> torch.Tensor:
    """Hidden states (tokens, width) of all pieces, one behind the other."""
    import torch

    length = sum(len(tokens) for tokens in fed)
    sees = torch.zeros((length, head.length + length), dtype=torch.bool)
    sees[:, : head.length] = True
    positions: list[int] = []
    for tokens, start in zip(fed, starts, strict=True):
        block = slice(start, start + len(tokens))
        own = slice(head.length + start, head.length + start + len(tokens))
        sees[block, own] = torch.ones((len(tokens), len(tokens)), dtype=torch.bool).tril()
        positions += range(head.length, head.length + len(tokens))
    out = model.model(
        torch.tensor([[token for tokens in fed for token in tokens]]),
        attention_mask=sees[None, None],
        position_ids=torch.tensor([positions]),
        past_key_values=cache_of(head),
        use_cache=True,
    )
    return out.last_hidden_state[0]
