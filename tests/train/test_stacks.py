"""Rows that a chat model is trained on: what they say is what the engine says of the same prompts."""

import pytest
import torch
from PIL import Image

from ponder.models.engine import Prompt, Turn
from ponder.models.local.engine import LocalEngine
from ponder.testing.tiny import FAMILIES
from ponder.train.stacks import IGNORED, Line, groups, negative_log_likelihood, next_logits, stack


@pytest.fixture(scope="module")
def engines(tiny_folder):
    made = {}

    def give(family):
        if family not in made:
            made[family] = LocalEngine(str(tiny_folder(family)))
        return made[family]

    return give


def prompts_of(engine):
    """Two of words, of different length, and one or two with pictures where the model sees."""
    found = [Prompt((Turn("user", (text,)),)) for text in ("a red kite over the hill", "tides")]
    if "pictures" in engine.able:
        some = [Image.new("RGB", size, colour) for size, colour in (((64, 48), "red"), ((80, 64), "blue"))]
        found.append(Prompt((Turn("user", (some[0], "what is it")),)))
        found.append(Prompt((Turn("user", (*some, "and these")),)))
    return found


def stacked(engine, lines):
    return [(some, stack(engine.loaded, [lines[place] for place in some])) for some in groups(lines)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_is_the_engine_s_likelihood(engines, family):
    engine = engines(family)
    prompts = prompts_of(engine)
    answers = ["it flies", "the moon pulls at the sea", "red", "two of them"][: len(prompts)]
    lines = [
        Line(engine.fitted(prompt, 16), engine.renderer.words(text))
        for prompt, text in zip(prompts, answers, strict=True)
    ]
    with torch.inference_mode():
        found = sum(
            float(negative_log_likelihood(engine.loaded.model, each)) for _, each in stacked(engine, lines)
        )
    wanted = -sum(sum(each.values) for each in engine.likelihood(prompts, answers))
    assert found == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_next_token_s_logits_are_the_engine_s_answers(engines, family):
    engine = engines(family)
    prompts = prompts_of(engine)
    lines = [Line(engine.fitted(prompt, 1)) for prompt in prompts]
    yes, no = engine.token("yes"), engine.token("no")
    found = {}
    with torch.inference_mode():
        for places, each in stacked(engine, lines):
            logits = next_logits(engine.loaded.model, each)
            found |= dict(zip(places, (logits[:, yes] - logits[:, no]).tolist(), strict=True))
    wanted = [each.values[0] - each.values[1] for each in engine.answer(prompts, ["yes", "no"])]
    assert [found[place] for place in sorted(found)] == pytest.approx(wanted, abs=2e-3)


def test_labels_are_the_answers_alone_where_they_stand(engines):
    engine = engines("llama")
    prompts = prompts_of(engine)
    lines = [Line(engine.fitted(prompt, 8), engine.renderer.words("it flies")) for prompt in prompts]
    [(_, made)] = stacked(engine, lines)
    for row, line in enumerate(lines):
        kept = made["labels"][row] != IGNORED
        assert made["labels"][row][kept].tolist() == list(line.answer)
        assert torch.equal(made["labels"][row][kept], made["input_ids"][row][kept])
        assert int(made["attention_mask"][row].sum()) == len(line.ids)
