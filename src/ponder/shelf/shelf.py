"""The shelf: a folder that holds an index of files, and is searched."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ponder.errors import BackendFailed, BadArguments
from ponder.index.cache import Cache, user_cache
from ponder.index.stored import StoredIndex
from ponder.index.stores import LOCAL, open_store
from ponder.index.versions import version_stamp
from ponder.protocols import BlobCache, Models
from ponder.records import Row
from ponder.shelf.adding import add_paths, plan_paths
from ponder.shelf.catalog import NAME as CATALOG
from ponder.shelf.catalog import Catalog
from ponder.shelf.conflicts import OnConflict
from ponder.shelf.lost import refuse_lost
from ponder.shelf.making import Spreads
from ponder.shelf.manifest import INDEX, Manifest
from ponder.shelf.merging import Advance, merge_into
from ponder.shelf.plan import Plan
from ponder.shelf.report import AddReport, MergeReport, Progress, ShelfInfo
from ponder.shelf.searches import Searches
from ponder.shelf.shard import Shard
from ponder.shelf.writer import ITEMS_AT_ONCE, writing


class Shelf(Searches):
    """An index of files on disk, with the models that made it (`protocols.Searchable`).

    One process writes at a time, any number read. Made by `open_shelf`.

    Attributes:
        path: The folder.
        manifest: What the shelf was made with.
    """

    def __init__(
        self, path: Path, manifest: Manifest, models: Models | None, cache: BlobCache | None
    ) -> None:
        self.path, self.manifest = path, manifest
        self._models, self._cache = models, cache
        self._own_cache = cache is None
        self._index: StoredIndex | None = None

    @property
    def index(self) -> StoredIndex:
        """Where the rows are; opened at first use.

        Raises:
            MissingDependency: The store's client is not installed.
            BackendFailed: The store cannot be reached; or what was in it has gone (`lost.IndexLost`).
        """
        if self._index is None:
            if self.manifest.store == LOCAL and not self.stamp:
                # Before it is opened: an empty table would be made, which nothing tells from an emptied one.
                refuse_lost(self.path, self.manifest)
            index = self._opened()
            try:
                if self.manifest.store != LOCAL and not len(index):
                    refuse_lost(self.path, self.manifest)
            except BackendFailed:
                index.close()
                raise
            self._index = index
        return self._index

    def begin(self) -> None:
        """Open the index also where what was in it has gone: for who stores all of it again."""
        if self._index is None:
            self._index = self._opened()

    def _opened(self) -> StoredIndex:
        made = self.manifest
        return open_store(made.store, self.path / INDEX, made.dim, effort=made.effort)

    @property
    def stamp(self) -> str:
        """A text that changes with every change of the index; "" before there is one."""
        if self.manifest.store == LOCAL:
            # Known from the files: lancedb, which takes a second to import, is not needed.
            return version_stamp(self.path / INDEX)
        return self.index.stamp

    @property
    def models(self) -> Models:
        """What embeds, reasons and judges; built at first use, weights not loaded before they work.

        Raises:
            InputInvalid: The models of this name are not those that the shelf was made with.
        """
        if self._models is None:
            from ponder.models.registry import load

            models = load(self.manifest.models, cache=self.cache)
            self.manifest.check_models(models, self.path)
            self._models = models
        return self._models

    @property
    def cache(self) -> BlobCache:
        """Where reasonings and vectors are kept by content; the user's cache unless told."""
        if self._cache is None:
            self._cache = user_cache()
        return self._cache

    def add(
        self,
        *paths: str | os.PathLike[str],
        follow_links: bool = False,
        workers: int = 1,
        commit_every: int = ITEMS_AT_ONCE,
        progress: Progress | None = None,
        spread: Spreads | None = None,
        shard: Shard | None = None,
    ) -> AddReport:
        """Index files and folders; what has not changed since the last time is left alone.

        A file is known by its path. It is unchanged when its size and time are, or else its content. What
        is stored of files that have gone from under `paths` is removed. A file that cannot be used is
        listed each time, and tried again once it, ponder or a decoder has changed. The work is committed
        every `commit_every` items or 5 seconds: after a kill or Ctrl-C, adding the same paths again goes
        on from there.

        Args:
            *paths: Files or folders.
            follow_links: Whether symbolic links may lead out of the paths.
            workers: Threads that open files ahead of the models.
            commit_every: Items in one commit: a commit takes some 10 ms.
            progress: Is called after each item.
            spread: Has the rows made elsewhere (`ponder.spread`), and stored a shard at a time; None makes
                them here.
            shard: Only this part of the files, as if the others were neither there nor stored; machines that
                take a shard each make shelves to be merged. None takes all.

        Raises:
            InputNotFound: A path does not exist; nothing is changed.
            InputInvalid: Nothing at the paths can be indexed, or the models are not the shelf's; or a folder
                is empty that held files, as where a disk is not mounted. Nothing is changed.
            MissingDependency: The models' weights are not there.
            BackendFailed: Another process is writing, the disk is full, or a model failed. What was
                committed stays.
        """
        with writing(self.path):
            return add_paths(
                self,
                paths,
                follow_links=follow_links,
                workers=workers,
                commit_every=commit_every,
                progress=progress,
                spread=spread,
                shard=shard,
            )

    def merge(
        self,
        *others: Shelf,
        on_conflict: OnConflict = "newer",
        moved: Mapping[str, str] | None = None,
        progress: Advance | None = None,
    ) -> MergeReport:
        """Copy what other shelves hold into this one; no model is asked, nor loaded.

        Rows come as they are: item, reasoning, vectors, and what is known of their files and of files that
        could not be used. A file is in both when its path is; then its content decides, by the digests and
        the number of its items. The same content is kept once. Of another content,

        - "newer" takes the one whose file had the later time of change, this shelf's where they are equal,
        - "keep" takes this shelf's,
        - "replace" takes the other's, of several others the last one's,
        - "error" refuses, before anything is changed.

        A file's items are taken together: where the other's are, pages that it has no more are removed. A
        removal is not merged otherwise: what has gone from another shelf stays here.

        Rows are read and committed a few megabytes at a time. After a kill or Ctrl-C, merging the same
        shelves again goes on from there, and ends as one run would have.

        Args:
            *others: Made with the same models, settings and limits, wherever their indexes are. No other
                process should be writing to them. They are not changed.
            on_conflict: See above.
            moved: Where files of the others lie here: new folders by the old ones, all absolute. An item's
                id and place go with it.
            progress: Is told items done and items in all.

        Raises:
            BadArguments: No shelf, this shelf itself, an unknown rule, or folders that cannot be moved so.
            InputInvalid: A shelf was made with other models or settings; or two hold different contents of
                a file, and the rule is "error". Nothing is changed.
            BackendFailed: Another process is writing, a shelf's index is damaged or has gone, or a store
                failed. What was committed stays.
        """
        return merge_into(self, others, on_conflict=on_conflict, moved=moved or {}, progress=progress)

    def plan(
        self, *paths: str | os.PathLike[str], follow_links: bool = False, shard: Shard | None = None
    ) -> Plan:
        """What `add` would do, without doing it.

        Raises:
            InputNotFound: A path does not exist.
            InputInvalid: Nothing at the paths can be indexed.
        """
        return plan_paths(self, paths, follow_links=follow_links, shard=shard)[0]

    def remove(self, ids: Collection[str] = (), where: str | None = None) -> int:
        """Remove items by id, by filter, or both; the number removed.

        The files stay where they are, and `add` would index them again.

        Args:
            ids: Item ids; those that are not there are passed over.
            where: A filter expression (`ponder.index.filters`).

        Raises:
            BadArguments: Neither ids nor a filter.
            InputInvalid: An invalid filter; nothing is removed.
            BackendFailed: Another process is writing, or the disk fails.
        """
        if not ids and where is None:
            raise BadArguments("nothing to remove", "ID", "give item ids or --filter")
        with writing(self.path):
            # The filter first: when it is invalid, nothing is removed.
            removed = 0 if where is None else self.index.remove_where(where)
            removed += self.index.remove(ids)
            if removed and not len(self.index):
                # Emptied on purpose: nothing has gone that a catalog should remember.
                path = self.path / CATALOG
                Catalog((), Catalog.read_refused(path), self.stamp).write(path)
        return removed

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        return self.index.get(ids)

    def info(self) -> ShelfInfo:
        """What the shelf holds and what it was made with."""
        manifest = self.manifest
        return ShelfInfo(
            path=str(self.path),
            items=len(self.index),
            parts=self.index.parts,
            by_kind=self.index.counts(),
            models=manifest.models,
            reasoner=manifest.reasoner,
            embedder=manifest.embedder,
            reason_tokens=manifest.reason_tokens,
            dim=manifest.dim,
            bytes=_bytes_in(self.path),
            version=manifest.version,
            ponder=manifest.ponder,
            store=manifest.store,
        )

    def __len__(self) -> int:
        """Number of items."""
        return len(self.index)

    def close(self) -> None:
        """Let go of the index, and of the cache if it is the user's; they open again when used."""
        if self._index is not None:
            self._index.close()
        self._index = None
        if self._own_cache and isinstance(self._cache, Cache):
            self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bytes_in(folder: Path) -> int:
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            # Readers see files go: a writer may be compacting.
            with suppress(OSError):
                total += (Path(inside) / name).stat().st_size
    return total
