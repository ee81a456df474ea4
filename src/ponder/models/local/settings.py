"""What there is to say about a local model before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DType = Literal["auto", "float32", "bfloat16", "float16"]

TRUST = "I trust the code in this model's repository"
"""What `LocalSettings.remote_code` must say before code that comes with a model is run."""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """A model and how it is run.

    Attributes:
        model: A folder, or a name on the model hub.
        revision: Commit, branch or tag on the hub; give a commit to get the same weights for ever.
        dtype: Of weights and arithmetic. "auto" is bfloat16 on a GPU and float32 on a CPU, where bfloat16
            moves scores by a tenth of their spread.
        device: "auto" takes a GPU if there is one; else as torch writes it: "cpu", "cuda:1".
        adapter: Folder or name of a LoRA adapter of this model.
        remote_code: "" refuses models that bring code of their own; `TRUST`, word for word, runs it.
        max_pixels: Of a picture; a larger one is shrunk. 1280 patches of 28 x 28, as in MMEB-V2.
        frames: Of a clip, spread over it.
        context: Tokens of prompt and answer; 0 takes the model's own.
        row: Tokens that are computed together; more is faster on a GPU and takes more memory.
    """

    model: str
    revision: str = ""
    dtype: DType = "auto"
    device: str = "auto"
    adapter: str = ""
    remote_code: str = ""
    max_pixels: int = 1280 * 28 * 28
    frames: int = 8
    context: int = 0
    row: int = 1024
