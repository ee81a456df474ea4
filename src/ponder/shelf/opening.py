"""Opening a shelf by its folder, or making one there."""

from __future__ import annotations

import os
from shlex import quote

from ponder.errors import InputNotFound
from ponder.index.cache import user_cache
from ponder.index.stores import LOCAL, checked_store, named_store
from ponder.media.limits import Limits
from ponder.media.scan import expanded
from ponder.protocols import BlobCache, Models
from ponder.shelf.founding import founded
from ponder.shelf.manifest import Manifest
from ponder.shelf.shelf import Shelf

DEFAULT_MODELS = "lite"


def open_shelf(
    path: str | os.PathLike[str],
    models: str | Models | None = None,
    *,
    create: bool = True,
    reason_tokens: int | None = None,
    limits: Limits | None = None,
    cache: BlobCache | None = None,
    store: str | None = None,
) -> Shelf:
    """Open the shelf in a folder, or make one.

    Args:
        path: The folder.
        models: A preset's name or the models themselves; None takes those that the shelf was made with,
            ``lite`` for a new one.
        create: Whether to make a shelf where there is none.
        reason_tokens: Longest reasoning about a document; None takes the shelf's, the models' for a new one.
        limits: How much of a file is opened; None takes the shelf's, the media room's for a new one.
        cache: Where reasonings and vectors are kept by content; the user's cache unless told.
        store: Where the index is kept: ``lance`` in the folder, or an address (`ponder.index.stores`), which
            the manifest keeps; None takes the shelf's, the folder for a new one.

    Raises:
        BadArguments: `store` is no address of a store, or has a password in it.
        InputNotFound: There is no shelf and `create` is false.
        InputInvalid: The shelf is of another version, was made with other models or settings, or its
            manifest is damaged; or the folder holds something else.
        BackendFailed: The folder cannot be written, or another process is making a shelf in it.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from ponder.index.cache import Cache
        >>> from ponder.testing import FakeModels
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "kite.txt").write_text("a red kite")
        >>> with open_shelf(folder / "shelf", FakeModels(), cache=Cache(folder / "cache.sqlite")) as shelf:
        ...     shelf.add(folder / "kite.txt").added, len(shelf.search("kite"))
        (1, 1)
    """
    folder = expanded(path).absolute()
    store = None if store is None else checked_store(store)
    manifest = Manifest.read(folder)
    if manifest is None and not create:
        # Whoever names the folder of their files has not got a shelf yet: it is another folder.
        named = quote(str(folder))
        made = f"SHELF {named}" if folder.is_dir() and any(folder.iterdir()) else f"{named} PATH"
        raise InputNotFound("there is no shelf", str(folder), f"make one: ponder index {made}")
    if isinstance(models, str) or (models is None and manifest is None):
        cache = user_cache() if cache is None else cache
        from ponder.models.registry import load

        models = load(models or DEFAULT_MODELS, cache=cache)
    if manifest is None:
        assert models is not None
        new = Manifest.of(models, reason_tokens, limits, named_store(store or LOCAL))
        manifest = founded(folder, new)
    if models is not None:
        manifest.check_models(models, folder)
    manifest.check_settings(reason_tokens, limits, folder, store)
    return Shelf(folder, manifest, models, cache)
