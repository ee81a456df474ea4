"""The real lite weights cut short: what is left out is out, and the tokens stay what they were."""

import numpy as np
import pytest
from PIL import Image

from ponder.errors import BadArguments
from ponder.evaluate.against.counting import counted
from ponder.models.lite.language import Language
from ponder.models.lite.text_encoder import TextEncoder
from ponder.models.lite.vision import Vision

pytestmark = pytest.mark.lite


def test_an_encoder_of_fewer_layers_is_another_and_costs_less():
    whole, cut = TextEncoder(), TextEncoder(layers=3)
    with counted() as much:
        vectors = whole.encode(["a large violin"])
    with counted() as less:
        shorter = cut.encode(["a large violin"])
    assert shorter.shape == vectors.shape == (1, 384)
    assert np.linalg.norm(shorter) == pytest.approx(1, abs=1e-4) and not np.allclose(shorter, vectors)
    assert less.total == pytest.approx(much.total / 2, rel=0.05)
    assert cut.pieces("a large violin") == whole.pieces("a large violin")
    assert np.allclose(TextEncoder(layers=6).encode(["a large violin"]), vectors)


def test_a_language_model_of_fewer_layers_scores_the_same_tokens_otherwise():
    whole, cut = Language(), Language(layers=10)
    texts = [" a large violin", " a bear"]
    much, less = whole.score("A cello is", texts), cut.score("A cello is", texts)
    assert much.usage == less.usage
    assert [len(each) for each in much.by_token] == [len(each) for each in less.by_token]
    assert not np.allclose(much.values, less.values)
    # What is kept are the first layers as they were: all thirty give the whole model.
    assert Language(layers=30).score("A cello is", texts).values == pytest.approx(much.values, abs=1e-4)


def test_larger_eyes_count_more_positions():
    assert [Vision(name=f"efficientnet-lite{n}").tokens_per_image for n in range(3)] == [49, 64, 81]
    with pytest.raises(BadArguments):
        Vision(name="efficientnet-b7")


@pytest.mark.parametrize("name", ["efficientnet-lite1", "efficientnet-lite2"])
def test_larger_eyes_see_a_picture(name):
    from ponder.models.weights import state

    if not state(name).present:
        pytest.skip("optional weights: ponder models pull " + name)
    vision = Vision(name=name)
    seen = vision.look([Image.new("RGB", (300, 200), "red")])
    assert seen.probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert seen.tokens == vision.tokens_per_image
    assert vision.directions(256).shape == (256, seen.features.shape[1])
