"""Prompts and answers as a chat model is trained on them: padded rows, and losses on the answers alone.

Rows of words stand side by side, padded on their right, where causality hides the padding from what counts.
What shows pictures stands alone: families differ in how pictures of several prompts are laid beside each
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Rendered
from ponder.models.local.writing_reading import extended, positions_of

if TYPE_CHECKING:
    from torch import Tensor

Tokens = tuple[int, ...]

IGNORED = -100
"""Label of a token that no loss is taken of; torch's and transformers' number."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A prompt and what is to follow it.

    Attributes:
        rendered: The prompt.
        answer: Tokens that follow; empty where only the next token's logits are wanted.
    """

    rendered: Rendered
    answer: Tokens = ()

    @property
    def ids(self) -> Tokens:
        """All of it."""
        return self.rendered.ids + self.answer


def groups(lines: Sequence[Line]) -> Iterator[list[int]]:
    """Places of lines that go into one stack: all of words together, each with pictures alone."""
    words = [place for place, line in enumerate(lines) if not line.rendered.pictures]
    if words:
        yield words
    yield from ([place] for place, line in enumerate(lines) if line.rendered.pictures)


def stack(loaded: Loaded, lines: Sequence[Line]) -> dict[str, Tensor]:
    """What a model takes of lines that are read together.

    Args:
        loaded: The model.
        lines: Of words; or, with pictures, lines of one prompt.

    Returns:
        ``input_ids``, ``attention_mask`` and ``labels`` (rows, tokens) int64, ``position_ids``, and what the
        processor made of the pictures. Labels are the answers' tokens where they stand, `IGNORED` elsewhere.
    """
    import torch

    widest = max(len(line.ids) for line in lines)
    shape = (len(lines), widest)
    ids = torch.full(shape, loaded.tokenizer.pad_token_id or 0)
    mask = torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, IGNORED)
    places = []
    for row, line in enumerate(lines):
        length = len(line.ids)
        ids[row, :length] = torch.tensor(line.ids)
        mask[row, :length] = 1
        if line.answer:
            labels[row, length - len(line.answer) : length] = torch.tensor(line.answer)
        places.append(extended(positions_of(loaded, line.rendered), widest))
    shown = [line.rendered.tensors for line in lines if line.rendered.tensors]
    pictures = {name: torch.cat([each[name] for each in shown]) for name in (shown[0] if shown else ())}
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "position_ids": torch.stack(places, -2),
        "labels": labels,
        **pictures,
    }


def negative_log_likelihood(model: Any, stacked: dict[str, Tensor]) -> Tensor:
    """The sum of -log P(token) over all answers of a stack, float32; logits of prompts are not computed."""
    import torch

    labels = stacked["labels"]
    first = int((labels != IGNORED).any(0).nonzero()[0, 0])
    told = {name: value for name, value in stacked.items() if name != "labels"}
    # The state of a token predicts the next one.
    seen = torch.arange(first - 1, labels.shape[1] - 1, device=labels.device)
    logits = model(**told, use_cache=False, logits_to_keep=seen).logits
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels[:, first:].flatten(), ignore_index=IGNORED, reduction="sum"
    )


def next_logits(model: Any, stacked: dict[str, Tensor]) -> Tensor:
    """Logits (rows, vocabulary), float32, of the token behind each row."""
    import torch

    told = {name: value for name, value in stacked.items() if name != "labels"}
    ends = stacked["attention_mask"].sum(1) - 1
    wanted, place = torch.unique(ends, return_inverse=True)
    logits = model(**told, use_cache=False, logits_to_keep=wanted).logits
    rows = torch.arange(len(ends), device=logits.device)
    found: Tensor = logits[rows, place].float()
    return found


def padding(lines: Sequence[Line]) -> int:
    """Tokens that a forward pass over lines reads, padding included.

    Example:
        >>> padding([Line(Rendered((1, 2)), (3,)), Line(Rendered((1,)))])
        6
    """
    return sum(len(some) * max(len(lines[each].ids) for each in some) for some in groups(lines))
