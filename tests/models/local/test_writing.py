"""Many answers at a time are those of one at a time, and no limit is ever exceeded."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ponder.models.engine import Effort, Prompt, Turn
from ponder.models.local import writing_batch
from ponder.models.local.writing import Task, write
from ponder.models.local.writing_pen import Marks, Pen

TEXTS = ["a cello", "an instrument that one plays sitting down " * 9, "soup", "a red crane " * 30, "x", "y z"]
RED = Image.new("RGB", (96, 64), (200, 20, 20))


def prompt(text, *pictures, opening=""):
    return Prompt((Turn("system", ("Say what it is.",)), Turn("user", (*pictures, text))), opening)


def tasks(engine, prompts):
    return [Task(engine.renderer.render(each), each.opening) for each in prompts]


def generated(engine, asked, tokens):
    """What transformers' own greedy decoding writes to one prompt."""
    rendered = engine.renderer.render(asked)
    kinds = {"mm_token_type_ids": torch.tensor([rendered.seen]).int()} if rendered.pictures else {}
    if not hasattr(engine.loaded.inner, "get_rope_index"):
        kinds = {}
    out = engine.loaded.model.generate(
        torch.tensor([rendered.ids]),
        attention_mask=torch.ones(1, len(rendered.ids), dtype=torch.long),
        max_new_tokens=tokens,
        do_sample=False,
        eos_token_id=sorted(engine.loaded.ends),
        pad_token_id=engine.loaded.tokenizer.pad_token_id,
        **rendered.tensors,
        **kinds,
    )
    return out[0, len(rendered.ids) :].tolist()


def test_it_writes_what_transformers_writes(tiny, family):
    engine = tiny(family)
    pictures = [] if family == "llama" else [RED]
    for text in TEXTS[:3]:
        asked = prompt(text, *pictures)
        ids = [token for token in generated(engine, asked, 8) if token not in engine.loaded.ends]
        [written] = engine.write([asked], Effort(answer=8))
        # A random model may write a mark of a trace; then the texts are compared no further.
        expected = engine.loaded.tokenizer.decode(ids, skip_special_tokens=True).strip()
        if "<think>" not in expected:
            assert written.text == expected


@pytest.mark.parametrize("rows", [1, 2, 3, 64])
def test_rows_order_and_memory_do_not_matter(tiny, family, rows):
    engine = tiny(family)
    asked = [prompt(text) for text in TEXTS]
    if family != "llama":
        asked.insert(2, prompt("and this", RED))
    effort = Effort(answer=7)
    alone = [engine.write([each], effort)[0].text for each in asked]
    some = tasks(engine, asked)
    together = write(engine.loaded, some, effort, engine.renderer.tensors, rows=rows)
    assert [each.text for each in together] == alone
    backwards = write(engine.loaded, some[::-1], effort, engine.renderer.tensors, rows=rows, memory=1.0)
    assert [each.text for each in backwards[::-1]] == alone


def test_memory_that_runs_out_loses_nothing(tiny, monkeypatch):
    engine = tiny("llama")
    asked = [prompt(text) for text in TEXTS]
    expected = [each.text for each in engine.write(asked, Effort(answer=9))]
    honest, failures = writing_batch.hidden_states, []

    def scarce(loaded, ids, *rest):
        if len(ids) > 2 and len(failures) < 3:
            failures.append(len(ids))
            raise torch.OutOfMemoryError("out of memory")
        return honest(loaded, ids, *rest)

    monkeypatch.setattr(writing_batch, "hidden_states", scarce)
    assert [each.text for each in engine.write(asked, Effort(answer=9))] == expected
    assert failures


def test_a_shared_beginning_is_counted_once(tiny):
    engine = tiny("llama")
    asked = [prompt("the same words at first, then " + end) for end in ("this", "that", "those")]
    together = sum(each.usage.read for each in engine.write(asked, Effort(answer=2)))
    alone = sum(engine.write([each], Effort(answer=2))[0].usage.read for each in asked)
    assert together < alone
    assert together <= sum(engine.prices(asked))


def test_a_trace_that_an_opening_began_is_closed_by_force(tiny):
    engine = tiny("llama")
    [written] = engine.write([prompt("a cello", opening="<think>\n")], Effort(trace=12, answer=6))
    assert written.usage.written <= 18
    if not written.truncated:
        pytest.skip("the random model closed it itself")
    assert written.trace


class Words:
    """A tokenizer whose tokens are words, for the pen alone."""

    def __init__(self):
        self.known = ["<end>", "<think>", "</think>", "Wait", "\n", "\n\n", *(f"w{i}" for i in range(9))]

    def encode(self, text, add_special_tokens=False):
        ids, rest = [], text
        while rest:
            word = max((w for w in self.known if rest.startswith(w)), key=len, default=None)
            if word is None:
                rest = rest[1:]
                continue
            ids.append(self.known.index(word))
            rest = rest[len(word) :]
        return ids

    def decode(self, ids, skip_special_tokens=False, clean_up_tokenization_spaces=False):
        return "".join(
            self.known[i] + ("" if self.known[i][0] in "\n<" else " ")
            for i in ids
            if i or not skip_special_tokens
        )


@settings(max_examples=300)
@given(
    wishes=st.lists(st.integers(0, 14), min_size=60, max_size=60),
    trace=st.integers(0, 20),
    answer=st.integers(1, 12),
    least=st.integers(0, 25),
    section=st.sampled_from(["start", "trace", "text"]),
)
def test_a_pen_keeps_its_limits_whatever_the_model_wants(wishes, trace, answer, least, section):
    marks = Marks(Words(), {0})
    pen = Pen(marks, Effort(trace, answer, least), section)
    for wish in wishes:
        if pen.done:
            break
        pen.take(wish)
    assert pen.done
    assert 0 < pen.spent <= trace + answer
    assert len(pen.kept) <= pen.limit
    room = len(marks.open) + len(marks.close)
    if trace > room and section != "text" and pen.text:
        # The reserved answer: whatever became of the trace, its tokens are there for the text.
        written = len([w for w in pen.text.split() if w])
        assert written <= answer


@given(trace=st.integers(6, 20), answer=st.integers(1, 10))
def test_a_trace_without_end_leaves_the_answer_its_tokens(trace, answer):
    marks = Marks(Words(), {0})
    pen = Pen(marks, Effort(trace, answer), "trace")
    for wish in [6, 7, 8, 9] * 20:
        if pen.done:
            break
        pen.take(wish)
    assert pen.truncated
    assert len(pen.text.split()) == answer
    assert pen.trace
    assert "think" not in pen.text


def test_an_early_end_of_thinking_is_answered_with_wait():
    marks = Marks(Words(), {0})
    pen = Pen(marks, Effort(trace=30, answer=3, least=8), "trace")
    for wish in [6, 2, 7, 8, 9, 10, 11, 12, 2, 5, 13, 14, 13, 0]:
        if pen.done:
            break
        pen.take(wish)
    assert "Wait" in pen.trace
    assert pen.text.startswith("w7")


def test_without_a_budget_there_is_no_trace(tiny):
    engine = tiny("llama")
    for each in engine.write([prompt(text) for text in TEXTS], Effort(trace=0, answer=6)):
        assert each.trace == ""
        assert each.usage.written <= 6
