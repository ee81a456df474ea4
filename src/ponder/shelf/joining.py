"""Several shelves joined in one, which is made where there is none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from ponder.errors import BadArguments
from ponder.index.stores import LOCAL, checked_store, named_store
from ponder.media.scan import expanded
from ponder.shelf.conflicts import OnConflict, checked_rule
from ponder.shelf.founding import founded
from ponder.shelf.manifest import ELSEWHERE_FORMAT, FORMAT, Manifest
from ponder.shelf.merging import Advance, refuse_unlike
from ponder.shelf.moved import Moved
from ponder.shelf.opening import open_shelf
from ponder.shelf.report import MergeReport


def merge_shelves(
    target: str | os.PathLike[str],
    shelves: Sequence[str | os.PathLike[str]],
    *,
    on_conflict: OnConflict = "newer",
    moved: Mapping[str, str] | None = None,
    store: str | None = None,
    progress: Advance | None = None,
) -> MergeReport:
    """Join shelves: `Shelf.merge` into a shelf that is made if there is none, with the first one's settings.

    Args:
        target: The folder of the shelf to copy into.
        shelves: The folders of the shelves to copy from.
        on_conflict: As for `Shelf.merge`.
        moved: As for `Shelf.merge`.
        store: Where a new shelf keeps its index, as for `open_shelf`; its folder unless told.
        progress: As for `Shelf.merge`.

    Raises:
        InputNotFound: One of the shelves is not there; nothing is made.
        PonderError: Else as for `Shelf.merge` and `open_shelf`.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from ponder.index import Cache
        >>> from ponder.shelf import Shard
        >>> from ponder.testing import FakeModels
        >>> folder = Path(tempfile.mkdtemp())
        >>> (folder / "files").mkdir()
        >>> for name in ("kite", "whale", "tea"):
        ...     _ = (folder / "files" / f"{name}.txt").write_text(f"a {name}")
        >>> for number in (1, 2):
        ...     with open_shelf(folder / f"{number}", FakeModels(), cache=Cache(folder / "cache")) as shelf:
        ...         _ = shelf.add(folder / "files", shard=Shard(number, 2))
        >>> merge_shelves(folder / "all", [folder / "1", folder / "2"]).added
        3
    """
    checked_rule(on_conflict)
    Moved(moved or {})
    if not shelves:
        raise BadArguments("no shelf to merge", "SHELF", "name one or more")
    folder = expanded(target).absolute()
    with ExitStack() as stack:
        opened = [stack.enter_context(open_shelf(each, create=False)) for each in shelves]
        for each in opened[1:]:
            refuse_unlike(opened[0], each)
        if Manifest.read(folder) is None:
            from ponder import __version__

            where = named_store(checked_store(store or LOCAL))
            version = FORMAT if where == LOCAL else ELSEWHERE_FORMAT
            made = replace(opened[0].manifest, store=where, version=version, effort=0, ponder=__version__)
            founded(folder, made)
        into = stack.enter_context(open_shelf(folder, create=False, store=store))
        return into.merge(*opened, on_conflict=on_conflict, moved=moved, progress=progress)
