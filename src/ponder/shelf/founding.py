"""Making a new shelf: a folder with a manifest, which nothing else lies in."""

from __future__ import annotations

import unicodedata
from contextlib import closing
from pathlib import Path

from ponder.errors import BackendFailed, InputInvalid
from ponder.index.stores import LOCAL, open_store
from ponder.shelf.manifest import NAME, Manifest
from ponder.shelf.writer import LOCK, writing


def founded(folder: Path, manifest: Manifest) -> Manifest:
    """Make a shelf in a folder, without items; the manifest that it has then, or had already.

    Raises:
        InputInvalid: The folder holds something else, or an index cannot lie in one of its name; or the
            store holds another shelf's items.
        BackendFailed: The folder cannot be written, or another process is making a shelf in it.
    """
    if manifest.store == LOCAL and any(unicodedata.category(each) in ("Cc", "Cs") for each in str(folder)):
        # Lance takes no such path, and would say so in its own words once the folder is there.
        raise InputInvalid(
            "a line end or another control character in the folder's path",
            ascii(str(folder)),
            "give another folder for the shelf",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = {entry.name for entry in folder.iterdir() if not entry.name.startswith(".manifest.json.")}
    except FileExistsError as error:
        raise InputInvalid("not a folder", str(folder), "give a folder for the shelf") from error
    except OSError as error:
        raise BackendFailed(
            f"the shelf cannot be made: {error.strerror}", str(folder), "check the folder's permissions"
        ) from error
    if inside - {LOCK, NAME}:
        raise InputInvalid(
            "the folder holds other things and no shelf",
            str(folder),
            "give an empty or a new folder for the shelf; the files to index come after it",
        )
    if manifest.store != LOCAL:
        _check_unused(manifest)
    with writing(folder):
        # Somebody else may have made it meanwhile.
        there = Manifest.read(folder)
        if there is None:
            manifest.write(folder)
        return there or manifest


def _check_unused(manifest: Manifest) -> None:
    with closing(open_store(manifest.store, Path(), manifest.dim)) as index:
        if len(index):
            raise InputInvalid(
                "the store holds a shelf's items already",
                manifest.store,
                "give another name or prefix, or copy that shelf's manifest.json here to go on with it",
            )
