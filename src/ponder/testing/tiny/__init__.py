"""Tiny copies of the real chat models: their architecture, tokenizer and processor, with random weights.

They answer nonsense, but at the real shapes: what a model of 2 billion parameters would trip over, they
trip over too. A folder that is made here loads as a downloaded one does.
"""

from __future__ import annotations

from pathlib import Path

from ponder.errors import BadArguments, not_installed
from ponder.testing.tiny.architectures import MAKERS
from ponder.testing.tiny.processors import processor_for
from ponder.testing.tiny.tokenizers import FAMILIES, WORDS, Family, chat_template, tokenizer_for

__all__ = ["FAMILIES", "WORDS", "Family", "chat_template", "make_tiny", "tokenizer_for"]


def make_tiny(family: Family, folder: Path, *, seed: int = 0, scale: int = 1) -> Path:
    """Write a tiny model of a family into a folder, and give the folder back.

    Args:
        family: One of `FAMILIES`.
        folder: Made if it is not there.
        seed: Of the weights.
        scale: Widens it: 1 is some 0.2 million parameters.

    Raises:
        BadArguments: No such family.
        MissingDependency: transformers cannot make the family's processor here (see docs/models.md).
    """
    import torch

    from ponder.models.quiet import quiet

    if family not in FAMILIES:
        raise BadArguments(f"no tiny model of {family!r}", "family", f"take one of {', '.join(FAMILIES)}")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_for(family)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MAKERS[family](tokenizer, 32 * scale)
    # Real models have an opinion; with the usual 0.02 all logits would be alike to four digits.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5.0)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    with quiet():
        model.save_pretrained(folder)
    if family == "llama":
        tokenizer.save_pretrained(folder)
    else:
        try:
            processor_for(family, tokenizer).save_pretrained(folder)
        except ImportError as error:
            raise not_installed(error, family) from error
    return folder
