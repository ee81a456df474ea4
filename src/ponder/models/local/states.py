"""Hidden states of a prompt: what heads make vectors of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Rendered
from ponder.models.local.writing_reading import extended, positions_of
from ponder.models.local.writing_state import hidden_states

if TYPE_CHECKING:
    import torch


def states(loaded: Loaded, rendered: Rendered, more: tuple[int, ...] = ()) -> torch.Tensor:
    """Hidden states (tokens, width) of the last layer, with tokens that are read behind the prompt."""
    from transformers import DynamicCache

    places = extended(positions_of(loaded, rendered), len(rendered.ids) + len(more))
    cache: Any = DynamicCache() if loaded.plain else DynamicCache(config=loaded.text_config)
    ids = [[*rendered.ids, *more]]
    return hidden_states(loaded, ids, places[..., None, :], cache, None, rendered.tensors)[0]
