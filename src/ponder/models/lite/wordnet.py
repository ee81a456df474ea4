"""What WordNet 3.0 knows about the 1000 ImageNet classes: names, definitions, kin, and who mentions them.

The data is made by ``tools/make_imagenet_knowledge.py``; WordNet's licence lies beside it.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning.

    Attributes:
        id: Part of speech and offset, as in ``n01882714``.
        names: Its lemmas, the commonest first, with spaces instead of underscores.
        gloss: The definition, without examples.
        examples: Example sentences; usually none.
        category: The lexicographers' file: ``noun.animal``, ``verb.motion``, ...
    """

    id: str
    names: tuple[str, ...]
    gloss: str
    examples: tuple[str, ...] = ()
    category: str = ""


@dataclass(frozen=True, slots=True)
class ImagenetClass:
    """One class with its surroundings; every list is capped at 12 (names: 8).

    Attributes:
        index: Column in the classifier's output.
        synset: The class itself.
        ancestors: All hypernyms below "physical entity", nearest first.
        kinds: Direct hyponyms and instances.
        mentions: Synsets of any part of speech whose definition names this class, those that name it
            by its rarest name and are shortest first. A name whose first meaning is another is not
            looked for. Hypernyms and hyponyms are left out.
        related: Derivationally related synsets, their instances, and those that mention them: for a
            cello the cellist and the famous cellists.
        parts: Names of its parts and substances.
        part_of: Names of wholes that it is part of.
        groups: Names of groups that it is a member of: for an animal its genus.
        fields: Names of the domains that it belongs to.
    """

    index: int
    synset: Synset
    ancestors: tuple[Synset, ...] = ()
    kinds: tuple[Synset, ...] = ()
    mentions: tuple[Synset, ...] = ()
    related: tuple[Synset, ...] = ()
    parts: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its commonest name. Two pairs of classes share theirs ("crane", "maillot")."""
        return self.synset.names[0]


@cache
def knowledge() -> tuple[ImagenetClass, ...]:
    """The 1000 classes in the order of the classifier's output, which is that of the sorted ids.

    Example:
        >>> koala = knowledge()[105]
        >>> koala.name, koala.synset.category, koala.ancestors[0].names[0]
        ('koala', 'noun.animal', 'phalanger')
    """
    packed = files("ponder.models.lite").joinpath("data", "imagenet.json.gz").read_bytes()
    table = json.loads(gzip.decompress(packed))
    synsets = {
        key: Synset(key, tuple(names), gloss, tuple(examples), category)
        for key, (names, gloss, examples, category) in table["synsets"].items()
    }

    def those(keys: list[str]) -> tuple[Synset, ...]:
        return tuple(synsets[key] for key in keys)

    return tuple(
        ImagenetClass(
            index=index,
            synset=synsets[row["id"]],
            ancestors=those(row["ancestors"]),
            kinds=those(row["kinds"]),
            mentions=those(row["mentions"]),
            related=those(row["related"]),
            parts=tuple(row["parts"]),
            part_of=tuple(row["part_of"]),
            groups=tuple(row["groups"]),
            fields=tuple(row["fields"]),
        )
        for index, row in enumerate(table["classes"])
    )
