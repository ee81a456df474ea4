"""Which files of a repository are a configuration's split.

That is what its README says (https://huggingface.co/docs/hub/datasets-manual-configuration), or else what the
hub takes by default (https://huggingface.co/docs/hub/datasets-file-names-and-splits).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, MissingDependency

SUFFIXES = (".parquet", ".jsonl", ".json", ".csv")
"""Of files that rows are read from, by preference where no README says which."""

_ANEW = "fetch the repository anew: `ponder mmeb verify` says how"

_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\..*)")
"""How the hub calls the parts of a table that is too long for one file."""

_WORDS = {
    "train": ("train", "training"),
    "val": ("validation", "valid", "dev", "val"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}


def split_files(folder: Path, config: str, split: str) -> list[Path]:
    """The files of a configuration's split, in the order that they are read in.

    Args:
        folder: Of the repository.
        config: Its name; "" for the only one, or the one called default.
        split: Such as "test".

    Raises:
        MissingDependency: There are none here, or one of several that belong together is missing.
        InputInvalid: The README's heading is no YAML.
    """
    told = _told(folder, config, split)
    found = _matching(folder, told) if told is not None else _by_default(folder, config, split)
    if not found:
        where = f"{folder}: {' or '.join(told)}" if told else str(folder)
        what = f"no data of split {split!r}" + (f" of {config!r}" if config else "")
        raise MissingDependency(what, where, _ANEW)
    absent = _absent(found)
    if absent:
        raise MissingDependency("a part of the data is not here", absent, _ANEW)
    return found


def _told(folder: Path, config: str, split: str) -> list[str] | None:
    """The patterns of the README; None where it names no configurations, or none by default.

    Where it names others only there are no patterns: the hub refuses such a name, and files that are named
    alike are another's.
    """
    configs = _configs(folder / "README.md")
    named = [each for each in configs if each.get("config_name", "default") == (config or "default")]
    if not named and not config:
        named = [each for each in configs if each.get("default")] or (configs if len(configs) == 1 else [])
    if not named:
        return [] if config and configs else None
    base = str(named[0].get("data_dir") or "").strip("/")
    patterns = _patterns(named[0].get("data_files"), split)
    return None if patterns is None else [f"{base}/{each}" if base else each for each in patterns]


def _matching(folder: Path, patterns: list[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for pattern in patterns:
        if pattern.startswith("/") or ".." in Path(pattern).parts:
            where = str(folder / "README.md")
            raise InputInvalid(f"a data file outside of the folder: {pattern!r}", where, "fetch it anew")
        found |= dict.fromkeys(sorted(p for p in folder.glob(pattern) if p.is_file()))
    return list(found)


def _by_default(folder: Path, config: str, split: str) -> list[Path]:
    """Where the hub would look: files, or folders, with the split's name, in the configuration's folder.

    Files that name no split at all are all of "train" on the hub, and here of the one that is asked for.
    """
    everything = [p for p in sorted(folder.rglob("*")) if p.suffix in SUFFIXES and p.is_file()]
    # Each file by the parts of its path, in small letters; what begins with a dot is some tool's own.
    parts = {p: [part.lower() for part in p.relative_to(folder).parts] for p in everything}
    parts = {p: names for p, names in parts.items() if not any(name[0] == "." for name in names)}
    if config:
        asked = config.lower()
        inside = {p: names[1:] for p, names in parts.items() if names[0] == asked}
        parts = inside or {p: names for p, names in parts.items() if any(_is_of(asked, n) for n in names)}
    ours = _WORDS.get(split, (split,))
    others = [word for words in _WORDS.values() for word in words if word not in ours]
    for suffix in SUFFIXES:
        alike = {p: names for p, names in parts.items() if p.suffix == suffix}
        found = [p for p, names in alike.items() if _names(names, ours)]
        found = found or [p for p, names in alike.items() if not _names(names, others)]
        if found:
            return found
    return []


def _absent(found: Sequence[Path]) -> str:
    """The first of the parts that the names of the others promise; "" where all are here."""
    here = set(found)
    for file in found:
        part = _PART.fullmatch(file.name)
        for number in range(int(part[3]) if part else 0):
            other = file.with_name(f"{part[1]}-{number:05}-of-{part[3]}{part[4]}") if part else file
            if other not in here:
                return str(other)
    return ""


def _names(parts: Sequence[str], words: Sequence[str]) -> bool:
    """Whether one of the words stands alone in one of the parts: in "msrvtt_test_1k", not in "latest"."""
    said = re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, words))})(?![a-z])")
    return any(said.search(part) for part in parts)


def _is_of(config: str, part: str) -> bool:
    """Whether a part of a path is named after a configuration, alone or with a split and a number behind.

    "refcoco_test-0001.parquet" is refcoco's; "refcoco-matching" is another's.
    """
    words = "|".join(re.escape(word) for known in _WORDS.values() for word in known)
    ended = rf"(?<![a-z]){re.escape(config)}(?:[-_.](?:{words}|\d+|of))*(?:\.\w+)?$"
    return bool(re.search(ended, part))


def _configs(readme: Path) -> list[dict[str, Any]]:
    import yaml

    try:
        text = readme.read_text("utf-8")
    except OSError:
        return []
    except UnicodeDecodeError:
        raise InputInvalid("not UTF-8", str(readme), "fetch it anew") from None
    heading = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    try:
        told = yaml.safe_load(heading[1]) if heading else None
    except yaml.YAMLError as error:
        reason = str(error).partition("\n")[0]
        raise InputInvalid(f"its heading is no YAML: {reason}", str(readme), "fetch it anew") from None
    configs = told.get("configs") if isinstance(told, dict) else None
    return [each for each in configs or [] if isinstance(each, dict)]


def _patterns(told: Any, split: str) -> list[str] | None:
    """What ``data_files`` says of a split: a pattern, some, some by split, or nothing at all."""
    if isinstance(told, str):
        return [told]
    if isinstance(told, dict):
        told = [{"split": name, "path": path} for name, path in told.items()]
    if not isinstance(told, list):
        return None
    if all(isinstance(each, str) for each in told):
        return [str(each) for each in told]
    found: list[str] = []
    for each in told:
        if isinstance(each, dict) and fnmatch(split, str(each.get("split"))):
            path = each.get("path")
            found += [path] if isinstance(path, str) else [str(one) for one in path or ()]
    return found
