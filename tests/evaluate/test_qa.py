from dataclasses import dataclass, field
from pathlib import Path

import pytest
from datasets_of_texts import write_lines
from PIL import Image

from ponder.errors import InputInvalid
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.qa import load_quiz, run_quiz
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache
from ponder.records import Choice, Usage
from ponder.testing import FakeModels

GOOD = {
    "_id": "x1",
    "image": "red.png",
    "question": "which colour?",
    "candidates": ["red", "blue"],
    "answer_index": 0,
}


@dataclass
class Oracle:
    """A chooser that knows the answer when it is shown a picture, and says what it was asked with."""

    answer: int
    cost: int = 10
    weight: float = 100.0
    fingerprint: str = "oracle"
    asked: list = field(default_factory=list)

    def choose(self, content, reasoning, question, candidates, *, limit):
        self.asked.append((bool(content.images), reasoning.text, limit))
        if limit < self.cost:
            return Choice()
        right = self.answer if content.images else 1 - self.answer
        return Choice(tuple(float(i == right) for i in range(len(candidates))), Usage(read=self.cost))


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    return tmp_path


def answer(folder, rows, budgets, chooser=None):
    quiz = load_quiz(write_lines(folder / "qa.jsonl", rows))
    models = FakeModels()
    if chooser:
        models.chooser = chooser
    settings = Settings(budgets=budgets)
    with Cache(folder / "cache.sqlite") as cache:
        corpus = build_corpus(quiz.items, models, cache, settings)
        return [run.fields for run in run_quiz(quiz, corpus, settings)]


def test_a_chooser_adds_its_scores_within_the_budget(folder):
    oracle = Oracle(answer=0)
    zero, poor, rich = answer(folder, [GOOD], (0, 5, 50), oracle)
    assert list(zero)[:5] == ["budget", "accuracy", "ci95", "no_media", "tokens_per_query"]
    assert zero["tokens_per_query"]["max"] == poor["tokens_per_query"]["max"] == 0
    assert (rich["accuracy"], rich["no_media"]) == (1.0, 0.0)
    assert rich["tokens_per_query"]["max"] == 10
    assert {limit for _, _, limit in oracle.asked} == {5, 50}
    assert [shown for shown, _, _ in oracle.asked] == [True, False, True, False]
    assert all(shown or not text for shown, text, _ in oracle.asked)


def test_a_chooser_that_overspends_is_not_heard(folder):
    class Spendthrift(Oracle):
        def choose(self, *args, limit, **more):
            return Choice(super().choose(*args, limit=1000, **more).scores, Usage(read=1000))

    plain, greedy = answer(folder, [GOOD], (0, 50), Spendthrift(answer=0))
    assert greedy["accuracy"] == plain["accuracy"]
    assert greedy["tokens_per_query"]["max"] == 50


def test_without_a_chooser_a_budget_changes_nothing(folder):
    zero, more = answer(folder, [GOOD], (0, 64))
    assert {**more, "budget": 0} == zero


def test_equal_candidates_are_a_miss(folder):
    [line] = answer(folder, [{**GOOD, "candidates": ["same", "same"]}], (0,))
    assert line["accuracy"] == line["no_media"] == 0.0


def test_an_item_asked_about_twice_is_there_once_and_a_missing_one_is_listed(folder):
    rows = [GOOD, {**GOOD, "_id": "x2"}, {**GOOD, "_id": "x3", "image": "gone.png"}]
    quiz = load_quiz(write_lines(folder / "qa.jsonl", rows))
    assert (len(quiz.items), len(quiz.questions)) == (1, 2)
    assert [Path(lost.uri).name for lost in quiz.skipped] == ["gone.png"]


@pytest.mark.parametrize(
    ("medium", "kind", "page"),
    [
        ({"page": "d.pdf:2"}, "page", 2),
        ({"pdf": "d.pdf", "page": 2}, "page", 2),
        ({"video": "v.mp4"}, "video", None),
    ],
)
def test_every_medium(folder, medium, kind, page):
    for name in ("d.pdf", "v.mp4"):
        (folder / name).write_bytes(b"x")
    row = {name: value for name, value in GOOD.items() if name != "image"} | medium
    [item] = load_quiz(write_lines(folder / "qa.jsonl", [row])).items
    assert (item.kind, item.page) == (kind, page)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"image": None}, "not exactly one of"),
        ({"video": "v.mp4"}, "not exactly one of"),
        ({"image": None, "page": "d.pdf"}, "not FILE:N"),
        ({"candidates": []}, '"candidates" is not a list'),
        ({"answer_index": 2}, "from 0 to 1"),
        ({"answer_index": -1}, "from 0 to 1"),
        ({"question": " "}, '"question" is missing'),
        ({"image": "/red.png"}, "leads out"),
    ],
)
def test_bad_rows_name_their_line(folder, change, what):
    file = write_lines(folder / "qa.jsonl", [GOOD, {**GOOD, "_id": "x2", **change}])
    with pytest.raises(InputInvalid, match=what) as raised:
        load_quiz(file)
    assert raised.value.where.endswith("qa.jsonl:2")
