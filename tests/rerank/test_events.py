"""Clips judged by their events: order, motions, moments, and the tokens that are paid for them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import HashedEncoder, Told, WordLanguage, glimpse

from ponder.embed.lite import LiteEmbedder, meaning_of
from ponder.models.lite.perception import Perception
from ponder.models.lite.wordnet import knowledge
from ponder.records import Candidate, Content, Embedded, Item, PartReasoning, Reasoning, Row
from ponder.rerank.events import EventsJudge, applies
from ponder.testing.examples import text_content

PLENTY = 100_000
ENCODER = HashedEncoder()


def clip(id_: str, *events: tuple[str, str], span: tuple[float, float] | None = None) -> Candidate:
    """A stored clip in which these things do these motions, one after the other, or one moment of a clip."""
    parts, rows = [PartReasoning("", "")], [np.zeros(400, np.float32)]
    for number, (thing, motion) in enumerate(events):
        facts = {
            "claims": [["", "", 1.0, thing]],
            "motion": motion,
            "confidence": 0.9,
            "span": [number, number + 1],
        }
        parts.append(PartReasoning(f"t={number},{number + 1}", f"{thing} {motion}", facts))
        rows.append(np.concatenate([ENCODER.encode([thing])[0], np.zeros(16)]).astype(np.float32))
    item = Item(id_, "video", path="clip.mp4" if span else f"{id_}.mp4", span=span)
    embedded = Embedded(tuple(part.label for part in parts), np.stack(rows))
    return Candidate(Row(item, Reasoning(parts=tuple(parts)), embedded), "", 0.5, 1)


def first(vector: np.ndarray) -> np.ndarray:
    """The meaning in `clip`'s vectors: it stands first, at its full length."""
    return vector[:384]


def judged(text: str, *candidates: Candidate, limit: int = PLENTY, **how) -> dict[str, float | None]:
    judgement = EventsJudge(WordLanguage(), ENCODER, first, **how).judge(
        text_content(text), candidates, limit=limit
    )
    return {verdict.id: verdict.score for verdict in judgement.verdicts}


def best(text: str, *candidates: Candidate, **how) -> str:
    scores = judged(text, *candidates, **how)
    return max(scores, key=lambda id_: scores[id_])


TRAM_THEN_CROW = clip("tram first", ("a tram", "rises"), ("a crow", "spins"))
CROW_THEN_TRAM = clip("crow first", ("a crow", "spins"), ("a tram", "rises"))


@pytest.mark.parametrize("write", [True, False])
def test_the_order_that_is_asked_for_wins(write) -> None:
    both = TRAM_THEN_CROW, CROW_THEN_TRAM
    assert best("First a crow spins, then a tram rises", *both, write=write) == "crow first"
    assert best("a crow spins after a tram rises", *both, write=write) == "tram first"


def test_events_between_may_be_passed_over() -> None:
    long = clip("long", ("a crow", "spins"), ("a key", "falls"), ("a tram", "rises"))
    assert best("First a crow spins, then a tram rises", long, TRAM_THEN_CROW) == "long"


def test_without_an_order_either_will_do() -> None:
    scores = judged("a crow spins while a tram rises", TRAM_THEN_CROW, CROW_THEN_TRAM)
    assert scores["tram first"] == pytest.approx(scores["crow first"])


def test_the_right_motion_of_the_right_thing_and_nothing_more() -> None:
    wrong_motion = clip("wrong motion", ("a crow", "falls"))
    wrong_thing = clip("wrong thing", ("a key", "falls"))
    right = clip("right", ("a crow", "spins"))
    scores = judged("a crow spins", wrong_thing, wrong_motion, CROW_THEN_TRAM, right)
    assert sorted(scores, key=lambda id_: scores[id_]) == [
        "wrong thing",
        "wrong motion",
        "crow first",
        "right",
    ]


def test_a_motion_that_nobody_saw_counts_for_half() -> None:
    seen, unseen, other = (clip(m or "none", ("a crow", m)) for m in ("spins", "", "falls"))
    scores = judged("a crow spins", seen, unseen, other)
    assert scores["spins"] > scores["none"] > scores["falls"]


def moments(*things: str) -> list[Candidate]:
    return [clip(thing, (thing, "spins"), span=(4.0 * i, 4.0 * i + 3.5)) for i, thing in enumerate(things)]


def test_the_neighbour_in_time_answers_after_and_before() -> None:
    found = moments("a key", "a crow", "a tram", "a fir")
    shuffled = [found[2], found[1], found[3], found[0]]
    assert best("What is shown right after a crow?", *shuffled) == "a tram"
    assert best("What is shown right before a crow?", *shuffled) == "a key"
    assert best("Every moment in which a fir is on screen", *shuffled) == "a fir"


def test_a_gap_in_the_candidates_is_no_neighbourhood() -> None:
    key, crow, _, fir = moments("a key", "a crow", "a tram", "a fir")
    scores = judged("What is shown right after a crow?", key, crow, fir)
    assert scores["a fir"] == pytest.approx(scores["a key"], abs=0.3)


def test_it_says_what_it_saw() -> None:
    judgement = EventsJudge(WordLanguage(), ENCODER, first).judge(
        text_content("a crow spins"), [clip("x", ("a crow", "falls"))], limit=PLENTY
    )
    assert judgement.verdicts[0].reasoning == "0.0-1.0 s, for 'a crow': a crow falls (0.9 sure), not spins."


EVENT = st.tuples(
    st.sampled_from(["a crow", "a tram", "a key"]), st.sampled_from(["spins", "falls", "", "still"])
)
CLIPS = st.lists(st.lists(EVENT, max_size=4), max_size=6).map(
    lambda told: [clip(str(i), *events) for i, events in enumerate(told)]
)
TEXTS = st.sampled_from(
    ["a crow spins", "First a crow falls, then a key spins", "What comes after a key?", "crow"]
)


@given(TEXTS, CLIPS, st.integers(0, 150), st.booleans())
def test_never_over_the_limit_and_a_score_does_not_hang_on_it(text, clips, limit, write) -> None:
    judge = EventsJudge(WordLanguage(), ENCODER, first, write=write)
    judgement = judge.judge(text_content(text), clips, limit=limit)
    assert judgement.usage.spent <= limit
    assert judgement.usage.written == sum(WordLanguage().count(v.reasoning) for v in judgement.verdicts)
    rich = {v.id: v.score for v in judge.judge(text_content(text), clips, limit=PLENTY).verdicts}
    assert all(rich[verdict.id] == verdict.score for verdict in judgement.verdicts)
    assert [v.id for v in judgement.verdicts] == [c.row.item.id for c in clips][: len(judgement.verdicts)]


def test_the_poor_get_less_said_about_each_and_the_very_poor_nothing() -> None:
    judge, query = EventsJudge(WordLanguage(), ENCODER, first), text_content("a crow spins")
    clips = [clip("a", ("a crow", "spins")), clip("b", ("a tram", "spins"))]
    rich = judge.judge(query, clips, limit=PLENTY)
    poor = judge.judge(query, clips, limit=rich.usage.spent - 1)
    assert len(poor.verdicts) == 2
    assert poor.usage.written < rich.usage.written
    assert judge.judge(query, clips, limit=poor.usage.read).usage.spent == 0


def test_applies_to_clips_and_to_what_only_clips_show() -> None:
    picture = replace(TRAM_THEN_CROW, row=replace(TRAM_THEN_CROW.row, item=Item("p", "image")))
    assert applies(text_content("a crow spins"), TRAM_THEN_CROW)
    assert not applies(text_content("a crow spins"), picture)
    assert not applies(text_content("a crow in a tree"), TRAM_THEN_CROW)
    assert judged("a crow in a tree", TRAM_THEN_CROW) == {}


def test_a_clip_without_segments_gets_no_score() -> None:
    assert judged("a crow spins", clip("empty"), CROW_THEN_TRAM)["empty"] is None


@pytest.mark.parametrize("scale", [1.5, 2.5])
def test_the_meaning_that_is_stored_is_the_one_that_is_read_back(scale, monkeypatch) -> None:
    """The scale of stored vectors has one home."""
    monkeypatch.setattr("ponder.embed.lite._SCALE", scale)
    koala = 105
    content = Content("video", "d", segments=((0.0, 1.0),))
    seen = Perception(glimpse((koala, 1.0)), (glimpse((koala, 1.0), span=(0.0, 1.0)),))
    embedder = LiteEmbedder(Told({"d": seen}), ENCODER, _Vision())
    row = embedder.embed_documents([content], [Reasoning()])[0]
    named = ENCODER.encode([", ".join(knowledge()[koala].synset.names)])[0]
    assert meaning_of(row.vectors[1]) == pytest.approx(named, abs=1e-3)


class _Vision:
    fingerprint = "none"

    def directions(self, count: int) -> np.ndarray:
        return np.eye(count, 1280, dtype=np.float32)
