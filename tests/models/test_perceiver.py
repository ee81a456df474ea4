"""Looking once: what was perceived is kept by content, in memory and between runs."""

from __future__ import annotations

import numpy as np
from lite_stand_ins import ColourVision

from ponder.models.lite.perception import CLASSES_KEPT, VIEWS, Perceiver, Perception
from ponder.models.lite.vision import TOKENS_PER_IMAGE
from ponder.records import Usage
from ponder.testing.examples import clip_content, picture_content, text_content


class Cache(dict):
    def put(self, key: str, value: bytes) -> None:
        self[key] = value


def same(one: Perception, other: Perception) -> bool:
    glimpses = [(one.whole, other.whole), *zip(one.segments, other.segments, strict=True)]
    return (one.words, one.usage) == (other.words, other.usage) and all(
        (a.classes, a.colours, a.span, a.motion, a.confidence)
        == (b.classes, b.colours, b.span, b.motion, b.confidence)
        and np.array_equal(a.features, b.features)
        for a, b in glimpses
    )


def test_a_picture_is_looked_at_once_and_comes_back_whole_in_the_next_run():
    vision, cache = ColourVision(), Cache()
    first = Perceiver(vision, cache)
    content = picture_content((220, 20, 20))
    seen = first.perceive(content, read=False)
    assert seen.usage == Usage(read=TOKENS_PER_IMAGE * len(VIEWS))
    assert seen.whole.classes[0] == (260, 0.9)
    assert len(seen.whole.classes) == CLASSES_KEPT
    assert seen.whole.colours[0][0] == "red"
    again = [first.perceive(content, read=False), Perceiver(vision, cache).perceive(content, read=False)]
    assert vision.looked == 1
    assert all(same(seen, other) for other in again)


def test_a_clip_comes_back_segment_by_segment():
    vision, cache = ColourVision(), Cache()
    content = clip_content((220, 20, 20), (20, 160, 20))
    seen = Perceiver(vision, cache).perceive(content)
    looked = vision.looked
    assert [segment.span for segment in seen.segments] == list(content.segments)
    assert [segment.classes[0][0] for segment in seen.segments] == [260, 200]
    assert {index for index, _ in seen.whole.classes[:2]} == {260, 200}
    assert seen.usage.read == looked * TOKENS_PER_IMAGE * len(VIEWS)
    assert same(seen, Perceiver(vision, cache).perceive(content))
    assert vision.looked == looked


def test_other_weights_look_again():
    vision, cache = ColourVision(), Cache()
    content = picture_content((220, 20, 20))
    Perceiver(vision, cache).perceive(content, read=False)
    vision.fingerprint = "others"
    Perceiver(vision, cache).perceive(content, read=False)
    assert vision.looked == 2


def test_words_are_not_looked_at():
    vision = ColourVision()
    seen = Perceiver(vision).perceive(text_content("a koala"))
    assert vision.looked == 0
    assert seen.whole.classes == () and not seen.whole.features.any() and seen.usage == Usage()


def test_memory_forgets_without_harm():
    vision = ColourVision()
    perceiver = Perceiver(vision)
    contents = [picture_content((i, 0, 0), size=4) for i in range(80)]
    for content in [*contents, contents[0]]:
        assert perceiver.perceive(content, read=False).whole.classes[0][1] == 0.9
    assert vision.looked == 81
