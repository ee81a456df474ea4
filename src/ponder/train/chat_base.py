"""Which chat model is trained: one that was named, or an engine of a set of models."""

from __future__ import annotations

from pathlib import Path

from ponder.errors import BadArguments
from ponder.models.local.settings import LocalSettings
from ponder.presets.chat import ChatModels
from ponder.presets.spec import LocalSpec, ReasonerSpec
from ponder.protocols import Models
from ponder.train.base import resolved


def settings_of(models: Models, engine: str | None, name: str | None, what: str) -> LocalSettings:
    """The base's settings.

    Args:
        models: Their engine is taken where no other model is named; of it also pixels, frames and context.
        engine: Its name in their preset; None where they have none for this.
        name: Another model, as for `ponder.train.base.resolved`.
        what: What is wanted, for the message: "reasons".

    Raises:
        BadArguments: The models have no such engine here, and no model was named.
    """
    spec = models.preset.engines.get(engine) if engine and isinstance(models, ChatModels) else None
    local = spec if isinstance(spec, LocalSpec) else None
    if name is None:
        if local is None:
            raise BadArguments(
                f"no chat model that runs here {what} in {models.name}",
                "--models",
                "name a model with --base, as in --base Qwen/Qwen3-VL-2B-Instruct",
            )
        return LocalSettings(**local.model_dump(exclude={"kind", "device", "dtype"}))
    kept = local.model_dump(include={"max_pixels", "frames", "row"}) if local else {}
    model, revision = resolved(name)
    if (Path(model) / "adapter_config.json").is_file():
        how = "give --models with a preset that has it"
        raise BadArguments("an adapter alone", f"--base {name}", how)
    return LocalSettings(model, revision, **kept)


def reasoner_spec(models: Models) -> ReasonerSpec | None:
    """How a set's reasoner is told to write; None where it is no chat model of a preset's file."""
    return models.preset.reasoner if isinstance(models, ChatModels) else None
