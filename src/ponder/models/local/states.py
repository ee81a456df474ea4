"""Hidden states of a prompt: what heads make vectors of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Rendered
from ponder.models.local.writing_reading import positions_of
from ponder.models.local.writing_state import hidden_states

if TYPE_CHECKING:
    import torch


def states(loaded: Loaded, rendered: Rendered, more: tuple[int, ...] = ()) -> torch.Tensor:
    """Hidden states (tokens, width) of the last layer, with tokens that are read behind the prompt."""
    import torch
    from transformers import DynamicCache

    places = positions_of(loaded, rendered)
    if more:
        after = places.max() + 1 + torch.arange(len(more))
        places = torch.cat([places, after.expand(*places.shape[:-1], -1)], -1)
    cache: Any = DynamicCache() if loaded.plain else DynamicCache(config=loaded.text_config)
    ids = [[*rendered.ids, *more]]
    return hidden_states(loaded, ids, places[..., None, :], cache, None, rendered.tensors)[0]
