"""A chat model that is trained: loaded with what is frozen and what is not, and written so that it loads."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ponder.errors import BadArguments
from ponder.models.local.engine import LocalEngine
from ponder.models.local.loading import Loaded, reader_of
from ponder.models.local.settings import LocalSettings
from ponder.models.quiet import quiet
from ponder.models.sentence import named
from ponder.train.adapters import is_eye, merge_into, targets

Adapter = Literal["merged", "kept"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What of a model is trained.

    Attributes:
        lora: An adapter on the language model's layers, or else all of the language model's weights. The eye
            is frozen either way.
        rank: Of the adapter.
        alpha: Of the adapter: its products count alpha / rank times.
        seed: Of the adapter's beginning.
        half: bfloat16, where a device has it.
        checkpointing: Compute activations again in the backward pass.
    """

    lora: bool
    rank: int = 16
    alpha: int = 64
    seed: int = 0
    half: bool = False
    checkpointing: bool = False


class Student:
    """A chat model in training; its engine writes and judges with the weights as they are.

    Args:
        settings: The base. An adapter that it names is merged first.
        tuning: What is trained.
    """

    def __init__(self, settings: LocalSettings, tuning: Tuning) -> None:
        # What is trained in full is kept in float32: AdamW's steps are too small for what bfloat16 can hold.
        dtype: Literal["bfloat16", "float32"] = "bfloat16" if tuning.half and tuning.lora else "float32"
        self.base, self.tuning = settings, tuning
        self.engine = LocalEngine(replace(settings, dtype=dtype))

    @cached_property
    def loaded(self) -> Loaded:
        """The model, with gradients where it is trained; loads it."""
        loaded = self.engine.loaded
        model, tuning = loaded.model, self.tuning
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not tuning.lora and not is_eye(name))
        if tuning.lora:
            _put_on(model, tuning)
        if tuning.checkpointing:
            with quiet():
                model.activation_checkpointing_enable()
        return loaded

    @property
    def digest(self) -> str:
        """Of the base: its files, or name and revision, and its adapter's."""
        return digest_of(self.base)

    def save(self, target: Path, adapter: Adapter) -> None:
        """Write the trained model into a folder.

        Args:
            target: The folder, which is there.
            adapter: "merged" writes a whole model, "kept" the adapter alone, which is bound to its base.
        """
        model = self.loaded.model
        with quiet():
            if self.tuning.lora and adapter == "kept":
                model.save_pretrained(str(target))
                bound = {"model": self.base.model, "revision": self.base.revision, "digest": self.digest}
                (target / "base.json").write_text(json.dumps(bound, indent=1) + "\n", encoding="utf-8")
                return
            if self.tuning.lora:
                merge_into(model)
            model.save_pretrained(str(target))
            # Not the loaded ones: those know a mark of ours.
            reader_of(self.base).save_pretrained(str(target))

    def trained_settings(self, adapter: Adapter) -> dict[str, Any]:
        """What a preset beside the folder "model" says of the trained engine."""
        kept = self.tuning.lora and adapter == "kept"
        told: dict[str, Any] = {"kind": "local", "model": _placed(self.base.model) if kept else "./model"}
        if kept:
            told |= {"adapter": "./model", "revision": self.base.revision}
        for name in ("remote_code", "max_pixels", "frames", "context", "row"):
            told[name] = getattr(self.base, name)
        return told


def check_adapter(settings: LocalSettings, adapter: Adapter, *, lora: bool) -> None:
    """See that a kept adapter would have one base.

    Raises:
        BadArguments: The base has an adapter already.
    """
    if lora and adapter == "kept" and settings.adapter:
        raise BadArguments("the base has an adapter already", "--adapter kept", "give --adapter merged")


def digest_of(settings: LocalSettings) -> str:
    """What tells one base from another."""
    own = named(settings.model, settings.revision)
    return f"{own}+{named(settings.adapter, '')}" if settings.adapter else own


def half_here(dtype: str) -> bool:
    """Whether arithmetic is in bfloat16: as told, or for "auto" on a GPU that has it."""
    import torch

    if dtype == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return dtype == "bfloat16"


def _put_on(model: Any, tuning: Tuning) -> None:
    import torch
    from peft import LoraConfig

    config = LoraConfig(
        r=tuning.rank, lora_alpha=tuning.alpha, lora_dropout=0.0, target_modules=targets(model)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(tuning.seed)
        model.add_adapter(config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def _placed(model: str) -> str:
    folder = Path(model).expanduser()
    return str(folder.absolute()) if folder.is_dir() else model
