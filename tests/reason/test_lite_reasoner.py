"""The lite reasoner's composition, with a perceiver that is told what there is to see."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import Told, WordLanguage, glimpse

from ponder.models.lite.motion import Motion
from ponder.models.lite.naming import question
from ponder.models.lite.perception import Perception
from ponder.models.lite.wordnet import knowledge
from ponder.reason.knowledge import definition, further, gloss
from ponder.reason.lite import CLASSES, LiteReasoner
from ponder.reason.motion import phrase
from ponder.records import Content, Reasoning, Usage
from ponder.testing.examples import clip_content, page_content, picture_content, text_content

PLENTY = 100_000
PICTURE = picture_content((1, 2, 3))
COST = Usage(read=98)
# Likely enough, each of them, to be worth words.
LIKELY = st.lists(
    st.tuples(st.integers(0, 999), st.floats(0.4, 0.6)),
    min_size=1,
    max_size=CLASSES,
    unique_by=lambda c: c[0],
).map(lambda classes: sorted(classes, key=lambda c: -c[1]))
ANY = st.lists(
    st.tuples(st.integers(0, 999), st.floats(0.0, 1.0)), max_size=10, unique_by=lambda c: c[0]
).map(lambda classes: sorted(classes, key=lambda c: -c[1]))


def reason(seen: Perception, tokens: int, content: Content = PICTURE, role: str = "document") -> Reasoning:
    reasoner = LiteReasoner(Told({content.digest: seen}), WordLanguage())
    return reasoner.reason([content], role=role, tokens=tokens)[0]


def of_classes(classes: list[tuple[int, float]], tokens: int, **told) -> Reasoning:
    return reason(Perception(glimpse(*classes, **told), usage=COST), tokens)


def sentences(classes: list[tuple[int, float]]) -> list[str]:
    """All there is to say, in the order of its worth."""
    things = [knowledge()[index] for index, _ in classes]
    return [f"{definition(thing)}." for thing in things] + list(further(things[0].index))


def said(reasoning: Reasoning, everything: list[str], likeliest: int) -> list[int]:
    """Numbers of the sentences that the reasoning consists of, which must be in order.

    -2 stands for the likeliest's name, -1 for its gloss too; its whole definition (0) says both.
    """
    thing = knowledge()[likeliest]
    rest, found = reasoning.text, []
    shorter = [] if rest.startswith(everything[0]) else [gloss(thing), thing.name]
    for place, form in enumerate(shorter):
        if rest.startswith(f"{form}."):
            found = [-2, -1][: 2 - place]
            rest = rest.removeprefix(f"{form}.").removeprefix(" ")
            break
    for number, sentence in enumerate(everything):
        if rest.startswith(sentence):
            found += [number] if number else [-2, -1, 0]
            rest = rest.removeprefix(sentence).removeprefix(" ")
    assert rest == ""
    return found


@given(ANY, st.integers(0, 400))
def test_never_writes_more_than_it_may(classes, tokens):
    reasoning = of_classes(classes, tokens, colours=[("red", 0.7)])
    assert 0 <= reasoning.usage.written <= tokens
    assert reasoning.tokens == WordLanguage().count(reasoning.text)


@given(LIKELY, st.integers(1, 400))
def test_what_is_written_is_paid_to_the_word(classes, tokens):
    reasoning = of_classes(classes, tokens)
    if reasoning.usage.written:
        assert WordLanguage().count(reasoning.text) == reasoning.usage.written


@given(LIKELY)
def test_given_plenty_all_is_said_the_likeliest_first_and_in_full(classes):
    reasoning = of_classes(classes, PLENTY)
    everything = sentences(classes)
    assert said(reasoning, everything, classes[0][0]) == list(range(-2, len(everything)))
    assert not reasoning.truncated
    claims = reasoning.parts[0].facts["claims"]
    assert [claim[3] for claim in claims] == [knowledge()[index].name for index, _ in classes]
    assert sum(claim[2] for claim in claims) == pytest.approx(1, abs=1e-3)


def test_the_likeliest_class_speaks_first_if_only_its_name():
    """A short definition of the second class must not stand where the likeliest's found no room."""
    count = WordLanguage().count
    short, long = sorted((388, 340), key=lambda index: count(definition(knowledge()[index])))
    classes = [(long, 0.6), (short, 0.4)]
    likeliest = knowledge()[long]
    forms = definition(likeliest), gloss(likeliest), likeliest.name
    assert count(forms[0]) > count(definition(knowledge()[short])) > count(forms[2])
    for form in forms:
        reasoning = of_classes(classes, count(form))
        assert reasoning.text == f"{form}."
        assert [(claim[0], claim[3]) for claim in reasoning.parts[0].facts["claims"]] == [
            (form, likeliest.name)
        ]
    nothing = of_classes(classes, count(likeliest.name) - 1)
    assert nothing.usage.written == 0 and nothing.truncated
    assert nothing.parts[0].facts["claims"] == []


@given(LIKELY, st.integers(1, 400))
def test_no_class_speaks_before_the_likeliest(classes, tokens):
    reasoning = of_classes(classes, tokens)
    claims = reasoning.parts[0].facts["claims"]
    assert bool(claims) == bool(reasoning.usage.written)
    if claims:
        assert claims[0][3] == knowledge()[classes[0][0]].name
        assert reasoning.text.startswith(f"{claims[0][0]}.")


@given(LIKELY, st.integers(1, 300), st.integers(1, 200))
def test_more_tokens_go_to_the_first_sentence_that_had_found_no_room(classes, tokens, more):
    everything = sentences(classes)
    few, many = (
        said(reasoning, everything, classes[0][0]) if reasoning.usage.written else []
        for reasoning in (of_classes(classes, tokens), of_classes(classes, tokens + more))
    )
    differ = sorted(set(few) ^ set(many))
    assert not differ or differ[0] in many


@given(LIKELY, st.integers(1, 400))
def test_what_found_no_room_is_marked(classes, tokens):
    reasoning = of_classes(classes, tokens)
    if reasoning.usage.written:
        everything = sentences(classes)
        assert reasoning.truncated == (len(said(reasoning, everything, classes[0][0])) < len(everything) + 2)


@given(ANY)
def test_without_tokens_no_knowledge_is_added(classes):
    """`--reasoning off`: five names, the words in the picture, the colours."""
    seen = Perception(glimpse(*classes, colours=[("red", 0.7)]), words="Post Office", usage=COST)
    reasoning = reason(seen, 0)
    things = [knowledge()[index] for index, probability in classes[:CLASSES]]
    assert reasoning.usage.written == 0
    assert not reasoning.truncated
    for part in reasoning.parts:
        assert not part.facts.get("claims")
    if sum(probability for _, probability in classes[:CLASSES]) > 0:
        names = "; ".join(thing.name for thing in things)
        assert reasoning.text == f"{names} Colours: red. It reads: Post Office"
        assert not any(thing.synset.gloss in reasoning.text for thing in things)


@given(ANY, st.integers(0, 200))
def test_a_document_keeps_its_likely_names_for_the_judges_and_says_what_was_read_for_it(classes, tokens):
    language = WordLanguage()
    told = Told({PICTURE.digest: Perception(glimpse(*classes), usage=COST)})
    reasoning = LiteReasoner(told, language).reason([PICTURE], role="document", tokens=tokens)[0]
    assert reasoning.usage.read == COST.read + language.read
    things = reasoning.parts[0].facts["things"]
    assert [name for name, _, _ in things] == sorted(
        {name for name, _, _ in things}, key=[knowledge()[i].name for i, _ in classes].index
    )
    if sum(probability for _, probability in classes[:CLASSES]) > 0:
        assert 1 <= len(things) <= 3
        assert sum(weight for _, weight, _ in things) == pytest.approx(1, abs=1e-3)
        assert all(prior < 0 for _, _, prior in things)


def test_unlikely_classes_are_known_of_and_not_spoken_of():
    reasoning = of_classes([(105, 0.97), (340, 0.02)], PLENTY)
    assert gloss(knowledge()[340]) not in reasoning.text
    assert [claim[3] for claim in reasoning.parts[0].facts["claims"]] == ["koala", "zebra"]


def test_names_and_metadata_of_a_picture_are_not_its_reasoning_but_its_writing_is():
    reasoning = reason(Perception(glimpse((105, 1.0)), words="AUSTRALIA 45c"), 64)
    assert "It reads: AUSTRALIA 45c" in reasoning.text
    assert [part.label for part in reasoning.parts] == ["", "chars=0-13"]
    assert reasoning.parts[1].text == "AUSTRALIA 45c"


class TestClips:
    CLIP = clip_content((20, 20, 220), (20, 160, 20))

    def reason(self, tokens: int, *motions: str) -> Reasoning:
        spans = [(2.0 * i, 2.0 * i + 2) for i in range(len(motions))]
        segments = tuple(
            glimpse((105, 0.9), (340, 0.1), span=span, motion=motion)
            for span, motion in zip(spans, motions, strict=True)
        )
        return reason(Perception(glimpse((105, 0.9)), segments, usage=COST), tokens, self.CLIP)

    def test_each_segment_says_what_moves_how(self):
        reasoning = self.reason(PLENTY, "rises", "spins")
        assert [part.label for part in reasoning.parts] == ["", "t=0,2", "t=2,4"]
        assert reasoning.parts[1].text == f"koala {phrase('rises')}."
        assert reasoning.parts[2].text == f"koala {phrase('spins')}."
        assert reasoning.parts[1].text in reasoning.text

    def test_without_tokens_nothing_is_said_of_motion(self):
        reasoning = self.reason(0, "rises", "spins")
        assert [part.text for part in reasoning.parts[1:]] == ["koala; zebra"] * 2
        assert all(part.facts["motion"] == "" and not part.facts["claims"] for part in reasoning.parts[1:])

    @given(st.integers(0, 200))
    def test_segments_are_paid_for_too(self, tokens):
        assert self.reason(tokens, *["rises"] * 6).usage.written <= tokens

    @pytest.mark.parametrize("motion", get_args(Motion))
    def test_every_motion_that_is_seen_can_be_said(self, motion):
        assert self.reason(PLENTY, motion).parts[1].facts["motion"] == motion
        assert (phrase(motion) == "is seen") == (motion == "unknown")


class TestTexts:
    TEXT = "Spring tides come at new and full moon when sun and moon pull together. " * 8

    @pytest.mark.parametrize("make", [text_content, page_content])
    def test_a_text_speaks_for_itself_passage_by_passage(self, make):
        content = make(self.TEXT)
        reasoning = reason(Perception(glimpse()), 64, content)
        assert [p.text for p in reasoning.parts[1:]] == [p.text for p in content.passages]
        assert [p.label for p in reasoning.parts[1:]] == [
            f"chars={p.start}-{p.end}" for p in content.passages
        ]
        lead = reasoning.parts[0].facts["lead"]
        assert self.TEXT.startswith(lead)
        assert reasoning.usage.written == WordLanguage().count(lead) > 0

    @pytest.mark.parametrize("tokens", [0, 3])
    def test_no_lead_without_the_tokens_for_it(self, tokens):
        reasoning = reason(Perception(glimpse()), tokens, text_content(self.TEXT))
        assert reasoning.parts[0].facts["lead"] == ""
        assert reasoning.usage.written == 0
        assert reasoning.truncated == bool(tokens)

    def test_a_page_without_a_text_layer_is_what_was_read_on_it(self):
        page = page_content("")
        reasoning = reason(Perception(glimpse(), words="Madder roots dye wool red."), 64, page)
        assert reasoning.parts[1].text == "Madder roots dye wool red."

    def test_a_page_without_any_words_has_reasoning_without_any(self):
        assert reason(Perception(glimpse()), 64, page_content("")).usage == Usage()


class TestQueries:
    @given(ANY, st.integers(0, 400))
    def test_looks_and_words_stay_within_the_tokens(self, classes, tokens):
        seen = Perception(glimpse(*classes, colours=[("red", 1.0)]), usage=COST)
        language = WordLanguage()
        reasoner = LiteReasoner(Told({PICTURE.digest: seen}), language)
        assert reasoner.reason([PICTURE], role="query", tokens=tokens)[0].usage.spent <= tokens
        assert language.read == 0

    def test_a_picture_that_cannot_be_paid_for_gets_no_thought(self):
        seen = Perception(glimpse((105, 1.0)), usage=COST)
        thought = reason(seen, COST.read, role="query")
        assert thought.text == "" and thought.truncated
        assert "koala" in reason(seen, COST.read + 60, role="query").text

    @given(st.text(max_size=40), st.integers(0, 60))
    def test_naming_stays_within_the_tokens_and_tells_what_was_read(self, text, tokens):
        language = WordLanguage("a very large grey animal of Africa")
        thought = LiteReasoner(Told(), language).reason([text_content(text)], role="query", tokens=tokens)[0]
        assert thought.usage.spent <= tokens
        assert thought.usage.read == language.read

    def test_words_are_named(self):
        asked = text_content("the instrument of Casals")
        reasoner = LiteReasoner(Told(), WordLanguage("cello."))
        price = WordLanguage().count(question(asked.text))
        thought = reasoner.reason([asked], role="query", tokens=price + 3)[0]
        assert (thought.text, thought.usage, thought.truncated) == ("cello", Usage(price, 1), False)
        unpaid = reasoner.reason([asked], role="query", tokens=price)[0]
        assert (unpaid.text, unpaid.usage, unpaid.truncated) == ("", Usage(), True)

    def test_a_picture_beside_the_words_is_thought_about_and_they_are_not_named(self):
        seen = Perception(glimpse((105, 1.0)), usage=COST)
        query = replace(PICTURE, text="but in red")
        reasoner = LiteReasoner(Told({query.digest: seen}), WordLanguage("a cello"))
        assert "koala" in reasoner.reason([query], role="query", tokens=COST.read + 60)[0].text


def test_the_fingerprint_tells_perceivers_and_measures_apart():
    perceiver, language = Told(), WordLanguage()
    plain = LiteReasoner(perceiver, language).fingerprint
    assert plain == LiteReasoner(Told(), WordLanguage()).fingerprint
    perceiver.fingerprint = "another"
    changed = LiteReasoner(perceiver, language).fingerprint
    language.fingerprint = "another measure"
    assert len({plain, changed, LiteReasoner(perceiver, language).fingerprint}) == 3


def test_a_query_s_own_words_are_not_in_its_thought():
    """The embedder reads them beside it: twice would weigh them twice."""
    query = replace(PICTURE, text="but in red")
    seen = Perception(glimpse((105, 1.0)), usage=COST)
    assert "but in red" not in reason(seen, COST.read + 60, query, "query").text
