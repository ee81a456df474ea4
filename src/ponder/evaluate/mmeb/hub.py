"""Data sets of a hub on this machine: where a repository lies, and of which revision it is.

A repository is looked for in the data directory (``hf/OWNER/NAME``, ``OWNER/NAME``, ``NAME``, or a hub's
cache of ``datasets--OWNER--NAME/snapshots/REVISION``), and last in the user's own hub cache.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ponder.errors import MissingDependency
from ponder.evaluate.mmeb.split_files import SUFFIXES, split_files


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
        """The files of a configuration's split: `split_files`."""
        return split_files(self.folder, config, split)


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
