"""LoRA adapters: merged into the model they were trained on, refused by any other."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from ponder.errors import MissingDependency, ModelInvalid, first_line
from ponder.models.local.settings import LocalSettings
from ponder.models.quiet import quiet
from ponder.models.sentence import named


def adapted(model: Any, settings: LocalSettings) -> Any:
    """The model with its adapter's weights merged in, so that it runs as fast as without.

    Raises:
        MissingDependency: peft is not installed.
        ModelInvalid: The adapter is not there, or was trained on another base.
    """
    if not settings.adapter:
        return model
    check_base(settings)
    try:
        from peft import PeftConfig, PeftModel, load_peft_weights
    except ImportError as error:
        raise MissingDependency("peft is not installed", "adapter", "pip install ponder[adapters]") from error
    try:
        about = PeftConfig.from_pretrained(settings.adapter)
        with quiet(), warnings.catch_warnings():
            # peft asks transformers by names that it gives up.
            warnings.simplefilter("ignore", FutureWarning)
            # What is missing is an error here, below.
            warnings.filterwarnings("ignore", "Found missing adapter keys")
            tuned = PeftModel.from_pretrained(model, settings.adapter, config=about)
            _every_layer(tuned, load_peft_weights(settings.adapter, device="cpu"))
            return tuned.merge_and_unload()
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelInvalid(
            f"the adapter does not fit {settings.model}: {first_line(error)}",
            settings.adapter,
            "take one that was trained on this model",
        ) from error


def check_base(settings: LocalSettings) -> None:
    """See that an adapter of ``ponder train`` gets the base it was trained on; ``base.json`` says which.

    Shapes alone do not tell: a fine-tuned model has those of what it was made of.

    Raises:
        ModelInvalid: It is another.
    """
    file = Path(settings.adapter).expanduser() / "base.json"
    if not file.is_file():
        return
    wanted = json.loads(file.read_text("utf-8"))["digest"]
    there = named(settings.model, settings.revision)
    if wanted != there:
        how = "put the base back that it was trained on, or train anew"
        raise ModelInvalid(f"the adapter fits {wanted}, the base is {there}", settings.adapter, how)


def _every_layer(tuned: Any, weights: dict[str, Any]) -> None:
    """See that the adapter has weights for the layers that are there and for no others: peft is silent."""
    from peft import get_peft_model_state_dict

    here, there = (
        {key for key in keys if "lora_" in key} for keys in (get_peft_model_state_dict(tuned), weights)
    )
    if here != there:
        lone = min(here ^ there)
        raise ValueError(f"{lone} is only in {'the model' if lone in here else 'the adapter'}")
