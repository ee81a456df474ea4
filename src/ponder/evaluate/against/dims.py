"""The axis of dimensions: retrieval alone, with less and less of the stored vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ponder.evaluate.against.selection import (
    Selection,
    leading,
    principal_directions,
    random_directions,
)
from ponder.evaluate.corpus import Corpus
from ponder.protocols import Embedder, HasBlocks
from ponder.records import Item

LADDER = (32, 64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
"""Dimensions to cut to; those above the embedder's own are left out."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A selection with its place in the picture.

    Attributes:
        label: As in `Point`.
        group: As in `Point`.
        selection: What is kept.
    """

    label: str
    group: str
    selection: Selection


def cuts(corpus: Corpus, items: Sequence[Item]) -> Iterator[Cut]:
    """The cuts to measure, for an embedder with blocks or any other.

    With blocks: the first block (`lite`: meaning) by its leading dimensions, by random directions, by
    its principal ones; then the blocks alone and together. Otherwise: the leading dimensions, random ones,
    principal ones. Always: the whole in int8.

    Args:
        corpus: Indexed with whole vectors.
        items: Its documents.
    """
    embedder = corpus.original.embedder
    blocks = _blocks(embedder)
    first = next(iter(blocks))
    whole = Selection(tuple(blocks.values()), "length" if len(blocks) > 1 else "unit")
    start, end = blocks[first]
    rows = corpus.index.get([item.id for item in items])
    stored = [row.embedded.vectors[:, start:end] for row in rows]
    name = f"{first} " if len(blocks) > 1 else ""
    steps = [dim for dim in LADDER if dim < end - start]
    for dim in [*steps, end - start]:
        cut = Selection(((start, start + dim),), whole.way) if len(blocks) > 1 else leading(dim)
        yield Cut(f"{name}{dim}", "leading", cut)
    # The best linear cut of all is one matrix: shorter ones are its first rows.
    best = principal_directions(stored, steps[-1]) if steps else None
    for dim in steps:
        turned = random_directions(dim, end - start)
        yield Cut(f"{name}{dim} random", "random", Selection(((start, end),), whole.way, turned))
        assert best is not None
        yield Cut(f"{name}{dim} principal", "principal", Selection(((start, end),), whole.way, best[:dim]))
    if len(blocks) > 1:
        yield from _together(blocks)
    yield Cut("all, int8", "int8", whole.rounded())


def _blocks(embedder: Embedder) -> dict[str, tuple[int, int]]:
    blocks = embedder.blocks if isinstance(embedder, HasBlocks) else {}
    return dict(blocks) or {"all": (0, embedder.dim)}


def _together(blocks: dict[str, tuple[int, int]]) -> Iterator[Cut]:
    """The first block in int8, the others alone, then one more block at a time."""
    names = list(blocks)
    yield Cut(f"{names[0]}, int8", "int8", Selection((blocks[names[0]],), "length", None, "int8"))
    for name in names[1:]:
        yield Cut(name, "blocks alone", Selection((blocks[name],), "length"))
    for count in range(2, len(names)):
        kept = Selection(tuple(blocks[name] for name in names[:count]), "length")
        yield Cut("+".join(names[:count]), "blocks", kept)
        yield Cut(f"{'+'.join(names[:count])}, int8", "int8", kept.rounded())
