"""What a shelf says about itself and its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ponder.records import Skipped, Usage


class Progress(Protocol):
    """Is told how far indexing has come."""

    def __call__(self, done: int, total: int, skipped: int) -> None:
        """`done` of `total` items are through, `skipped` of them (and of the files) were left out."""
        ...


@dataclass(frozen=True, slots=True)
class AddReport:
    """What `Shelf.add` did, in items.

    Attributes:
        added: New.
        updated: Stored anew because their content had changed.
        unchanged: Left alone.
        removed: Dropped because their files (or pages) have gone.
        skipped: Left out, and why.
        tokens: What the reasoner read and wrote, and the length of the reasonings that were reused.
        seconds: Wall time.
        ignored: Files under the paths that are of types that are not ours; hidden ones are not counted.
    """

    added: int
    updated: int
    unchanged: int
    removed: int
    skipped: tuple[Skipped, ...]
    tokens: Usage
    seconds: float
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What `Shelf.merge` did, in items.

    Attributes:
        added: Copied.
        replaced: Copied in the place of another content.
        unchanged: The same in both, and kept once.
        kept: Not copied, because this shelf's content of the file was kept.
        removed: Dropped with this shelf's content of a file, of which the other's has fewer items.
        skipped: What the others could not use, and why; it is not tried again while it stays as it is.
        seconds: Wall time.
    """

    added: int
    replaced: int
    unchanged: int
    kept: int
    removed: int
    skipped: tuple[Skipped, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class ShelfInfo:
    """What a shelf holds and what it was made with.

    Attributes:
        path: The folder.
        items: Number of items.
        parts: Number of vectors.
        by_kind: Number of items of each kind.
        models: Name of the preset.
        reasoner: Fingerprint of the reasoner.
        embedder: Fingerprint of the embedder.
        reason_tokens: Longest reasoning about a document, in the reasoner's tokens.
        dim: Length of the vectors.
        bytes: Size of the folder on disk.
        version: Version of the shelf's format.
        ponder: Version of ponder that made it.
        store: Where the index is (`ponder.index.stores`); `bytes` does not count what lies elsewhere.
    """

    path: str
    items: int
    parts: int
    by_kind: Mapping[str, int]
    models: str
    reasoner: str
    embedder: str
    reason_tokens: int
    dim: int
    bytes: int
    version: int
    ponder: str
    store: str
