"""The real lite weights: invariants, not quality."""

from __future__ import annotations

from math import fsum

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ponder.errors import BadArguments, InputInvalid
from ponder.models.lite.language import Language
from ponder.models.lite.ocr import Ocr
from ponder.models.lite.text_encoder import TextEncoder, rarity
from ponder.models.lite.vision import TOKENS_PER_IMAGE, Vision

pytestmark = pytest.mark.lite


@pytest.fixture(scope="session")
def language() -> Language:
    return Language()


@pytest.fixture(scope="session")
def encoder() -> TextEncoder:
    return TextEncoder()


@pytest.fixture(scope="session")
def vision() -> Vision:
    return Vision()


def one_by_one(language: Language, before: tuple[int, ...], after: tuple[int, ...]) -> list[float]:
    """The log-probability of each token as the model gives it without any cache, mask or packing."""
    import torch

    row = torch.tensor([before + after])
    with torch.inference_mode():
        logs = torch.log_softmax(language._model(row).logits[0, :-1], -1)
    return logs.gather(1, row[0, 1:, None])[-len(after) :, 0].tolist()


PREFIX = "The animal in the picture is a"
ENDINGS = [" dog", " koala that eats eucalyptus leaves", " whale in the sea near the coast", ""]


def test_scores_behind_one_prefix_equal_those_one_by_one(language: Language) -> None:
    found = language.score(PREFIX, ENDINGS)
    head = language.tokens(PREFIX)
    wanted = [one_by_one(language, head, language.tokens(text)) for text in ENDINGS[:-1]]
    for values, alone in zip(found.by_token[:-1], wanted, strict=True):
        assert values == pytest.approx(alone, abs=1e-4)
    assert found.values == tuple(map(fsum, found.by_token))
    assert found.values[-1] == 0.0
    assert [len(values) for values in found.by_token] == [language.count(text) for text in ENDINGS]
    assert found.usage.read == len(head) + sum(max(0, language.count(text) - 1) for text in ENDINGS)


def test_likelihood_behind_different_prefixes_equals_one_by_one(language: Language) -> None:
    prefixes = ["A koala bear.", "A cello, a large stringed instrument.", "Dog"] * 12  # more than one row
    query, head = " Query: it eats leaves", "Text: "
    found = language.likelihood(prefixes, query, head)
    target = language.tokens(query)
    wanted = [
        fsum(one_by_one(language, language.tokens(head) + language.tokens(prefix), target))
        for prefix in prefixes[:3]
    ]
    assert found.values == pytest.approx(wanted * 12, abs=1e-4)
    alone = language.likelihood(prefixes[:1], query, head)
    assert alone.values[0] == pytest.approx(found.values[0], abs=1e-4)
    assert alone.usage.read == language.count(head) + language.count(prefixes[0]) + len(target) - 1


def test_an_empty_prefix_begins_a_document(language: Language) -> None:
    start = (language._start,)
    (value,) = language.score("", ["Hello there"]).values
    assert value == pytest.approx(fsum(one_by_one(language, start, language.tokens("Hello there"))), abs=1e-4)


def test_marks_in_texts_are_plain_characters(language: Language) -> None:
    end = language._tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert end not in language.tokens("a<|im_end|>b")
    assert language.chat("x<|im_end|>").count(end) == language.chat("x").count(end)


def test_the_writer_stops_at_its_limit_and_repeats_itself(language: Language) -> None:
    prompt = language.chat("Tell a long story.")
    first = language.generate(prompt, 6)
    assert first.truncated
    assert first.usage.written == 6
    assert first.usage.read == len(prompt)
    assert language.generate(prompt, 6) == first
    assert language.generate(prompt, 0).usage.spent == 0


def test_the_writer_stops_at_a_text(language: Language) -> None:
    found = language.generate("One, two, three,", 20, stop=[" five"])
    assert " five" not in found.text
    assert not found.truncated
    assert found.usage.written < 20


def test_cutting_never_exceeds_the_limit(language: Language) -> None:
    text = "A koala ☃ eats 🌿 leaves. " * 3
    for limit in range(0, language.count(text), 5):
        cut = language.cut(text, limit)
        assert text.startswith(cut)
        assert language.count(cut) <= limit
    assert language.cut(text, 10_000) == text


def test_more_than_the_context_is_refused(language: Language) -> None:
    with pytest.raises(InputInvalid, match="8192"):
        language.score("word " * 9000, [" x"])


def test_vectors_do_not_depend_on_their_neighbours(encoder: TextEncoder) -> None:
    texts = ["a koala", "", "the cello is a large stringed instrument " * 30, "Überraschung"]
    together = encoder.encode(texts)
    assert together.shape == (4, 384) and together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert all((encoder.encode([text])[0] == row).all() for text, row in zip(texts, together, strict=True))
    assert encoder.encode(texts, exact=False) == pytest.approx(together, abs=1e-6)
    assert encoder.encode([]).shape == (0, 384)


def test_text_is_counted_with_its_marks_up_to_the_cut(encoder: TextEncoder) -> None:
    assert encoder.count("") == 2
    assert encoder.count("word " * 1000) == 256


def test_looks_do_not_depend_on_their_neighbours(vision: Vision) -> None:
    images = [
        Image.effect_noise((300, 200), 90).convert("RGB"),
        Image.linear_gradient("L"),
        Image.new("RGB", (9, 90)),
    ]
    together = vision.look(images)
    assert together.probabilities.shape == (3, 1000) and together.features.shape == (3, 1280)
    assert together.probabilities.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert together.tokens == 3 * TOKENS_PER_IMAGE
    alone = vision.look(images[1:2])
    assert (alone.probabilities[0] == together.probabilities[1]).all()
    assert (alone.features[0] == together.features[1]).all()


def test_views_are_averaged_and_paid_for(vision: Vision) -> None:
    image = Image.linear_gradient("L").resize((320, 100))
    both = vision.look([image], ("centre", "squeeze"))
    mean = (vision.look([image]).features + vision.look([image], ("squeeze",)).features) / 2
    assert both.features == pytest.approx(mean, abs=1e-5)
    assert both.tokens == 2 * TOKENS_PER_IMAGE
    with pytest.raises(BadArguments):
        vision.look([image], ())


def test_writing_is_read_and_its_absence_noticed() -> None:
    page = Image.new("RGB", (640, 200), "white")
    font = ImageFont.load_default(36)
    ImageDraw.Draw(page).text((20, 30), "Open every day", fill="black", font=font)
    ImageDraw.Draw(page).text((20, 110), "except Monday", fill="black", font=font)
    reader = Ocr()
    found = reader.read(page)
    assert found.text.lower().splitlines() == ["open every day", "except monday"]
    assert found.confidence > 0.8
    assert reader.read(Image.linear_gradient("L")).text == ""


def test_states_are_of_what_is_spoken_unit_long_and_alone_with_their_context(encoder: TextEncoder) -> None:
    text = "A knot, for a boat."
    found = encoder.states(text)
    assert found.read == encoder.count(text)
    assert len(found.vectors) == len(found.rarity) == len(encoder.pieces(text)) == 5
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert found.rarity.tolist() == pytest.approx(rarity(encoder.pieces(text)).tolist())
    again = encoder.states(text)
    assert (again.vectors == found.vectors).all()


def test_states_end_where_the_limit_cuts(encoder: TextEncoder) -> None:
    assert encoder.states("word " * 1000).read == 256
    cut = encoder.states("knot " * 100, 12)
    assert (cut.read, len(cut.vectors)) == (12, 10)
    assert len(encoder.states("...").vectors) == 0
