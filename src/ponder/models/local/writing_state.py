"""What a model keeps of the tokens it has read, and the table it decodes from, one row an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.models.local.loading import Loaded

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Keys and values of tokens.

    Attributes:
        layers: For each layer, both of shape (heads, tokens, width).
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @property
    def token_bytes(self) -> float:
        """Bytes that one token takes."""
        size = sum(tensor.numel() * tensor.element_size() for layer in self.layers for tensor in layer)
        return size / max(1, self.layers[0][0].shape[1])

    def pick(self, places: torch.Tensor) -> State:
        """A copy of some of the tokens."""
        return State(tuple((keys[:, places], values[:, places]) for keys, values in self.layers))


class Slots:
    """A cache for transformers' models with a row for each answer that is being written.

    Every row is filled from its left, and the next token goes behind its own last one: rows of different
    length stand side by side, one can be given to another prompt at any time, and nothing ever has to be
    moved to make room. (Transformers' `DynamicCache` copies everything at every token.)

    Args:
        rows: How many there are.
        width: Tokens that fit into one.
        like: Any state of the model: which layers there are, and of which shape.
        device: Where to keep it.
    """

    is_compileable = False

    def __init__(self, rows: int, width: int, like: State, device: Any) -> None:
        self.rows, self.width = rows, width

        def empty(tensor: torch.Tensor) -> torch.Tensor:
            heads, _, size = tensor.shape
            # Zeros: what a mask hides is multiplied by 0, and garbage may be NaN.
            return tensor.new_zeros((rows, heads, width, size), device=device)

        self._layers = [(empty(keys), empty(values)) for keys, values in like.layers]
        self._at: Any = None
        self._used = (0, 0)

    def put(self, row: int, state: State) -> None:
        """Fill a row from its left."""
        length = state.layers[0][0].shape[1]
        for layer, (keys, values) in zip(self._layers, state.layers, strict=True):
            layer[0][row, :, :length] = keys
            layer[1][row, :, :length] = values

    def lift(self, row: int, length: int) -> State:
        """A copy of a row's first tokens in main memory, where it is in nobody's way."""
        return State(
            tuple(
                (k[row, :, :length].clone().cpu(), v[row, :, :length].clone().cpu()) for k, v in self._layers
            )
        )

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row's first tokens over those of another."""
        for keys, values in self._layers:
            keys[target, :, :length] = keys[source, :, :length]
            values[target, :, :length] = values[source, :, :length]

    def aim(self, places: Sequence[int]) -> torch.Tensor:
        """Say where the next token of each of the first rows goes.

        Returns:
            What each may see: a mask of shape (rows, 1, 1, tokens), True for tokens of its own.
        """
        import torch

        device = self._layers[0][0].device
        at = torch.tensor(places, device=device)
        self._at = (torch.arange(len(places), device=device), at)
        self._used = (len(places), max(places) + 1)
        return (torch.arange(self._used[1], device=device) <= at[:, None])[:, None, None]

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What a model's attention calls: takes in one token a row, gives all that the rows hold."""
        rows, at = self._at
        held_keys, held_values = self._layers[layer]
        held_keys[rows, :, at] = keys[:, :, 0]
        held_values[rows, :, at] = values[:, :, 0]
        count, length = self._used
        return held_keys[:count, :, :length], held_values[:count, :, :length]

    def get_seq_length(self, layer: int = 0) -> int:
        """Tokens before the ones that are being read; models ask only to guess what they are told."""
        return self._used[1] - 1


def hidden_states(
    loaded: Loaded,
    ids: Sequence[Sequence[int]],
    positions: torch.Tensor,
    cache: Any,
    sees: torch.Tensor | None,
    tensors: dict[str, Any] | None = None,
) -> torch.Tensor:
    """Run the model below its head.

    Args:
        loaded: The model.
        ids: Tokens, of shape (rows, tokens).
        positions: Of shape (rows, tokens), or (3, rows, tokens) for models whose pictures have a plane.
        cache: What it read before.
        sees: Mask of shape (rows, 1, tokens, tokens before and new), True for what is seen; None for all
            before each token.
        tensors: Of the pictures among the tokens.

    Returns:
        Hidden states of shape (rows, tokens, width).
    """
    import torch

    if sees is not None and loaded.model.config.get_text_config()._attn_implementation == "eager":
        lowest = torch.finfo(loaded.model.dtype).min
        sees = torch.zeros(sees.shape, dtype=loaded.model.dtype, device=sees.device).masked_fill(
            ~sees, lowest
        )
    out = loaded.inner(
        input_ids=torch.tensor(ids, device=loaded.device),
        attention_mask=sees,
        position_ids=positions.to(loaded.device),
        past_key_values=cache,
        use_cache=True,
        **{name: value.to(loaded.device) for name, value in (tensors or {}).items()},
    )
    return out.last_hidden_state


def likeliest(loaded: Loaded, hidden: torch.Tensor) -> list[int]:
    """The likeliest next token behind each hidden state (rows, width)."""
    return list(loaded.logits(hidden).argmax(-1).tolist())


def out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch might help."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError)
        and ("can't allocate memory" in str(error) or "out of memory" in str(error))
    )
