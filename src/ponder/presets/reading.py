"""Reads a preset's file: what it builds on, what is said otherwise, what is wrong in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.presets.spec import BackboneSpec, EngineJudgeSpec, LocalSpec, Preset

_PATHS = ("model", "adapter", "weights", "calibration", "parts_of")

FILES = Path(__file__).parent / "files"


def packaged() -> list[str]:
    """Names of the presets that come with ponder as files, sorted.

    Example:
        >>> "qwen3-vl-2b" in packaged()
        True
    """
    return sorted(path.stem for path in FILES.glob("*.yaml"))


def read(name: str, *, where: Path | None = None) -> Preset:
    """Read a preset: a packaged one's name, or the path of a file; overrides may follow.

    Args:
        name: ``NAME`` or ``FILE.yaml``, then any number of ``,PART.FIELD=VALUE`` (values as in YAML). A file
            may say ``base: NAME`` and then only what differs. Paths in it that begin with a dot
            start from its folder.
        where: Folder that a relative path starts from.

    Raises:
        InputNotFound: No such preset or file.
        InputInvalid: The file says something that a preset has not; names the field.
        BadArguments: An override that cannot be read.

    Example:
        >>> read("qwen3-vl-2b,reason_tokens=64").reason_tokens
        64
    """
    plain, *overrides = _parts(name)
    table = _table(plain, where)
    for override in overrides:
        place, equals, value = override.partition("=")
        if not equals or not place:
            raise BadArguments(f"cannot read {override!r}", "--models", "write PART.FIELD=VALUE")
        try:
            said = yaml.safe_load(value)
        except yaml.YAMLError as error:
            how = "values are as in YAML: quote what has marks in it"
            raise BadArguments(f"cannot read {override!r}", "--models", how) from error
        _put(table, place.strip().split("."), said, override)
    # A shelf remembers the name, and is searched from other folders too.
    file = _file(plain, where)
    table = _placed(table, Path.cwd())
    if file is not None and not table.get("calibration") and (beside := calibration_beside(file)).is_file():
        table["calibration"] = str(beside)
    table["name"] = name if file is None else ",".join((str(file), *overrides))
    try:
        preset = Preset.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputInvalid(f"{place}: {first['msg']}", plain, "see docs/models.md") from error
    _check(preset, plain)
    return preset


def calibration_beside(file: Path) -> Path:
    """Where ``ponder calibrate`` writes what it finds about a preset's file.

    Example:
        >>> calibration_beside(Path("models/mine.yaml")).as_posix()
        'models/mine.calibration.json'
    """
    return file.with_name(f"{file.stem}.calibration.json")


def _parts(name: str) -> list[str]:
    """What stands between commas, but for those in brackets and quotes.

    Example:
        >>> _parts('mine,a=[x, "],"],b=1')
        ['mine', 'a=[x, "],"]', 'b=1']
    """
    found, quote, depth = [""], "", 0
    for mark in name:
        if quote:
            quote = "" if mark == quote else quote
        # A quote within a word is an apostrophe.
        elif mark in "\"'" and found[-1][-1:] in ("", "=", "[", "{", ",", " ", ":"):
            quote = mark
        else:
            depth += (mark in "[{") - (mark in "]}" and depth > 0)
        if mark == "," and not quote and not depth:
            found.append("")
        else:
            found[-1] += mark
    return found


def _table(name: str, where: Path | None) -> dict[str, Any]:
    path = _file(name, where) or FILES / f"{name}.yaml"
    if not path.is_file():
        raise InputNotFound("no such preset", name, f"there are {', '.join(packaged())}, and files.yaml")
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputInvalid(f"no YAML: {str(error).splitlines()[0]}", str(path), "mend the file") from error
    if not isinstance(table, dict):
        raise InputInvalid("not a preset", str(path), "see docs/models.md")
    table = _placed(table, path.parent)
    base = table.pop("base", None)
    return table if base is None else _merged(_table(str(base), path.parent), table)


def _file(name: str, where: Path | None) -> Path | None:
    """The file that a name is the path of; None for the name of a packaged preset."""
    if not name.endswith((".yaml", ".yml")):
        return None
    return Path(where or ".", Path(name).expanduser()).absolute()


def _placed(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The table with the paths in it, those that begin with a dot, as seen from a folder."""
    found = dict(table)
    for key, value in table.items():
        if isinstance(value, dict):
            found[key] = _placed(value, folder)
        elif key in _PATHS and isinstance(value, str) and value.startswith(("./", "../")):
            found[key] = os.path.normpath(folder / value)
    return found


def _merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        # Another kind has other fields: nothing of the base's is left then.
        same = both and value.get("kind", found[key].get("kind")) == found[key].get("kind")
        found[key] = _merged(found[key], value) if same else value
    return found


def _put(table: dict[str, Any], place: list[str], value: Any, told: str) -> None:
    for part in place[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise BadArguments(f"{part!r} in {told!r} has no fields", "--models", "see docs/models.md")
    table[place[-1]] = value


def _check(preset: Preset, where: str) -> None:
    """Every engine that a part names is there."""
    if preset.reasoner is None and not preset.parts_of:
        raise InputInvalid("no reasoner", where, "give reasoner, or parts_of with another set's name")
    if preset.embedder is None and not preset.parts_of:
        raise InputInvalid("no embedder", where, "give embedder, or parts_of with another set's name")
    named = {} if preset.reasoner is None else {"reasoner": preset.reasoner.engine}
    if isinstance(preset.embedder, BackboneSpec):
        named["embedder"] = preset.embedder.engine
    for name, judge in preset.judges.items():
        if isinstance(judge, EngineJudgeSpec):
            named[f"judges.{name}"] = judge.engine
            if judge.musing:
                named[f"judges.{name}.musing"] = judge.musing.engine
    for place, engine in named.items():
        if engine not in preset.engines:
            there = ", ".join(preset.engines) or "none"
            raise InputInvalid(f"{place}.engine: no engine {engine!r}", where, f"there are {there}")
    if isinstance(preset.embedder, BackboneSpec) and not isinstance(
        preset.engines[preset.embedder.engine], LocalSpec
    ):
        raise InputInvalid("embedder.engine: a backbone runs here", where, "name an engine of kind local")
