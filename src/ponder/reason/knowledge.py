"""What is known about a thing that was seen: sentences from WordNet, the most informative first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ponder.models.lite.wordnet import ImagenetClass, Synset, knowledge


def names(thing: ImagenetClass) -> str:
    """All that is said without knowledge: the class' names.

    Example:
        >>> names(knowledge()[105])
        'koala, koala bear, kangaroo bear, native bear, Phascolarctos cinereus'
    """
    return ", ".join(thing.synset.names)


def definition(thing: ImagenetClass) -> str:
    """Names, kinship and gloss in one sentence: the one that retrieval and the judge live on.

    Three ancestors, since with them hit@1 on `photos` was .406 and without .375 (docs/log.md).

    Example:
        >>> definition(knowledge()[105])[:70]
        'koala, koala bear, kangaroo bear, native bear, Phascolarctos cinereus,'
    """
    kin = ", ".join(ancestor.names[0] for ancestor in thing.ancestors[:3])
    return f"{names(thing)}, a kind of {kin}: {thing.synset.gloss}"


def gloss(thing: ImagenetClass) -> str:
    """Names and gloss.

    Example:
        >>> gloss(knowledge()[340])
        'zebra: any of several fleet black-and-white striped African equines'
    """
    return f"{names(thing)}: {thing.synset.gloss}"


@lru_cache(maxsize=1024)
def further(index: int) -> tuple[str, ...]:
    """More about a class: nearest kin, who mentions it, its kinds and parts; the most telling first."""
    return tuple(_further(knowledge()[index]))


def _further(thing: ImagenetClass) -> Iterator[str]:
    name = thing.name
    for synset in thing.ancestors[:1]:
        yield f"{_said(synset)}."
    for synset in (*thing.mentions[:4], *thing.related[:3]):
        yield f"{_said(synset)}."
    if thing.kinds:
        yield f"Kinds of {name}: {'; '.join(_said(kind) for kind in thing.kinds[:4])}."
    if thing.parts:
        yield f"Parts of {name}: {', '.join(thing.parts[:6])}."
    if thing.part_of:
        yield f"{name} is part of: {', '.join(thing.part_of[:4])}."
    for example in thing.synset.examples[:1]:
        yield f"{example}."
    for synset in thing.ancestors[1:3]:
        yield f"{_said(synset)}."


def _said(synset: Synset) -> str:
    return f"{synset.names[0]}: {synset.gloss}"
