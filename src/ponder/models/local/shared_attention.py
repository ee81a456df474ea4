"""Attention in which many prompts look at one beginning that is stored once.

Ordinary attention wants the keys of the beginning copied into every prompt of a batch, and again for every
group of heads: on two cores that took a third of a judge's time. Here the queries of all prompts look at the
one copy in a single matrix product, and the two softmaxes are one (Hydragen, arXiv:2402.05099).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "ponder_shared"

Layers = Sequence[tuple["torch.Tensor", "torch.Tensor"]]
"""Keys and values of the beginning, each of shape (1, key heads, tokens, width)."""

_UNKNOWN = ("softcap", "s_aux", "position_bias")
"""What some models add to attention; they are computed in the ordinary way."""

_beginning: list[Layers] = []


@contextmanager
def behind(config: Any, layers: Layers) -> Iterator[None]:
    """Within this, a model of this text configuration reads behind the beginning whose state this is."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(NAME, _attention)
    usual = config._attn_implementation
    config._attn_implementation_internal = NAME
    _beginning.append(layers)
    try:
        yield
    finally:
        _beginning.pop()
        config._attn_implementation_internal = usual


def can_share(config: Any) -> bool:
    """Whether a model's attention goes through the one function that is replaced here."""
    return getattr(config, "_attn_implementation", "") == "sdpa"


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a batch (rows, heads, tokens, width) to itself and to the beginning."""
    import torch

    first_keys, first_values = _beginning[-1][module.layer_idx]
    if any(more.get(name) is not None for name in _UNKNOWN):
        return _ordinary(module, query, key, value, first_keys, first_values, scaling, more)
    rows, heads, tokens, width = query.shape
    scale = width**-0.5 if scaling is None else scaling
    merged = query.transpose(0, 1).reshape(1, heads, rows * tokens, width)
    before, before_mass = _flash(merged, first_keys, first_values, scale, causal=False)
    own, own_mass = _flash(query, key, value, scale, causal=True)
    before = before.view(heads, rows, tokens, width).transpose(0, 1)
    before_mass = before_mass.view(heads, rows, tokens).transpose(0, 1)
    # Each half is an average by its own weights; their sums of weights say how much each half counts.
    share = torch.sigmoid(before_mass - own_mass)[..., None].to(query.dtype)
    found = own + share * (before - own)
    return found.transpose(1, 2).contiguous(), None


def _flash(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float, *, causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention, and the logarithm of each query's sum of weights (rows, heads, tokens)."""
    import torch

    times = query.shape[1] // key.shape[1]
    if times > 1:
        key, value = (each.repeat_interleave(times, 1) for each in (key, value))
    if query.device.type == "cpu":
        found = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, causal, scale=scale
        )
        return found[0], found[1]
    weights = (query @ key.transpose(-1, -2)).float() * scale
    if causal:
        hidden = torch.ones(weights.shape[-2:], dtype=torch.bool, device=query.device).triu(1)
        weights = weights.masked_fill(hidden, float("-inf"))
    mass = weights.logsumexp(-1)
    return (weights - mass[..., None]).exp().to(value.dtype) @ value, mass


def _ordinary(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    first_keys: torch.Tensor,
    first_values: torch.Tensor,
    scaling: float | None,
    more: dict[str, Any],
) -> Any:
    import torch
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    rows, tokens, length = query.shape[0], query.shape[2], first_keys.shape[2]
    keys = torch.cat([first_keys.expand(rows, -1, -1, -1), key], 2)
    values = torch.cat([first_values.expand(rows, -1, -1, -1), value], 2)
    mask = torch.ones((tokens, length + tokens), dtype=torch.bool, device=query.device).tril(length)
    sdpa = ALL_ATTENTION_FUNCTIONS["sdpa"]
    return sdpa(module, query, keys, values, mask[None, None], scaling=scaling, **more)
