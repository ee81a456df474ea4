"""Reading prompts before anything is written: what they share is computed once, and nothing is padded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Rendered
from ponder.models.local.writing_pen import Pen
from ponder.models.local.writing_state import State, hidden_states, likeliest
from ponder.models.local.writing_tree import Stretch

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

Tensors = Callable[[Sequence["Image"]], dict[str, Any]]
"""From pictures to what the model reads of them."""


@dataclass(slots=True, eq=False)
class Job:
    """A prompt that is being answered.

    Attributes:
        rendered: The prompt.
        chain: Its stretches.
        pen: Writes the answer.
        positions: Of its tokens: (n), or (3, n) for models whose pictures have a plane.
        top: The highest of them.
        state: What the model keeps of it, while it is in no row.
        error: Why there is no answer.
    """

    rendered: Rendered
    chain: list[Stretch]
    pen: Pen
    positions: torch.Tensor
    top: int
    state: State | None = None
    error: str = ""

    @property
    def length(self) -> int:
        """Tokens that its row holds once the last one that was written is read."""
        return len(self.rendered.ids) + len(self.pen.kept)

    @property
    def place(self) -> int:
        """Position of the last token that was written."""
        return self.top + len(self.pen.kept)

    @property
    def unread(self) -> int:
        """Tokens of it that no prompt has had read yet."""
        return 0 if self.state else sum(len(each.tokens) for each in self.chain if each.state is None)

    @property
    def pictured(self) -> bool:
        """Whether there are pictures among its unread tokens."""
        known = max((each.stop for each in self.chain if each.state is not None), default=0)
        return any(start >= known for start in self.rendered.starts)


def positions_of(loaded: Loaded, rendered: Rendered) -> torch.Tensor:
    """Positions (n) of a prompt's tokens, or (3, n) where the model gives pictures a plane of them."""
    import torch

    ids = torch.tensor([rendered.ids])
    if not hasattr(loaded.inner, "get_rope_index"):
        return torch.arange(ids.shape[1])
    if not rendered.pictures:
        return torch.arange(ids.shape[1]).expand(3, -1)
    kinds = torch.tensor([rendered.seen], dtype=torch.int)
    grids = {name: value for name, value in rendered.tensors.items() if name.endswith("grid_thw")}
    found: torch.Tensor = loaded.inner.get_rope_index(ids, mm_token_type_ids=kinds, **grids)[0][:, 0]
    return found


def extended(places: torch.Tensor, length: int) -> torch.Tensor:
    """Positions (n) or (3, n), cut or gone on with from the highest one, so that there are `length`."""
    import torch

    missing = length - places.shape[-1]
    if missing <= 0:
        return places[..., :length]
    more = places.max() + 1 + torch.arange(missing)
    return torch.cat([places, more.expand(*places.shape[:-1], -1)], -1)


def read(loaded: Loaded, jobs: Sequence[Job], tensors: Tensors) -> None:
    """Read prompts in one row of tokens: every token sees its own prompt, nothing else.

    Afterwards each job has its state and one token written. Stretches that other prompts wait for keep
    theirs. (A tree of branches as in SpecInfer, arXiv:2305.09781, with as many levels as there are.)

    Args:
        loaded: A model in which every layer sees all tokens before.
        jobs: Not read yet; one with unread pictures comes alone.
        tensors: For pictures, where some of a prompt's have been read.
    """
    import torch
    from transformers import DynamicCache

    stretches = list(dict.fromkeys(each for job in jobs for each in job.chain))
    owner = {each: job for job in reversed(jobs) for each in job.chain}
    context = [each for each in stretches if each.state is not None]
    new = [each for each in stretches if each.state is None]
    columns: dict[Stretch, torch.Tensor] = {}
    total = 0
    for each in (*context, *new):
        columns[each] = torch.arange(total, total + len(each.tokens))
        total += len(each.tokens)
    before = sum(len(each.tokens) for each in context)
    cache: Any = DynamicCache()
    last = {each: each.state[1] for each in context}
    if context:
        for number, layers in enumerate(zip(*(each.state[0].layers for each in context), strict=True)):
            keys, values = (torch.cat([layer[i] for layer in layers], 1)[None] for i in (0, 1))
            cache.update(keys, values, number)
    if new:
        hidden = hidden_states(
            loaded,
            [[token for each in new for token in owner[each].rendered.ids[each.start : each.stop]]],
            torch.cat([owner[each].positions[..., each.start : each.stop] for each in new], -1)[..., None, :],
            cache,
            _sees(jobs, columns, before, total).to(loaded.device) if len(jobs) > 1 else None,
            _pictures(jobs[0], new[0].start, tensors),
        )[0]
        last |= {each: hidden[columns[each][-1] - before].clone() for each in new}
    whole = State(tuple((layer.keys[0], layer.values[0]) for layer in cache.layers))
    wishes = likeliest(loaded, torch.stack([last[job.chain[-1]] for job in jobs]))

    def pick(stretches: Sequence[Stretch]) -> State:
        return whole.pick(torch.cat([columns[each] for each in stretches]).to(loaded.device))

    states = [pick(job.chain) for job in jobs]
    leaving = Counter(each for job in jobs for each in job.chain)
    kept = {each: (pick([each]), last[each]) for each in new if each.users > leaving[each]}
    # All memory is had: from here on nothing fails, so a second try after a failure finds all as it was.
    for job, state, wish in zip(jobs, states, wishes, strict=True):
        job.state = state
        job.pen.take(wish)
    for each, count in leaving.items():
        each.users -= count
        each.state = (kept.get(each) or each.state) if each.users else None


def read_alone(loaded: Loaded, job: Job) -> None:
    """Read a prompt and write its answer, with the cache that the model itself would make.

    For models with layers that keep a running state, or forget.
    """
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=loaded.model.config.get_text_config())
    hidden = hidden_states(
        loaded, [job.rendered.ids], job.positions[..., None, :], cache, None, job.rendered.tensors
    )
    job.pen.take(likeliest(loaded, hidden[:, -1])[0])
    while not job.pen.done:
        at = torch.full((*job.positions.shape[:-1], 1, 1), job.place)
        hidden = hidden_states(loaded, [job.pen.kept[-1:]], at, cache, None)
        job.pen.take(likeliest(loaded, hidden[:, -1])[0])


def _sees(jobs: Sequence[Job], columns: dict[Stretch, torch.Tensor], before: int, total: int) -> torch.Tensor:
    """Mask (1, 1, new tokens, all tokens): each token sees what comes before it in its prompts."""
    import torch

    sees = torch.zeros((total, total), dtype=torch.bool)
    for job in jobs:
        for number, each in enumerate(job.chain):
            own = columns[each]
            if own[0] < before:
                continue
            for upper in job.chain[:number]:
                sees[own[0] : own[-1] + 1, columns[upper][0] : columns[upper][-1] + 1] = True
            block = slice(int(own[0]), int(own[-1]) + 1)
            sees[block, block] = torch.ones((len(own), len(own)), dtype=torch.bool).tril()
    return sees[before:][None, None]


def _pictures(job: Job, start: int, tensors: Tensors) -> dict[str, Any]:
    """Tensors of the pictures that a job shows from some place on."""
    rendered = job.rendered
    rest = [picture for picture, at in zip(rendered.pictures, rendered.starts, strict=True) if at >= start]
    return rendered.tensors if len(rest) == len(rendered.pictures) else tensors(rest)
