"""The shelf: a folder that holds an index of files, and is searched."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ponder.errors import BackendFailed, BadArguments, InputInvalid, InputNotFound
from ponder.index.cache import Cache, user_cache
from ponder.index.stored import StoredIndex
from ponder.index.stores import LOCAL, checked_store, named_store, open_store
from ponder.index.versions import version_stamp
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Query, Ranking, Row
from ponder.shelf.adding import INDEX, add_paths, plan_paths
from ponder.shelf.making import Spreads
from ponder.shelf.manifest import NAME, Manifest
from ponder.shelf.plan import Plan
from ponder.shelf.report import AddReport, Progress, ShelfInfo
from ponder.shelf.writer import ITEMS_AT_ONCE, LOCK, writing

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.cascade.cascade import OnFault
    from ponder.cascade.pacing import Allocation
    from ponder.cascade.search import Search as CascadeSearch

DEFAULT_MODELS = "lite"


class Shelf:
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
            BackendFailed: The store cannot be reached.
        """
        if self._index is None:
            made = self.manifest
            self._index = open_store(made.store, self.path / INDEX, made.dim, effort=made.effort)
        return self._index

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
            models = load_models(self.manifest.models, self.cache)
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

        Raises:
            InputNotFound: A path does not exist; nothing is changed.
            InputInvalid: Nothing at the paths can be indexed, or the models are not the shelf's.
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
            )

    def plan(self, *paths: str | os.PathLike[str], follow_links: bool = False) -> Plan:
        """What `add` would do, without doing it.

        Raises:
            InputNotFound: A path does not exist.
            InputInvalid: Nothing at the paths can be indexed.
        """
        return plan_paths(self, paths, follow_links=follow_links)[0]

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
            by_filter = 0 if where is None else self.index.remove_where(where)
            return by_filter + self.index.remove(ids)

    def search(
        self,
        query: str | Query,
        k: int = 10,
        budget: int = 0,
        stages: str | Cascade | None = None,
        where: str | None = None,
        on_fault: OnFault = "raise",
        allocate: Allocation = "uniform",
        explain: bool = False,
        gates: bool = True,
    ) -> Ranking:
        """Search with a cascade.

        Args:
            query: Text, or a `Query` with media.
            k: How many hits to return, at most.
            budget: The most tokens that reasoner and judges may read and write for this query; 0 is plain
                retrieval over the stored vectors.
            stages: A cascade, or its stages as in ``--stages``; the default cascade unless told.
            where: Only among items that this filter keeps (`ponder.index.filters`).
            on_fault: What a failing model does: "raise" ends the search, "keep" goes on without its stage
                and says so in the trace and in the stage's note (`ponder.cascade.Cascade.on`).
            allocate: "uniform" spends the budget while there is someone to judge; "adaptive" only while the
                first place is open (`ponder.cascade.pacing`).
            explain: Also reckon what could be asked next (`Ranking.next`); no tokens are spent on it.
            gates: Whether a stage is left out for queries that it was measured not to help.

        Raises:
            BadArguments: `k`, `budget`, `stages`, `on_fault` or `allocate` cannot be used.
            InputInvalid: The query or the filter cannot be used, or the models are not the shelf's.
            InputNotFound: The query's media are not there.
            MissingDependency: The models' weights are not there.
            BackendFailed: A model or the index failed.
        """
        search = self.searching(stages, on_fault)
        return search(query, budget=budget, k=k, where=where, allocate=allocate, explain=explain, gates=gates)

    def search_batch(
        self,
        queries: Sequence[str | Query],
        k: int = 10,
        budget: int = 0,
        stages: str | Cascade | None = None,
        where: str | None = None,
        on_fault: OnFault = "raise",
        allocate: Allocation = "adaptive",
        gates: bool = True,
    ) -> list[Ranking]:
        """Search for many within one budget: tokens go to the queries whose first place is open.

        Args:
            queries: Texts, or `Query` objects.
            k: How many hits to return for each, at most.
            budget: The mean of tokens a query: all together spend at most ``budget * len(queries)``.
            stages: As for `search`.
            where: As for `search`.
            on_fault: As for `search`.
            allocate: "adaptive" shares the budget (`ponder.cascade.purse`); "uniform" gives each query the
                mean.
            gates: As for `search`.

        Returns:
            A ranking for each query, in their order.

        Raises:
            PonderError: As for `search`.
        """
        search = self.searching(stages, on_fault)
        return search.batch(queries, budget=budget, k=k, where=where, allocate=allocate, gates=gates)

    def recommend(
        self,
        like: Sequence[str],
        dislike: Sequence[str] = (),
        k: int = 10,
        budget: int = 0,
        stages: str | Cascade | None = None,
        where: str | None = None,
        allocate: Allocation = "uniform",
        explain: bool = False,
    ) -> Ranking:
        """Find more like some items and less like others (`ponder.cascade.recommending`).

        Args:
            like: Ids of one item or more.
            dislike: Ids.
            k: How many hits to return, at most; the examples are not among them.
            budget: The most tokens that judges may read and write, over what the liked have in common.
            stages: As for `search`.
            where: As for `search`.
            allocate: As for `search`.
            explain: As for `search`.

        Raises:
            BadArguments: Nothing is liked, or an item is liked and disliked.
            InputNotFound: One of the items is not on the shelf.
            PonderError: Else as for `search`.
        """
        from ponder.cascade import parse_stages
        from ponder.cascade.recommending import recommend

        self._refuse_lost()
        return recommend(
            self,
            like,
            dislike,
            k=k,
            budget=budget,
            cascade=parse_stages(stages) if isinstance(stages, str) else stages,
            where=where,
            allocate=allocate,
            explain=explain,
            limits=self.manifest.limits,
        )

    def searching(self, stages: str | Cascade | None = None, on_fault: OnFault = "raise") -> CascadeSearch:
        """A cascade on this shelf, ready to be asked: at once, as a batch, or stage by stage.

        Args:
            stages: As for `search`.
            on_fault: As for `search`.

        Raises:
            BadArguments: The stages cannot be used.
            BackendFailed: The index has gone.
        """
        from ponder.cascade import default_cascade, parse_stages

        self._refuse_lost()
        cascade = parse_stages(stages) if isinstance(stages, str) else stages or default_cascade()
        return cascade.on(self, on_fault=on_fault, limits=self.manifest.limits)

    def _refuse_lost(self) -> None:
        """An index that has gone would be searched as if nothing had ever been in it."""
        from ponder.shelf.checking import again, lost_index

        here = self.manifest.store == LOCAL
        if here and self._index is None and (lost := lost_index(self.path)):
            raise BackendFailed(lost, str(self.path / INDEX), again(self.path))

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
        >>> from ponder.testing import FakeModels
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "kite.txt").write_text("a red kite")
        >>> with open_shelf(folder / "shelf", FakeModels(), cache=Cache(folder / "cache.sqlite")) as shelf:
        ...     shelf.add(folder / "kite.txt").added, len(shelf.search("kite"))
        (1, 1)
    """
    folder = Path(path).expanduser().absolute()
    store = None if store is None else checked_store(store)
    manifest = Manifest.read(folder)
    if manifest is None and not create:
        raise InputNotFound("there is no shelf", str(folder), f"make one: ponder index {folder} PATH")
    if isinstance(models, str) or (models is None and manifest is None):
        cache = user_cache() if cache is None else cache
        models = load_models(models or DEFAULT_MODELS, cache)
    if manifest is None:
        assert models is not None
        new = Manifest.of(models, reason_tokens, limits, named_store(store or LOCAL))
        manifest = _made(folder, new)
    if models is not None:
        manifest.check_models(models, folder)
    manifest.check_settings(reason_tokens, limits, folder, store)
    return Shelf(folder, manifest, models, cache)


def load_models(name: str, cache: BlobCache) -> Models:
    """The models that the registry has under `name`."""
    from ponder.models.registry import load

    models: Models = load(name, cache=cache)
    return models


def _made(folder: Path, manifest: Manifest) -> Manifest:
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


def _bytes_in(folder: Path) -> int:
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            # Readers see files go: a writer may be compacting.
            with suppress(OSError):
                total += (Path(inside) / name).stat().st_size
    return total
