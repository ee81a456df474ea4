"""An index that has gone with all that it held: refused, until the files are indexed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from ponder.errors import BackendFailed
from ponder.index.stores import LOCAL
from ponder.media.scan import reaches
from ponder.shelf.catalog import NAME as CATALOG
from ponder.shelf.catalog import Catalog, within
from ponder.shelf.manifest import INDEX, Manifest
from ponder.shelf.shard import Shard

_MOST_ROOTS = 5
"""Folders that a command names; of more, people know better what they gave."""


class IndexLost(BackendFailed):
    """A shelf's store is empty, and its catalog remembers items (exit code 6)."""


def lost_index(folder: Path) -> str:
    """What is wrong with a shelf whose store is empty or not there; "" when nothing was ever in it.

    A store that is not there is made when it is opened, so a search would find nothing and say nothing.
    """
    held = len(_files(folder))
    return f"the index has gone, which held {held} items" if held else ""


def refuse_lost(folder: Path, manifest: Manifest) -> None:
    """Refuse a shelf whose store is empty, if something was in it.

    Raises:
        IndexLost: It was.
    """
    if lost := lost_index(folder):
        where, repair = place_and_repair(folder, manifest)
        forget = f"or, to go on without what it held: rm {quote(str(folder / CATALOG))}"
        raise IndexLost(lost, where, f"{repair}; {forget}")


def place_and_repair(folder: Path, manifest: Manifest) -> tuple[str, str]:
    """Where a shelf's index was that has gone, and the command that makes it there again."""
    if manifest.store == LOCAL:
        return str(folder / INDEX), made_again(folder, manifest)
    return manifest.store, f"make it again: {filled_again(folder)}"


def brings_back(folder: Path, roots: Sequence[str], shard: Shard | None) -> bool:
    """Whether indexing `roots` comes to every file that the catalog of a shelf remembers.

    Args:
        folder: The shelf's.
        roots: Files and folders, absolute.
        shard: The part of the files that is indexed; None for all.
    """
    return all(
        any(_comes_to(root, path, folder) for root in roots) and (shard is None or shard.takes(path, roots))
        for path in set(_files(folder))
    )


def filled_again(folder: Path) -> str:
    """The command that indexes again all files that the catalog of a shelf remembers."""
    return f"ponder index {quote(str(folder))} {_roots(folder)}"


def made_again(folder: Path, manifest: Manifest) -> str:
    """The command that makes a damaged index again: beside the old one, which nothing is taken from."""
    if manifest.store == LOCAL:
        index = folder / INDEX
        aside = f"mv {quote(str(index))} {quote(f'{index}.damaged')} && " if index.exists() else ""
        return f"make it again: {aside}{filled_again(folder)}"
    # A store that has no name of its own in the address gets one when the shelf is made.
    bare, named, _ = manifest.store.partition("#")
    return (
        f"make it again at another place: ponder index {quote(f'{folder}.new')} {_roots(folder)} "
        f"--models {quote(manifest.models)} --reason-tokens {manifest.reason_tokens} "
        f"--store {quote(bare if named else f'{bare}.new')}"
    )


def _files(folder: Path) -> list[str]:
    """The files that a shelf held, one for each item; not its own, which earlier ponders indexed as well."""
    own = str(folder / INDEX)
    paths = (entry.path for entry in Catalog.read_entries(folder / CATALOG))
    return [path for path in paths if not within(path, own)]


def _roots(folder: Path) -> str:
    """The folders that these files are in, as a command takes them; PATH where they are none or many."""
    roots: list[str] = []
    found = {_root(Path(path), folder) for path in _files(folder)}
    # Whatever comes to another is shorter, and sorted before it.
    for root in sorted(found):
        if not any(_comes_to(other, root, folder) for other in roots):
            roots.append(root)
        if len(roots) > _MOST_ROOTS:
            return "PATH"
    return " ".join(map(quote, roots)) or "PATH"


def _root(path: Path, shelf: Path) -> str:
    if path.is_relative_to(shelf):
        # Each upload has a folder of its own.
        return str(shelf / path.relative_to(shelf).parts[0])
    return str(path if path.name.startswith(".") else path.parent)


def _comes_to(root: str, path: str, shelf: Path) -> bool:
    """Whether indexing `root` comes to `path`; not from outside of the shelf's folder to a file in there."""
    own = str(shelf)
    return reaches(root, path) and (not within(path, own) or (root != own and within(root, own)))
