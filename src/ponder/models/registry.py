"""Presets by name: sets of models that work together, ours and plug-ins', through one entry point group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

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
        name: One of `names`, or a preset's file, ``MINE.yaml``, or a folder that holds ``preset.yaml``, as
            ``ponder train`` leaves it; ``,PART.FIELD=VALUE`` may follow any of these, to change what a file
            says (docs/models.md). A preset that is a function takes ``,FIELD=VALUE`` for
            its own arguments: ``lite,vision=efficientnet-lite2``.
        cache: Handed to the preset, for what it computes once from its own data.

    Raises:
        BadArguments: No preset has this name.
        InputNotFound, InputInvalid: `name` is a path, and no model folder is there.
        MissingDependency: The preset is installed but cannot be imported.
        BackendFailed: The preset's function does not return `Models`.
    """
    plain, *changes = name.split(",")
    inside = Path(plain).expanduser() / "preset.yaml"
    if plain and plain not in _found() and inside.is_file():
        return load(",".join((str(inside), *changes)), cache=cache)
    arguments = _arguments(plain) if changes else {}
    if plain.endswith((".yaml", ".yml")) or (changes and not arguments):
        built = _found()[_FILE].load()(name, cache=cache)
        assert isinstance(built, Models)
        return built
    if "/" in plain or "\\" in plain or plain in (".", ".."):
        raise _not_a_model_folder(Path(plain).expanduser())
    found = _found()
    if plain not in found:
        raise BadArguments(f"unknown models {name!r}", "--models", f"installed are {', '.join(names())}")
    try:
        build = found[plain].load()
    except (ImportError, AttributeError) as error:
        raise MissingDependency(
            f"preset {plain} cannot be imported: {error}", found[plain].value, "install what it needs"
        ) from error
    models = build(cache=cache, **_values(changes, arguments))
    if not isinstance(models, Models):
        raise BackendFailed(
            f"preset {name} built {type(models).__name__}, which lacks parts of ponder.protocols.Models",
            found[plain].value,
            "report it to the plug-in's author",
        )
    return models


def nameable(out: Path) -> Path:
    """The path, if `load` can be told of models in it.

    Raises:
        BadArguments: It cannot.
    """
    if "," in str(out.absolute()):
        raise BadArguments("a comma in its path", f"--out {out}", "name another: --models A,B is A with B")
    return out


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _arguments(plain: str) -> Mapping[str, Parameter]:
    """What else than a cache a preset's function takes; nothing where it cannot be imported."""
    point = _found().get(plain)
    try:
        taken = {} if point is None else dict(signature(point.load()).parameters)
    except (ImportError, AttributeError):
        return {}
    return {name: each for name, each in taken.items() if name != "cache" and each.kind is each.KEYWORD_ONLY}


def _values(changes: Sequence[str], arguments: Mapping[str, Parameter]) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = {}
    for change in changes:
        field, equals, value = change.partition("=")
        if not equals or field not in arguments:
            raise BadArguments(
                f"cannot read {change!r}", "--models", f"write FIELD=VALUE with one of {', '.join(arguments)}"
            )
        if "int" not in str(arguments[field].annotation):
            # A path may have in it what YAML reads otherwise.
            found[field] = value
            continue
        found[field] = yaml.safe_load(value)
        if not isinstance(found[field], int) or isinstance(found[field], bool):
            raise BadArguments(f"not for {field}: {value!r}", "--models", "give a whole number")
    return found


def _not_a_model_folder(path: Path) -> InputInvalid | InputNotFound:
    if not path.is_dir():
        return InputNotFound("no such model folder", str(path), f"installed are {', '.join(names())}")
    return InputInvalid(
        "not a model folder that this version can load", str(path), f"use one of {', '.join(names())}"
    )
