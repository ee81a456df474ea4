"""Heads: from the hidden states of a backbone to one vector.

TTE compares them for its unified model, which reasons and embeds with one backbone (arXiv:2510.05014,
section 3.3): last token, mean, attention pooling, a Q-Former, and self-attention layers that begin as copies
of the backbone's last ones.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ponder.errors import BadArguments, ModelInvalid, first_line

if TYPE_CHECKING:
    import torch

Pooling = Literal["last", "mean", "attention", "q-former", "self-attention"]

POOLINGS: tuple[Pooling, ...] = get_args(Pooling)

LAYERS = 8
"""Of the backbone that begin a self-attention head; TTE's number."""

QUERIES = 16
"""Learned queries of a Q-Former; their outputs are averaged."""

_HEADS = 4


def make_head(pooling: Pooling, inner: Any, *, weights: str = "", seed: int = 0) -> Any:
    """A head for a backbone, a ``torch.nn.Module`` from states (n, width) to a vector (width).

    Args:
        pooling: Which.
        inner: The model below its language head.
        weights: A safetensors file of a trained head; "last" and "mean" have none. Without one, learned
            heads begin at random (attention, Q-Former), or as the backbone's last layers.
        seed: Of what begins at random.

    Raises:
        BadArguments: No such pooling.
        ModelInvalid: The weights are another head's.
    """
    import torch

    if pooling not in POOLINGS:
        raise BadArguments(f"no pooling {pooling!r}", "pooling", f"take one of {', '.join(POOLINGS)}")
    text = getattr(inner, "language_model", None) or getattr(inner, "text_model", None) or inner
    width = int(inner.config.get_text_config().hidden_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = _made(pooling, text, width)
    if weights:
        from safetensors.torch import load_file

        try:
            head.load_state_dict(load_file(str(Path(weights).expanduser())))
        except (OSError, RuntimeError) as error:
            raise ModelInvalid(
                f"no weights of a {pooling} head: {first_line(error)}", weights, "train it again"
            ) from error
    parameter = next(inner.parameters())
    return head.to(parameter.device, parameter.dtype).train(False)


def _made(pooling: Pooling, text: Any, width: int) -> Any:
    import torch
    from torch import nn

    class Last(nn.Module):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return states[-1]

    class Mean(nn.Module):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return states.mean(0)

    class Attention(nn.Module):
        """Learned queries look at all states; one is an attention pooler, several a Q-Former's layer."""

        def __init__(self, queries: int, feed: bool) -> None:
            super().__init__()
            self.queries = nn.Parameter(torch.randn(queries, width) * width**-0.5)
            self.look = nn.MultiheadAttention(width, _HEADS, batch_first=True)
            self.feed = (
                nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU()) if feed else None
            )

        def forward(self, states: torch.Tensor) -> torch.Tensor:
            found = self.look(self.queries[None], states[None], states[None], need_weights=False)[0][0]
            if self.feed is not None:
                found = found + self.feed(found)
            return found.mean(0)

    class SelfAttention(nn.Module):
        """The backbone's last layers once more, and the mean."""

        def __init__(self) -> None:
            super().__init__()
            layers = list(text.layers)
            self.layers = nn.ModuleList(copy.deepcopy(layer) for layer in layers[-LAYERS:])
            for layer in self.layers:
                parts: list[Any] = list(layer.modules())
                for module in parts:
                    # No cache: each state is read once.
                    if hasattr(module, "layer_idx"):
                        module.layer_idx = 0
            self.turn = [text.rotary_emb]  # in a list: it is the backbone's, not the head's

        def forward(self, states: torch.Tensor) -> torch.Tensor:
            places = torch.arange(len(states), device=states.device)[None]
            rotary = self.turn[0]
            planes = places.expand(3, 1, -1) if hasattr(rotary, "mrope_section") else places
            angles = rotary(states[None], planes)
            found = states[None]
            for layer in self.layers:
                out = layer(found, position_embeddings=angles, attention_mask=None)
                found = out[0] if isinstance(out, tuple) else out
            return found[0].mean(0)

    makers: dict[Pooling, Any] = {
        "last": Last,
        "mean": Mean,
        "attention": lambda: Attention(1, False),
        "q-former": lambda: Attention(QUERIES, True),
        "self-attention": SelfAttention,
    }
    return makers[pooling]()
