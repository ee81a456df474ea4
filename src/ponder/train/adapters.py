"""LoRA on an embedding model: put on, merged, kept beside a base that it is then bound to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ponder.errors import BadArguments, MissingDependency, ModelInvalid

_EYES = ("visual", "vision", "image", "audio")
"""Parts of an MLLM that stay as they are: what is seen does not change, what is made of it does."""


def need_training(report_to: Sequence[str] = (), more: Sequence[str] = ()) -> None:
    """See that the extra is installed, and what is reported to.

    Args:
        report_to: As in `Job.report_to`.
        more: Packages that this training needs besides.

    Raises:
        MissingDependency: It is not; says how to install it.
        BadArguments: The trainer knows nothing of that name.
    """
    import importlib.util

    from transformers import integrations

    for name in ("accelerate", "datasets", "peft", "tensorboardX", *more):
        if importlib.util.find_spec(name) is None:
            raise MissingDependency(f"{name} is not installed", "ponder train", "pip install 'ponder[train]'")
    known: Any = integrations.integration_utils.INTEGRATION_TO_CALLBACK
    for name in report_to:
        if name not in known:
            raise BadArguments(f"nothing reports to {name!r}", "--report-to", f"known: {', '.join(known)}")
        if name == "wandb" and importlib.util.find_spec(name) is None:
            raise MissingDependency(f"{name} is not installed", "--report-to", f"pip install {name}")


def targets(inner: Any) -> list[str]:
    """Names of the linear layers that LoRA goes on: all of the language model's blocks.

    Args:
        inner: A model of transformers, without a language head.

    Raises:
        ModelInvalid: There are none.
    """
    import torch

    found = [
        name
        for name, module in inner.named_modules()
        if isinstance(module, torch.nn.Linear)
        and not is_eye(name)
        and not name.endswith(("lm_head", "pooler.dense"))
    ]
    if not found:
        raise ModelInvalid("no linear layer to adapt", type(inner).__name__, "give --tuning full")
    return found


def is_eye(name: str) -> bool:
    """Whether a module or parameter of this name belongs to what sees.

    Example:
        >>> is_eye("model.visual.blocks.0.attn.qkv.weight"), is_eye("model.language_model.norm.weight")
        (True, False)
    """
    return any(eye in part for part in name.split(".") for eye in _EYES)


def put_on(model: Any, *, rank: int, alpha: int, seed: int) -> None:
    """Put a LoRA on a `SentenceTransformer`; nothing else of it is trained from here on.

    Args:
        model: The model; changed.
        rank: Of the low-rank products.
        alpha: They count alpha / rank times.
        seed: Of their first factors. The second begin at zero, so that the model does as before.

    Raises:
        BadArguments: It is no model of transformers.
        ModelInvalid: It has no layer to adapt.
    """
    import torch
    from peft import LoraConfig

    if not model.has_peft_compatible_model():
        raise BadArguments("LoRA fits models of transformers only", "--tuning", "give --tuning full")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    inner = model.transformers_model
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=targets(inner))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.add_adapter(config)


def merge(model: Any) -> None:
    """Add a LoRA's products to the weights that it stands on, and take it off; the model is plain again."""
    merge_into(model.transformers_model)


def merge_into(inner: Any) -> None:
    """The same for a model of transformers."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(inner.named_modules()):
        if isinstance(module, BaseTunerLayer):
            module.merge()
            place, _, last = name.rpartition(".")
            setattr(inner.get_submodule(place), last, module.get_base_layer())
    del inner.peft_config
    inner._hf_peft_config_loaded = False
