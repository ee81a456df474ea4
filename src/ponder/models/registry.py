"""Presets by name: sets of models that work together, ours and plug-ins', through one entry point group."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ponder.errors import BackendFailed, BadArguments, InputInvalid, InputNotFound, MissingDependency
from ponder.protocols import BlobCache, Models

GROUP = "ponder.models"
"""Entry points of this group are functions ``build(*, cache: BlobCache | None = None) -> Models``."""

_FILE = "*.yaml"
"""The entry point that builds what is written in a file, or overridden; it gets the whole name first."""


def names() -> list[str]:
    """Names of the installed presets, sorted.

    Example:
        >>> "lite" in names()
        True
    """
    return sorted(set(_found()) - {_FILE})


def load(name: str, *, cache: BlobCache | None = None) -> Models:
    """Build an installed preset. Cheap: its weights load at first use.

    Args:
        name: One of `names`, or a preset's file, ``MINE.yaml``; ``,PART.FIELD=VALUE`` may follow either, to
            change what a file says (docs/models.md).
        cache: Handed to the preset, for what it computes once from its own data.

    Raises:
        BadArguments: No preset has this name.
        InputNotFound, InputInvalid: `name` is a path, and no model folder is there.
        MissingDependency: The preset is installed but cannot be imported.
        BackendFailed: The preset's function does not return `Models`.
    """
    plain = name.partition(",")[0]
    if plain.endswith((".yaml", ".yml")) or plain != name:
        built = _found()[_FILE].load()(name, cache=cache)
        assert isinstance(built, Models)
        return built
    if "/" in name or "\\" in name or name in (".", ".."):
        raise _not_a_model_folder(Path(name).expanduser())
    found = _found()
    if name not in found:
        raise BadArguments(f"unknown models {name!r}", "--models", f"installed are {', '.join(names())}")
    try:
        build = found[name].load()
    except (ImportError, AttributeError) as error:
        raise MissingDependency(
            f"preset {name} cannot be imported: {error}", found[name].value, "install what it needs"
        ) from error
    models = build(cache=cache)
    if not isinstance(models, Models):
        raise BackendFailed(
            f"preset {name} built {type(models).__name__}, which lacks parts of ponder.protocols.Models",
            found[name].value,
            "report it to the plug-in's author",
        )
    return models


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _not_a_model_folder(path: Path) -> InputInvalid | InputNotFound:
    if not path.is_dir():
        return InputNotFound("no such model folder", str(path), f"installed are {', '.join(names())}")
    return InputInvalid(
        "not a model folder that this version can load", str(path), f"use one of {', '.join(names())}"
    )
