"""What is said of a class and of a motion."""

from __future__ import annotations

import pytest

from ponder.models.lite.wordnet import knowledge
from ponder.reason.knowledge import definition, further, gloss, names
from ponder.reason.motion import PHRASES, phrase


def test_every_class_is_named_defined_and_told_more_of() -> None:
    for thing in knowledge():
        assert names(thing).split(", ")[0] == thing.name
        assert definition(thing).startswith(names(thing))
        assert definition(thing).endswith(thing.synset.gloss)
        assert gloss(thing) == f"{names(thing)}: {thing.synset.gloss}"
        assert all(sentence.endswith(".") and len(sentence) > 3 for sentence in further(thing.index))


def test_kin_come_before_the_gloss_and_nearest_first() -> None:
    koala = knowledge()[105]
    kin = definition(koala).removesuffix(koala.synset.gloss)
    places = [kin.index(ancestor.names[0]) for ancestor in koala.ancestors[:3]]
    assert places == sorted(places)


def test_a_cello_brings_its_players() -> None:
    cello = next(thing for thing in knowledge() if thing.name == "cello")
    assert "cellist" in " ".join(further(cello.index))


def test_classes_that_share_their_name_are_defined_differently() -> None:
    assert len({definition(thing) for thing in knowledge()}) == len(knowledge())


def test_each_motion_has_words_of_its_own() -> None:
    assert len(set(map(phrase, PHRASES))) == len(PHRASES)


@pytest.mark.parametrize(("one", "other"), [("rises", "falls"), ("grows", "shrinks")])
def test_opposite_motions_share_no_telling_word(one: str, other: str) -> None:
    small = {"and", "from", "the", "to", "bottom", "top", "going"}
    assert not ({*phrase(one).replace(",", "").split()} & {*phrase(other).replace(",", "").split()}) - small
