"""The lite embedder's composition, with engines that are told what to see and hash what they read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lite_stand_ins import DIM, ColourVision, HashedEncoder, Told, WordLanguage, glimpse

from ponder.embed.lite import LiteEmbedder
from ponder.evaluate.shuffle import shuffled
from ponder.models.lite.perception import Perception
from ponder.models.lite.wordnet import knowledge
from ponder.reason.lite import LiteReasoner
from ponder.records import Content, Embedded, PartReasoning, Reasoning
from ponder.testing.examples import clip_content, page_content, picture_content, text_content

KOALA, ZEBRA, PANDA = 105, 340, 388
PICTURE = picture_content((1, 2, 3))
OTHER_PICTURE = picture_content((4, 5, 6))
CLIP = clip_content((20, 20, 220), (20, 160, 20))
TEXT = text_content("Spring tides come at new and full moon when sun and moon pull together. " * 4)
CLASSES = st.lists(
    st.tuples(st.integers(0, 999), st.floats(0.0, 1.0)), max_size=10, unique_by=lambda c: c[0]
).map(lambda classes: sorted(classes, key=lambda c: -c[1]))


# One for all: its projections take a second to make.
TOLD = Told()
EMBEDDER = LiteEmbedder(TOLD, HashedEncoder(), ColourVision())


def embedder(**seen: Perception) -> LiteEmbedder:
    TOLD.seen = seen
    return EMBEDDER


def document(content: Content, seen: Perception, tokens: int = 400) -> Embedded:
    reasoner = LiteReasoner(Told({content.digest: seen}), WordLanguage())
    reasoning = reasoner.reason([content], role="document", tokens=tokens)[0]
    return embedded(content, seen, reasoning)


def embedded(content: Content, seen: Perception, reasoning: Reasoning) -> Embedded:
    return embedder(**{content.digest: seen}).embed_documents([content], [reasoning])[0]


def clip_seen(*motions: str) -> Perception:
    segments = tuple(
        glimpse((KOALA, 0.9), span=(2.0 * i, 2.0 * i + 2), motion=motion, seed=i)
        for i, motion in enumerate(motions)
    )
    return Perception(glimpse((KOALA, 0.9)), segments)


def query(text: str) -> np.ndarray:
    return embedder().embed_queries([text_content(text)], [None])[0]


def names(index: int) -> str:
    return ", ".join(knowledge()[index].synset.names)


@settings(max_examples=40)
@given(CLASSES, st.integers(0, 300), st.sampled_from(["", "Post Office", "nine words of writing"]))
def test_pictures_have_unit_vectors_filled_up_from_below(classes, tokens, written):
    seen = Perception(glimpse(*classes, colours=[("red", 0.6)]), words=written)
    found = document(PICTURE, seen, tokens)
    assert found.vectors.shape == (1 + bool(written), DIM)
    assert found.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert (found.vectors[:, -1] >= 0).all()
    np.testing.assert_array_equal(found.vectors, document(PICTURE, seen, tokens).vectors)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (TEXT, Perception(glimpse())),
        (page_content(TEXT.text), Perception(glimpse())),
        (page_content(""), Perception(glimpse(), words="read on the page")),
        (page_content(""), Perception(glimpse())),
        (CLIP, clip_seen("rises", "spins")),
    ],
)
@pytest.mark.parametrize("tokens", [0, 300])
def test_every_part_has_its_vector(content, seen, tokens):
    reasoner = LiteReasoner(Told({content.digest: seen}), WordLanguage())
    reasoning = reasoner.reason([content], role="document", tokens=tokens)[0]
    found = embedded(content, seen, reasoning)
    assert found.labels == tuple(part.label for part in reasoning.parts)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)


def test_reasoning_changes_a_picture_and_its_absence_leaves_the_names():
    seen = Perception(glimpse((KOALA, 1.0)))
    off, on = document(PICTURE, seen, 0), document(PICTURE, seen, 400)
    assert float(off.vectors[0] @ on.vectors[0]) < 0.99
    # Without claims the meaning *is* the name: nothing is nearer to the query of just that name.
    assert float(query(names(KOALA)) @ off.vectors[0]) > float(query(names(KOALA)) @ on.vectors[0])


def test_anothers_reasoning_changes_a_picture():
    first, second = Perception(glimpse((KOALA, 1.0))), Perception(glimpse((ZEBRA, 1.0)))
    reasoner = LiteReasoner(Told({PICTURE.digest: first, OTHER_PICTURE.digest: second}), WordLanguage())
    own = reasoner.reason([PICTURE, OTHER_PICTURE], role="document", tokens=400)
    others = shuffled(own, seed=0)
    before, after = (embedded(PICTURE, first, reasoning[0]) for reasoning in (own, others))
    assert float(before.vectors[0] @ after.vectors[0]) < 0.9
    assert float(query("zebra") @ after.vectors[0]) > float(query("zebra") @ before.vectors[0])


def test_a_clip_takes_reasoning_with_another_number_of_segments():
    seen = clip_seen("rises", "spins", "falls")
    other = LiteReasoner(Told({CLIP.digest: clip_seen("grows", "still")}), WordLanguage())
    found = embedded(CLIP, seen, other.reason([CLIP], role="document", tokens=400)[0])
    assert found.labels == ("", "t=0,2", "t=2,4", "t=4,6")


def test_a_segment_is_found_by_how_it_moves():
    found = document(CLIP, clip_seen("rises", "spins"))
    for motion, label in (("rises from the bottom, going up", "t=0,2"), ("rotating on the spot", "t=2,4")):
        assert found.labels[int((found.vectors @ query(motion)).argmax())] == label


def test_doubt_makes_a_picture_score_low_and_fills_more():
    """Means are not brought back to unit norm: who wavers between five things is none of them."""
    sure = document(PICTURE, Perception(glimpse((KOALA, 1.0)))).vectors[0]
    unsure = document(PICTURE, Perception(glimpse(*((i, 0.2) for i in (KOALA, ZEBRA, 1, 2, 3))))).vectors[0]
    asked = query(names(KOALA))
    assert float(asked @ sure) > float(asked @ unsure)
    assert unsure[-1] > sure[-1]


def test_a_text_is_found_by_its_words_and_its_passage_is_named():
    texts = [text_content("tides " * 12 + "a moon pulls the sea " * 4), text_content("bread wants salt " * 8)]
    rows = [document(text, Perception(glimpse())) for text in texts]
    scores = [row.vectors @ query("a moon pulls the sea") for row in rows]
    assert scores[0].max() > scores[1].max()
    assert rows[0].labels[int(scores[0].argmax())].startswith("chars=")


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (TEXT, Perception(glimpse())),
        (text_content("one short passage"), Perception(glimpse())),
        (page_content(TEXT.text), Perception(glimpse())),
        (page_content(""), Perception(glimpse(), words="read on the page")),
    ],
)
def test_without_reasoning_a_text_is_embedded_as_with_one_of_no_knowledge(content, seen):
    bare, off = embedded(content, seen, Reasoning()), document(content, seen, 0)
    assert bare.labels == off.labels and len(bare.labels) > 1
    np.testing.assert_array_equal(bare.vectors, off.vectors)


def test_a_passage_is_read_as_part_of_its_page_only_with_reasoning():
    off, on = (document(TEXT, Perception(glimpse()), tokens) for tokens in (0, 400))
    assert not np.allclose(off.vectors[1:], on.vectors[1:], atol=1e-3)
    neighbours = [float(rows.vectors[1] @ rows.vectors[-1]) for rows in (off, on)]
    assert neighbours[1] > neighbours[0]


def test_a_page_as_a_whole_is_found_by_what_is_said_of_it_be_it_true_or_not():
    seen = Perception(glimpse())
    own, other = (
        embedded(TEXT, seen, Reasoning(parts=(PartReasoning("", said, {"lead": said}),)))
        for said in ("spring tides", "baking bread")
    )
    asked = query("baking bread")
    assert float(other.vectors[0] @ asked) > float(own.vectors[0] @ asked) + 0.3


class TestQueries:
    SEEN = Perception(glimpse((PANDA, 0.9), seed=5))

    def ask(self, content: Content, thought: Reasoning | None = None) -> np.ndarray:
        return embedder(**{content.digest: self.SEEN}).embed_queries([content], [thought])[0]

    @pytest.mark.parametrize("content", [TEXT, PICTURE, replace(PICTURE, text="in blue"), CLIP])
    def test_have_unit_norm_and_meet_no_filling(self, content):
        vector = self.ask(content)
        assert vector.shape == (DIM,)
        assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)
        assert vector[-1] == 0
        np.testing.assert_array_equal(vector, self.ask(content))

    def test_a_query_of_nothing_is_like_nothing(self):
        vector = embedder().embed_queries([Content("text", "empty")], [None])[0]
        assert float(np.linalg.norm(vector)) == 1

    def test_a_picture_finds_itself_among_others_by_looks_alone(self):
        one, other = (Perception(glimpse(seed=seed)) for seed in (5, 6))
        rows = [document(PICTURE, one), document(OTHER_PICTURE, other)]
        asked = embedder(**{PICTURE.digest: one}).embed_queries([PICTURE], [None])[0]
        scores = [float((row.vectors @ asked).max()) for row in rows]
        assert scores[0] > scores[1] + 0.1

    def test_words_beside_a_picture_change_it_and_the_picture_still_counts(self):
        both = self.ask(replace(PICTURE, text="a koala"))
        assert float(both @ self.ask(text_content("a koala"))) > 0.5
        assert 0.1 < float(both @ self.ask(PICTURE)) < 0.95

    def test_a_thought_joins_the_query_and_has_its_price(self):
        asked, thought = text_content("an animal"), Reasoning(text="koala of Australia")
        assert not np.allclose(self.ask(asked), self.ask(asked, thought))
        np.testing.assert_array_equal(self.ask(asked), self.ask(asked, Reasoning()))
        assert embedder().query_tokens(asked, None) == 4
        # The words and the thought are read apart, each with its two marks.
        assert embedder().query_tokens(asked, thought) == 4 + 5

    def test_a_thought_moves_a_query_and_never_drowns_its_own_words(self):
        asked, thought = text_content("an animal"), Reasoning(text="koala of Australia")
        plain, moved, alone = self.ask(asked), self.ask(asked, thought), self.ask(text_content(thought.text))
        assert float(moved @ alone) > float(plain @ alone)
        assert float(moved @ plain) > float(moved @ alone)

    def test_a_picture_s_thought_stands_beside_its_looks(self):
        thought = Reasoning(text="koala of Australia")
        moved = self.ask(PICTURE, thought)
        assert float(moved @ self.ask(text_content(thought.text))) > 0.5
        assert float(moved @ self.ask(PICTURE)) > 0.1


def test_the_fingerprint_tells_perceivers_and_encoders_apart():
    perceiver, encoder = Told(), HashedEncoder()
    plain = LiteEmbedder(perceiver, encoder, ColourVision()).fingerprint
    perceiver.fingerprint = "another"
    changed = LiteEmbedder(perceiver, encoder, ColourVision()).fingerprint
    encoder.fingerprint = "another encoder"
    assert len({plain, changed, LiteEmbedder(perceiver, encoder, ColourVision()).fingerprint}) == 3
