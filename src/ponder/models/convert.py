"""GGUF to safetensors, once: de-quantising at every start would cost seconds and a slow path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, MissingDependency
from ponder.models.quiet import quiet


def gguf_to_safetensors(folder: Path) -> None:
    """Replace the one GGUF file in `folder` by a transformers folder: float32 weights, config, tokenizer.

    De-quantised weights are exact in float32: nothing is lost beside what the quantisation lost.

    Args:
        folder: Holds exactly one ``*.gguf``; it is removed at the end.

    Raises:
        InputInvalid: There is not exactly one GGUF file, or it cannot be read.
        MissingDependency: ``gguf`` or ``accelerate`` is not installed.
    """
    found = sorted(folder.glob("*.gguf"))
    if len(found) != 1:
        raise InputInvalid(f"{len(found)} GGUF files instead of one", str(folder), "mend the pin")
    try:
        import accelerate  # noqa: F401 - transformers' GGUF loader needs both, and says so late
        import gguf  # noqa: F401
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingDependency(
            f"cannot read GGUF: {error}", folder.name, "pip install gguf accelerate"
        ) from error

    name = found[0].name
    with quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
            read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
        except (OSError, ValueError, KeyError) as error:
            raise InputInvalid(
                f"not a GGUF model that transformers reads: {error}", name, "mend the pin"
            ) from error
        # A model that came from GGUF refuses to be saved, even de-quantised; its twin does not.
        config = read.config.__class__.from_dict(
            {key: value for key, value in read.config.to_dict().items() if key != "quantization_config"}
        )
        auto: Any = AutoModelForCausalLM
        plain = auto.from_config(config, dtype=torch.float32)
        plain.load_state_dict(read.state_dict())
        plain.generation_config = read.generation_config
        plain.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    # safetensors writes for the owner alone; weights may lie in a folder that several people share.
    (folder / "model.safetensors").chmod(0o644)
    found[0].unlink()
