"""Multiply-adds: how much arithmetic a network does, counted while it works."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Macs:
    """What was counted so far.

    Attributes:
        total: Multiply-adds.
    """

    total: int = 0


def macs_of(module: Any, output: Any) -> int:
    """Multiply-adds of one call of one layer, from its shape and the positions that it made.

    A linear layer multiplies each of its inputs once for every number that comes out; a convolution does so
    with each input of its window, in its group. Everything else counts 0: biases, norms, activations and
    look-ups are small beside them, and so are attention's two products for texts of up to some hundred
    tokens (with SmolLM2, 576 wide, t positions add ``2 * 30 * 576 * t`` a token: at 256 in view .009e9
    beside .106e9 of its layers).

    Args:
        module: A torch module.
        output: What its call returned.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(8, 3)
        >>> macs_of(layer, layer(torch.zeros(5, 8)))
        120
        >>> layer = torch.nn.Conv2d(4, 6, kernel_size=3, groups=2, padding=1)
        >>> macs_of(layer, layer(torch.zeros(1, 4, 7, 7))) == (6 * 7 * 7) * (4 // 2) * (3 * 3)
        True
    """
    import torch

    if isinstance(module, torch.nn.Linear):
        return int(output.numel()) * module.in_features
    if isinstance(module, torch.nn.Conv1d | torch.nn.Conv2d | torch.nn.Conv3d):
        return int(output.numel()) * (module.in_channels // module.groups) * math.prod(module.kernel_size)
    return 0


@contextmanager
def counted() -> Iterator[Macs]:
    """Count the multiply-adds of every torch module that is called within.

    Models of any preset are counted without knowing them; what runs elsewhere is not (OCR by onnxruntime, a
    remote engine).

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(8, 3)
        >>> with counted() as macs:
        ...     _ = layer(torch.zeros(5, 8))
        >>> macs.total
        120
    """
    from torch.nn.modules.module import register_module_forward_hook

    found = Macs()

    def add(module: Any, _: Any, output: Any) -> None:
        found.total += macs_of(module, output)

    handle = register_module_forward_hook(add)
    try:
        yield found
    finally:
        handle.remove()
