"""Files that lie elsewhere on the machine that a shelf is merged on: their items' places and ids."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ponder.errors import BadArguments
from ponder.media.items import item_id
from ponder.media.scan import expanded, plain
from ponder.records import Row
from ponder.shelf.catalog import Catalog, Entry, within
from ponder.shelf.refused import Refusal


class Moved:
    """From where files were to where they are.

    Args:
        folders: New folders (or files) by old ones, both absolute; the innermost old one counts.

    Raises:
        BadArguments: One of them is not absolute.

    Example:
        >>> Moved({"/mnt/b": "/data/pictures"}).path("/mnt/b/cats/tom.jpg")
        '/data/pictures/cats/tom.jpg'
    """

    def __init__(self, folders: Mapping[str, str]) -> None:
        for old, new in folders.items():
            # The old one is another machine's: what is relative to this one's folder says nothing. Of a new
            # one that is relative, more often than not a part belongs to the old one.
            for each in (Path(old), expanded(new)):
                if not each.is_absolute():
                    raise BadArguments(f"not an absolute path: {str(each)!r}", "--moved", "write /OLD=/NEW")
        self._folders = {old.rstrip(os.sep): plain(new) for old, new in folders.items()}

    def path(self, path: str) -> str:
        """Where a file is now."""
        olds = [old for old in self._folders if within(path, old)]
        if not olds:
            return path
        old = max(olds, key=len)
        return self._folders[old].rstrip(os.sep) + path[len(old) :]

    def catalog(self, catalog: Catalog) -> tuple[Catalog, Mapping[str, str]]:
        """What a catalog says, of files where they are now; and by an item's new id its old one.

        Raises:
            BadArguments: Two files would come to lie at the same place.
        """
        if not self._folders:
            return catalog, {}
        entries: list[Entry] = []
        old_ids: dict[str, str] = {}
        for path, held in catalog.by_path.items():
            new, ids = self.path(path), {}
            if new != path:
                tails = [
                    "",
                    *(f"#page={number}" for number in range(1, 1 + max(e.of for e in held.values()))),
                ]
                ids = {item_id(path + tail): item_id(new + tail) for tail in tails}
            for entry in held.values():
                moved = replace(entry, id=ids.get(entry.id, entry.id), path=new)
                entries.append(moved)
                if moved.id != entry.id:
                    old_ids[moved.id] = entry.id
        found = Catalog(entries)
        if sum(map(len, found.by_path.values())) != len(entries):
            raise BadArguments(
                "two files of one shelf would come to lie at the same place",
                "--moved",
                "give each folder a new one of its own",
            )
        return found, old_ids

    def refusal(self, refusal: Refusal) -> Refusal:
        """A refusal of a file where it is now."""
        id_, uri, path = self._place(refusal.id, refusal.uri, refusal.path)
        return replace(refusal, id=id_, uri=uri, path=path)

    def row(self, row: Row) -> Row:
        """A row of a file where it is now."""
        item = row.item
        if item.path is None or self.path(item.path) == item.path:
            return row
        id_, uri, path = self._place(item.id, item.uri, item.path)
        source = {**row.source, "path": path} if "path" in row.source else row.source
        return replace(row, item=replace(item, id=id_, uri=uri, path=path), source=source)

    def _place(self, id_: str, uri: str, path: str) -> tuple[str, str, str]:
        new = self.path(path)
        place = new + uri[len(path) :] if uri.startswith(path) else uri
        # An id that was not made of the place stays.
        return item_id(place) if id_ == item_id(uri) else id_, place, new
