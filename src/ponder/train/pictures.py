"""What an adapter of `lite` learns from: labelled pictures, and what the classifier knows of its classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ponder.embed.lite import meaning_of
from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.models.lite.adapter import rooted
from ponder.models.lite.wordnet import knowledge
from ponder.presets.lite import LiteModels, Sight
from ponder.protocols import BlobCache
from ponder.records import Item, Skipped
from ponder.shelf.ingest import Ingest, skipped
from ponder.train.examples import Example
from ponder.train.prepared import Advance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Queries and pictures in numbers.

    Attributes:
        queries: float32 (q, d), plain query vectors.
        names: Ids of the queries.
        documents: Ids of the pictures.
        digests: Of their contents.
        looks: float32 (n, 1280), rooted features.
        features: float32 (1280,), the mean of the features.
        meanings: float32 (n, 384), of the embedder without an adapter.
        vectors: float32 (n, d), the whole rows of that embedder.
        positives: A query's places among the pictures.
        negatives: Mined ones, the nearest first.
        spared: Places that a query is not trained against, its positives among them.
        scores: Judges' scores by place.
        skipped: What could not be opened.
        other: Documents that are no pictures, passed over.
    """

    queries: NDArray[np.float32]
    names: tuple[str, ...]
    documents: tuple[str, ...]
    digests: tuple[str, ...]
    looks: NDArray[np.float32]
    features: NDArray[np.float32]
    meanings: NDArray[np.float32]
    vectors: NDArray[np.float32]
    positives: tuple[tuple[int, ...], ...]
    negatives: tuple[tuple[int, ...], ...]
    spared: tuple[frozenset[int], ...]
    scores: tuple[dict[int, float], ...]
    skipped: tuple[Skipped, ...] = ()
    other: int = 0


def pictures_of(
    examples: Sequence[Example],
    models: LiteModels,
    cache: BlobCache,
    *,
    negatives: int,
    strangers: bool = False,
    advance: Advance | None = None,
) -> Pictures:
    """Look at the pictures of examples.

    Args:
        examples: Of one data set or of several.
        models: `lite` without an adapter.
        cache: Has perceptions, reasonings and vectors, or gets them.
        negatives: Most mined ones of a query.
        strangers: Also take negatives that are no example's positive.
        advance: Called with (pictures done, pictures).

    Raises:
        InputInvalid: Not two queries have a picture among their positives.
    """
    import numpy as np

    ingest = Ingest(models, cache)
    if not strangers:
        examples = _among_themselves(examples)
    wanted = {item.id: item for item in _wanted(examples, negatives)}
    lost: list[Skipped] = []
    place: dict[str, int] = {}
    digests, features, rows = [], [], []
    for number, item in enumerate(wanted.values(), 1):
        try:
            document = ingest.document(item)
            vectors = ingest.embed(document, ingest.reason(document)).vectors
            seen = models.sight.perceiver.perceive(document.content).whole
        except (InputInvalid, InputNotFound) as error:
            lost.append(skipped(item, error))
            continue
        place[item.id] = len(place)
        digests.append(document.digest)
        features.append(seen.features)
        rows.append(vectors[0])
        if advance:
            advance(number, len(wanted))
    shown = [each for each in examples if any(item.id in place for item in each.positives)]
    kept, queries = _asked(shown, models, lost)
    if len(kept) < 2:
        raise InputInvalid(
            f"{len(kept)} queries with pictures as positives",
            "the training set",
            "an adapter learns from labelled pictures: give a data set that has some",
        )
    return Pictures(
        np.concatenate(queries),
        tuple(each.query.id for each in kept),
        tuple(place),
        tuple(digests),
        rooted(np.stack(features)),
        np.stack(features).mean(axis=0),
        np.stack([meaning_of(row) for row in rows]),
        np.stack(rows),
        tuple(tuple(_places(each.positives, place)) for each in kept),
        tuple(tuple(_places(each.negatives, place))[:negatives] for each in kept),
        tuple(frozenset(place[name] for name in each.spared if name in place) for each in kept),
        tuple({place[name]: score for name, score in each.scores.items() if name in place} for each in kept),
        tuple(lost),
        sum(item.kind != "image" for each in examples for item in each.positives),
    )


def _asked(
    examples: Sequence[Example], models: LiteModels, lost: list[Skipped]
) -> tuple[list[Example], list[NDArray[np.float32]]]:
    """Those whose query can be opened, with the queries' vectors; the others are added to `lost`."""
    kept: list[Example] = []
    vectors: list[NDArray[np.float32]] = []
    for each in examples:
        try:
            query = open_query(each.query, Limits())
        except (InputInvalid, InputNotFound) as error:
            lost.append(Skipped(f"query {each.query.id}", str(error)))
            continue
        kept.append(each)
        # One by one: of pictures, not all are in memory, and a vector is the same in whatever company.
        vectors.append(models.embedder.embed_queries([query], [None]))
    return kept, vectors


def classes_of(sight: Sight, mean: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the classifier and WordNet know together, as pictures that nobody has to have.

    Args:
        sight: The classifier and the sentence encoder.
        mean: float32 (1280,), features of the pictures that are to be expected.

    Returns:
        float32 (1000, 1280): rooted features that a picture of each class may have; float32 (1000, 384), unit
        norm: the class' first name and its gloss, half each.
    """
    import numpy as np

    table = knowledge()
    names = sight.encoder.encode([each.synset.names[0] for each in table], exact=False)
    glosses = sight.encoder.encode([each.synset.gloss for each in table], exact=False)
    told = names + glosses
    return rooted(sight.vision.imagined(mean)), told / np.linalg.norm(told, axis=1, keepdims=True)


def lite_of(models: object) -> LiteModels:
    """The models as `lite` without an adapter.

    Raises:
        BadArguments: They are others, or have an adapter.
    """
    if not isinstance(models, LiteModels) or models.adapter is not None:
        raise BadArguments(
            "an adapter is trained between lite's plain parts",
            "--models",
            "give lite; others are trained by: ponder train embedder",
        )
    return models


def _among_themselves(examples: Sequence[Example]) -> list[Example]:
    """The examples without negatives that answer none of them."""
    known = {item.id for each in examples for item in each.positives}
    return [
        replace(each, negatives=tuple(item for item in each.negatives if item.id in known))
        for each in examples
    ]


def _wanted(examples: Sequence[Example], negatives: int) -> Iterator[Item]:
    for each in examples:
        yield from (item for item in each.positives if item.kind == "image")
        yield from [item for item in each.negatives if item.kind == "image"][:negatives]


def _places(items: Sequence[Item], place: dict[str, int]) -> Iterator[int]:
    return (place[item.id] for item in items if item.id in place)
