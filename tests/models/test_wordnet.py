from __future__ import annotations

from importlib.resources import files

from ponder.models.lite.wordnet import knowledge


def named(name: str) -> int:
    return next(k.index for k in knowledge() if k.name == name)


def test_classes_stand_in_the_classifiers_order() -> None:
    ids = [k.synset.id for k in knowledge()]
    assert len(set(ids)) == 1000
    assert ids == sorted(ids)
    assert [k.index for k in knowledge()] == list(range(1000))
    # Three that every user of ImageNet knows by number.
    assert (named("tench"), named("koala"), named("toilet tissue")) == (0, 105, 999)


def test_each_class_has_names_a_definition_and_ancestors_up_to_object() -> None:
    for k in knowledge():
        assert k.synset.names and all(name and "_" not in name for name in k.synset.names)
        assert k.synset.gloss and '"' not in k.synset.gloss
        assert k.ancestors and "physical entity" not in {a.names[0] for a in k.ancestors}
        assert k.synset.category.startswith("noun.")
        assert all(len(found) <= 12 for found in (k.kinds, k.mentions, k.related))


def test_examples_are_apart_from_the_definition() -> None:
    church = knowledge()[named("church")].synset
    assert church.gloss == "a place for public (especially Christian) worship"
    assert church.examples == ("the church was empty",)


def test_a_dog_is_a_dog_before_it_is_an_animal() -> None:
    names = [a.names[0] for a in knowledge()[named("dalmatian")].ancestors]
    assert names.index("dog") < names.index("canine") < names.index("mammal")


def test_mentions_say_the_name_and_are_no_kin() -> None:
    cello = knowledge()[named("cello")]
    assert "string quartet" in {m.names[0] for m in cello.mentions}
    assert {"cellist", "Casals"} <= {r.names[0] for r in cello.related}
    for k in knowledge():
        kin = {s.id for s in (k.synset, *k.ancestors, *k.kinds)}
        assert not kin & {m.id for m in k.mentions}
        for m in k.mentions:
            text = m.gloss.lower().replace("-", " ")
            stems = [name.lower().replace("-", " ") for name in k.synset.names]
            assert any(stem in text or stem[:-1] in text for stem in stems), (k.name, m)


def test_a_name_that_means_something_else_first_is_not_looked_for() -> None:
    cranes = [k for k in knowledge() if k.name == "crane"]
    assert {k.synset.category for k in cranes} == {"noun.animal", "noun.artifact"}
    by_category = {k.synset.category: k for k in cranes}
    machine = {m.id for m in by_category["noun.artifact"].mentions}
    assert not machine & {m.id for m in by_category["noun.animal"].mentions}


def test_the_licence_is_beside_the_data() -> None:
    licence = files("ponder.models.lite").joinpath("data", "LICENSE.wordnet.txt").read_text("utf-8")
    assert licence.startswith("This software and database is being provided")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence
