"""Data sets of a hub on this machine: where a repository lies, of which revision, and which of its files to
read.

A repository is looked for in the data directory (``hf/OWNER/NAME``, ``OWNER/NAME``, ``NAME``, or a hub's
cache of ``datasets--OWNER--NAME/snapshots/REVISION``), and last in the user's own hub cache. Which files are
a configuration's split is what its README says
(https://huggingface.co/docs/hub/datasets-manual-configuration), or else what the hub takes by default
(https://huggingface.co/docs/hub/datasets-file-names-and-splits).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, MissingDependency

SUFFIXES = (".parquet", ".jsonl", ".json", ".csv")
"""Of files that rows are read from, by preference where no README says which."""

_WORDS = {
    "train": ("train", "training"),
    "val": ("validation", "valid", "dev", "val"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository on this machine.

    Attributes:
        name: ``owner/name``.
        folder: Where its files are.
        revision: The commit that they are of; "" where nothing tells.
        stale: The commit that the cache's ``refs/main`` names, where that is another and not here; else "".
    """

    name: str
    folder: Path
    revision: str = ""
    stale: str = ""

    def files(self, config: str, split: str) -> list[Path]:
        """The files of a configuration's split, in the order that they are read in.

        Args:
            config: Its name; "" for the only one, or the one called default.
            split: Such as "test".

        Raises:
            MissingDependency: There are none here.
            InputInvalid: The README's heading is no YAML.
        """
        told = self._told(config, split)
        found = self._matching(told) if told is not None else self._by_default(config, split)
        if not found:
            where = f"{self.folder}: {' or '.join(told)}" if told else str(self.folder)
            what = f"no data of split {split!r}" + (f" of {config!r}" if config else "")
            raise MissingDependency(what, where, "fetch the repository anew: `ponder mmeb verify` says how")
        return found

    def _told(self, config: str, split: str) -> list[str] | None:
        """The patterns of the README; None where it says nothing of this configuration."""
        configs = _configs(self.folder / "README.md")
        named = [each for each in configs if each.get("config_name", "default") == (config or "default")]
        if not named and not config:
            named = [each for each in configs if each.get("default")] or (
                configs if len(configs) == 1 else []
            )
        if not named:
            return None
        base = str(named[0].get("data_dir") or "").strip("/")
        patterns = _patterns(named[0].get("data_files"), split)
        return None if patterns is None else [f"{base}/{each}" if base else each for each in patterns]

    def _matching(self, patterns: list[str]) -> list[Path]:
        found: dict[Path, None] = {}
        for pattern in patterns:
            if pattern.startswith("/") or ".." in Path(pattern).parts:
                where = str(self.folder / "README.md")
                raise InputInvalid(f"a data file outside of the folder: {pattern!r}", where, "fetch it anew")
            found |= dict.fromkeys(sorted(p for p in self.folder.glob(pattern) if p.is_file()))
        return list(found)

    def _by_default(self, config: str, split: str) -> list[Path]:
        """Where the hub would look: files, or folders, with the split's name, in the configuration's folder.

        Files that name no split at all are all of "train" on the hub, and here of the one that is asked for.
        """
        everything = [p for p in sorted(self.folder.rglob("*")) if p.suffix in SUFFIXES and p.is_file()]
        # Each file by the parts of its path, in small letters; what begins with a dot is some tool's own.
        parts = {p: [part.lower() for part in p.relative_to(self.folder).parts] for p in everything}
        parts = {p: names for p, names in parts.items() if not any(name[0] == "." for name in names)}
        if config:
            folder = config.lower()
            inside = {p: names[1:] for p, names in parts.items() if names[0] == folder}
            parts = inside or {
                p: names for p, names in parts.items() if any(_is_of(folder, n) for n in names)
            }
        ours = _WORDS.get(split, (split,))
        others = [word for words in _WORDS.values() for word in words if word not in ours]
        for suffix in SUFFIXES:
            alike = {p: names for p, names in parts.items() if p.suffix == suffix}
            found = [p for p, names in alike.items() if _names(names, ours)]
            found = found or [p for p, names in alike.items() if not _names(names, others)]
            if found:
                return found
        return []


def find_repo(name: str, root: Path) -> Repo:
    """A repository of a hub on this machine.

    Args:
        name: ``owner/name``.
        root: The data directory.

    Raises:
        MissingDependency: It is not here; the error says where it was looked for.
    """
    owner, _, short = name.partition("/")
    plain = [root / "hf" / owner / short, root / owner / short, root / short]
    cached = f"datasets--{owner}--{short}"
    caches = [root / cached, root / "hub" / cached, root / "hf" / cached, root / "hf" / "hub" / cached]
    caches.append(user_hub() / cached)
    for folder in plain:
        if folder.is_dir() and any(_holding(folder)):
            return Repo(name, folder, _revision(folder))
    for cache in caches:
        found = _snapshot(name, cache)
        if found is not None:
            return found
    looked = ", ".join(str(each.relative_to(root)) for each in (*plain, *caches[:-1]))
    where = f"looked in {root} for {looked}, and in {user_hub()}"
    raise MissingDependency(f"{name} is not here", where, download(name, root))


def user_hub() -> Path:
    """The user's own cache of the hub, as its client finds it."""
    if os.environ.get("HF_HUB_CACHE"):
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    home = os.environ.get("HF_HOME") or Path("~") / ".cache" / "huggingface"
    return Path(home).expanduser() / "hub"


def download(name: str, data: Path) -> str:
    """The command that gets a repository into a data directory.

    Example:
        >>> download("VLM2Vec/MSVD", Path("/data"))
        'hf download VLM2Vec/MSVD --repo-type dataset --local-dir /data/hf/VLM2Vec/MSVD'
    """
    return f"hf download {name} --repo-type dataset --local-dir {shlex.quote(str(data / 'hf' / name))}"


def _holding(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if p.suffix in SUFFIXES and ".cache" not in p.parts)


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


def _snapshot(name: str, cache: Path) -> Repo | None:
    folders = [each for each in (cache / "snapshots").glob("*") if each.is_dir() and any(_holding(each))]
    if not folders:
        return None
    main = ""
    with suppress(OSError):
        main = (cache / "refs" / "main").read_text("utf-8").strip()
    for folder in folders:
        if folder.name == main:
            return Repo(name, folder, main)
    newest = max(folders, key=lambda each: each.stat().st_mtime)
    return Repo(name, newest, newest.name, main)


def _revision(folder: Path) -> str:
    """The commit of a plain folder: the hub's client writes it beside each file, git into its own folder."""
    for note in sorted((folder / ".cache" / "huggingface" / "download").rglob("*.metadata")):
        with suppress(OSError, UnicodeDecodeError):
            first = note.read_text("utf-8").partition("\n")[0].strip()
            if re.fullmatch(r"[0-9a-f]{40}", first):
                return first
    with suppress(OSError, UnicodeDecodeError):
        head = (folder / ".git" / "HEAD").read_text("utf-8").strip()
        if head.startswith("ref: "):
            head = (folder / ".git" / head.removeprefix("ref: ")).read_text("utf-8").strip()
        return head if re.fullmatch(r"[0-9a-f]{40}", head) else ""
    return ""


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
