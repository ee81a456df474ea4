"""Log-probabilities behind many prompts at a time: their beginning is read once, the rest in batches.

No score depends on what it is batched with but for rounding: padding is masked, positions are each
prompt's own. Only the logits that are asked for are computed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.models.engine import Likely
from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Rendered
from ponder.models.local.shared_attention import behind, can_share
from ponder.models.local.writing_reading import Tensors, extended, positions_of
from ponder.models.local.writing_state import hidden_states, out_of_memory
from ponder.models.local.writing_tree import identities
from ponder.records import Usage

if TYPE_CHECKING:
    import torch

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A prompt that fits the context, and what to say about what follows it.

    Attributes:
        rendered: The prompt.
        target: Tokens that follow it; the last one is predicted, never read.
        answers: Instead of a target: tokens of which each might be the next.
    """

    rendered: Rendered
    target: Tokens = ()
    answers: Tokens = ()

    @property
    def ids(self) -> Tokens:
        """What is read."""
        return self.rendered.ids + self.target[:-1]

    @property
    def states(self) -> int:
        """How many of the last states are looked at."""
        return 1 if self.answers else len(self.target)


def shared_length(rendered: Sequence[Rendered], plain: bool = True) -> int:
    """Tokens with which all of these prompts begin: never all of one, and no part of a picture.

    Args:
        rendered: The prompts.
        plain: Whether a model's state after a beginning can be used again; if not, none is shared.
    """
    if not plain or len(rendered) < 2:
        return 0
    known: dict[bytes, int] = {}
    names = [identities(each, known) for each in rendered]
    low, high = min(names), max(names)
    most = min(map(len, names)) - 1
    # A picture's tokens bear its name: prompts part before one that differs, never within it.
    return next((i for i in range(most) if low[i] != high[i]), most)


def score(
    loaded: Loaded, asks: Sequence[Ask], tensors: Tensors, *, share: bool = True, row: int = 0
) -> list[Likely]:
    """Natural log-probabilities for each ask, in its order.

    Args:
        loaded: The model.
        asks: Prompts of one call. What all begin with is counted with the first.
        tensors: What the model reads of pictures; `Renderer.tensors`.
        share: Read the common beginning once; False is for comparison.
        row: Tokens that are computed together, padding included; 0 takes the settings'.
    """
    import torch

    if not asks:
        return []
    found: list[Likely | None] = [None] * len(asks)
    length = shared_length([ask.rendered for ask in asks], share and loaded.plain)
    with torch.inference_mode():
        scorer = _Scorer(loaded, tensors, asks, length)
        waiting = list(_batches(loaded, asks, length, row or loaded.settings.row))
        while waiting:
            batch = waiting.pop(0)
            try:
                values = scorer.run(batch)
            except Exception as error:
                if not out_of_memory(error):
                    raise
                values = None
            if values is None:
                _free(loaded)
                if len(batch) > 1:
                    half = len(batch) // 2
                    waiting[:0] = [batch[:half], batch[half:]]
                else:
                    tokens = len(asks[batch[0]].ids)
                    found[batch[0]] = Likely(error=f"out of memory with {tokens} tokens, alone")
                continue
            for number, each in zip(batch, values, strict=True):
                found[number] = _likely(asks[number], each, 0 if number == 0 else length)
    return [each for each in found if each is not None]


def _likely(ask: Ask, values: Sequence[float], shared: int) -> Likely:
    usage = Usage(read=len(ask.ids) - shared)
    if not all(map(math.isfinite, values)):
        how = "the model's logits are not finite: try dtype float32"
        return Likely(usage=usage, cut=ask.rendered.cut, error=how)
    return Likely(tuple(values), usage, ask.rendered.cut)


def _batches(loaded: Loaded, asks: Sequence[Ask], shared: int, row: int) -> Iterator[list[int]]:
    """Longest first, as many as fit a row; what shows pictures of its own, or keeps a state, alone."""
    order = sorted(range(len(asks)), key=lambda number: (-len(asks[number].ids), number))
    batch: list[int] = []
    for number in order:
        ask = asks[number]
        if not loaded.plain or any(start >= shared for start in ask.rendered.starts):
            yield [number]
            continue
        if batch and (len(batch) + 1) * (len(asks[batch[0]].ids) - shared) > row:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


class _Scorer:
    """Runs batches behind one beginning, which it reads at the first."""

    def __init__(self, loaded: Loaded, tensors: Tensors, asks: Sequence[Ask], length: int) -> None:
        self._loaded, self._tensors, self._asks, self._length = loaded, tensors, asks, length
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []

    def run(self, batch: Sequence[int]) -> list[list[float]]:
        """Values of some asks."""
        import torch
        from transformers import DynamicCache

        loaded, length = self._loaded, self._length
        asks = [self._asks[number] for number in batch]
        cache: Any = DynamicCache() if loaded.plain else DynamicCache(config=loaded.text_config)
        if length and not self._layers:
            self._read(asks[0])
        rows = [ask.ids[length:] for ask in asks]
        widest = max(map(len, rows))
        ids = [[*row, *[row[-1]] * (widest - len(row))] for row in rows]
        places = torch.stack(
            [extended(positions_of(loaded, ask.rendered), length + widest)[..., length:] for ask in asks], -2
        )
        shown = self._pictures(asks[0], length)
        if self._layers and can_share(loaded.text_config):
            with behind(loaded.text_config, self._layers):
                # The mask is not looked at: it only keeps the model from making one.
                hidden = hidden_states(loaded, ids, places, cache, self._mask(1, widest), shown)
        else:
            for number, (keys, values) in enumerate(self._layers):
                shape = (len(asks), *keys.shape[1:])
                cache.update(keys.expand(shape), values.expand(shape), number)
            hidden = hidden_states(loaded, ids, places, cache, self._mask(len(asks), widest), shown)
        ends = zip(hidden, map(len, rows), asks, strict=True)
        states = torch.cat([row[end - ask.states : end] for row, end, ask in ends])
        logits = loaded.logits(states)
        chances = (logits - logits.logsumexp(-1, keepdim=True)).split([ask.states for ask in asks])
        found = []
        for ask, table in zip(asks, chances, strict=True):
            chosen = torch.tensor(ask.answers or ask.target, device=table.device)
            picked = table[0, chosen] if ask.answers else table.gather(1, chosen[:, None])[:, 0]
            found.append([float(value) for value in picked.tolist()])
        return found

    def _read(self, ask: Ask) -> None:
        from transformers import DynamicCache

        cache: Any = DynamicCache()
        shown = [at for at in ask.rendered.starts if at < self._length]
        tensors = self._tensors(ask.rendered.pictures[: len(shown)]) if shown else None
        places = positions_of(self._loaded, ask.rendered)[..., None, : self._length]
        hidden_states(self._loaded, [ask.ids[: self._length]], places, cache, None, tensors)
        self._layers = [(layer.keys, layer.values) for layer in cache.layers]

    def _mask(self, rows: int, widest: int) -> torch.Tensor | None:
        """What each token may see; padding stands behind all that is looked at, so causality hides it."""
        import torch

        if not self._layers:
            return None
        mask = torch.ones((widest, self._length + widest), dtype=torch.bool)
        mask = mask.tril(self._length).to(self._loaded.device)
        return mask[None, None].expand(rows, 1, -1, -1)

    def _pictures(self, ask: Ask, start: int) -> dict[str, Any] | None:
        rendered = ask.rendered
        if not rendered.pictures or all(at < start for at in rendered.starts):
            return None
        if all(at >= start for at in rendered.starts):
            return rendered.tensors
        pairs = zip(rendered.pictures, rendered.starts, strict=True)
        return self._tensors([picture for picture, at in pairs if at >= start])


def _free(loaded: Loaded) -> None:
    if loaded.device.type == "cuda":
        import torch

        torch.cuda.empty_cache()
