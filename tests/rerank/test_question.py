"""Queries about clips, taken apart: motions, order, moments, in words of many kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.rerank.question import Asked, understand
from ponder.rerank.sayings import heard

SAID = {
    "left to right": [
        "drives off to the right",
        "enters on the left and leaves on the right",
        "runs rightwards",
    ],
    "right to left": ["moves from the right side to the left side", "is drifting leftward"],
    "rises": ["soars into the air", "is floating upwards", "climbs from below", "takes off"],
    "falls": ["plummets", "tumbles down", "descends to the floor", "came down from the sky"],
    "grows": ["gets bigger and bigger", "approaches", "swells up", "comes towards the camera"],
    "shrinks": [
        "dwindles",
        "becomes ever smaller",
        "recedes into the distance",
        "moves away from the viewer",
    ],
    "appears": ["materialises", "fades in", "comes into view", "slowly becomes visible"],
    "disappears": ["fades away", "vanishes into thin air", "dissolves", "becomes transparent"],
    "spins": ["twirls", "turns around", "is rotating on its own axis", "goes round and round"],
    "bounces": ["hops", "leaps up and down", "keeps jumping on the spot"],
    "still": ["stands motionless", "does not move", "isn't moving", "stays put"],
}
EVERY_SAYING = [(motion, said) for motion, sayings in SAID.items() for said in sayings]


@pytest.mark.parametrize(("motion", "said"), EVERY_SAYING)
@pytest.mark.parametrize("frame", ["{}", "In this clip {}", "A video in which {}", "We see how {}"])
def test_the_thing_and_what_it_does(frame, motion, said) -> None:
    assert understand(frame.format(f"an old tram {said}")).events == (Asked("an old tram", motion),)


@pytest.mark.parametrize(
    "text",
    [
        "First a tram vanishes, then a crow hops",
        "A tram vanishes and then a crow hops.",
        "A crow hops after a tram vanishes",
        "a crow hops right after a tram vanishes",
        "Before a crow hops, a tram vanishes",
        "Once a tram vanishes, a crow hops",
        "A tram vanishes; next a crow hops",
        "A tram vanishes before a crow hops",
        "A tram vanishes. Afterwards a crow hops.",
        "a tram vanishes, followed by a crow hopping",
        "A crow hops, but before that a tram vanishes",
    ],
)
def test_events_come_in_the_order_of_time(text) -> None:
    question = understand(text)
    assert question.ordered
    assert [(event.thing.lower(), event.motion) for event in question.events] == [
        ("a tram", "disappears"),
        ("a crow", "bounces"),
    ]


def test_order_survives_a_direction_before_the_connective() -> None:
    events = understand("A tram moves towards the right after a crow rises").events
    assert events == (Asked("a crow", "rises"), Asked("A tram", "left to right"))


def test_a_pronoun_or_nothing_means_who_was_spoken_of() -> None:
    assert understand("A crow hops and then it vanishes").events[1] == Asked("A crow", "disappears")
    assert understand("A crow hops before vanishing").events[1] == Asked("A crow", "disappears")
    assert understand("Before it vanishes, a crow hops").events == (
        Asked("a crow", "bounces"),
        Asked("a crow", "disappears"),
    )


def test_who_stands_by_is_no_event() -> None:
    for text in (
        "A crow hops while a tram stays still",
        "With a tram standing motionless at the side, a crow hops",
        "A crow hops beside a motionless tram",
    ):
        question = understand(text)
        assert question.events[0].motion == "bounces"
        assert len(question.events) == 1
        assert question.aside == ("a tram",)


def test_what_happens_meanwhile_has_no_order() -> None:
    question = understand("A crow hops while a tram vanishes")
    assert len(question.events) == 2
    assert not question.ordered


@pytest.mark.parametrize(
    ("text", "seeks"),
    [
        ("What is shown right after a crow?", "after"),
        ("Which animal comes directly after a crow", "after"),
        ("the moment following a crow", "after"),
        ("What can be seen just before a crow?", "before"),
        ("What precedes a crow?", "before"),
        ("Every moment in which a crow is on screen", "every"),
        ("Show me all scenes with a crow", "every"),
        ("The parts of the video that show a crow", "every"),
        ("When is a crow visible?", "every"),
    ],
)
def test_moments_are_asked_for_in_many_ways(text, seeks) -> None:
    question = understand(text)
    assert (question.seeks, question.events) == (seeks, (Asked("a crow"),))
    assert question.tells


@pytest.mark.parametrize(
    "text",
    [
        "a hopping marsupial",
        "the rising sun over a lake",
        "a drop of water",
        "a building with rotating sails",
        "a night-flying mammal",
        "leaves of an oak next to a lake",
        "a path seen from above",
        "",
    ],
)
def test_what_a_thing_is_is_not_what_it_does(text) -> None:
    assert not understand(text).tells


@given(st.text(max_size=80))
def test_no_text_is_too_strange(text) -> None:
    question = understand(text)
    assert question.tells in (True, False)
    assert all(0 <= one.start < one.end <= len(text.lower()) for one in heard(text))
