"""Tasks through a cascade: answers are kept, gone on with, sharded, and never another run's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ponder.cascade import parse_stages
from ponder.errors import BackendFailed, BadArguments, InputInvalid
from ponder.evaluate.mmeb.answers import Answer, AnswerFile
from ponder.evaluate.mmeb.manifest import note
from ponder.evaluate.mmeb.parsed import Candidate, Info, Parsed, Query, Side
from ponder.evaluate.mmeb.running import TaskRun, run_task
from ponder.evaluate.mmeb.shard import Shard
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache
from ponder.testing import FakeModels, FakeReasoner

WORDS = ["kite", "whale", "fox", "oak", "lamp", "boat", "drum", "moss"]


def texts(local_size=4):
    """Queries whose answer bears the same word, ranked over their own pools or all."""
    pool = [Candidate(word, Side(f"a {word} {word}")) for word in WORDS]
    queries = []
    for number, word in enumerate(WORDS):
        others = [WORDS[(number + step) % len(WORDS)] for step in range(1, local_size)]
        queries.append(Query(Side(f"find the {word}"), Info((word, *others), (word,), single=True)))
    return Parsed(queries, pool)


def task(tmp_path, parsed, **told):
    settings = Settings(budgets=told.pop("budgets", (0, 64)), cascade=parse_stages("retrieve:100,ecr:20"))
    told = {"local": True, **told}
    return TaskRun(
        "Words", "image", parsed=parsed, root=tmp_path, out=tmp_path / "out", settings=settings, **told
    )


def answers(run, cache):
    return dict(run_task(run, FakeModels(), cache))


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


@pytest.mark.parametrize("local", [True, False])
def test_each_query_is_ranked_over_its_pool_and_within_its_budget(tmp_path, cache, local):
    run = task(tmp_path, texts(), local=local)
    for budget, found in answers(run, cache).items():
        assert sorted(found) == list(range(len(WORDS)))
        for number, answer in found.items():
            own = run.parsed.queries[number].info.cand_names
            assert sorted(answer.ranking) == sorted(own if local else WORDS)
            assert answer.ranking[0] == WORDS[number]
            assert answer.tokens["read"] + answer.tokens["written"] <= budget
            assert list(answer.scores) == sorted(answer.scores, reverse=True)


def test_what_was_answered_is_not_asked_again_and_the_rest_is_as_in_one_run(tmp_path, cache):
    whole = answers(task(tmp_path / "whole", texts()), cache)
    run = task(tmp_path / "broken", texts())
    file = run.file(64, FakeModels()).path
    answers(run, cache)
    # A kill: half of the lines and a piece of the next.
    lines = file.read_text().splitlines(keepends=True)
    kept = json.loads(lines[2]) | {"scores": [9, 9, 9, 9]}
    file.write_text("".join([*lines[:2], json.dumps(kept) + "\n", lines[3][:20]]))
    found = answers(run, cache)
    assert found[64][1].scores == (9, 9, 9, 9)
    assert found[0] == whole[0]
    assert {number: each for number, each in found[64].items() if number != 1} == {
        number: each for number, each in whole[64].items() if number != 1
    }
    assert len(file.read_text().splitlines()) == 1 + len(WORDS)


def test_answers_of_another_run_are_refused(tmp_path, cache):
    answers(task(tmp_path, texts()), cache)
    for other in (task(tmp_path, texts(3)), task(tmp_path, texts(), limit=2)):
        with pytest.raises(InputInvalid, match=r"answers of another run: (data|limit) differ"):
            answers(other, cache)


@given(st.integers(1, 7), st.integers(1, 30))
def test_shards_take_each_query_once(of, count):
    parts = [Shard(number, of) for number in range(1, of + 1)]
    for query in range(count):
        assert sum(part.takes(query) for part in parts) == 1


def test_shards_together_are_the_whole_run(tmp_path, cache):
    whole = answers(task(tmp_path / "whole", texts()), cache)
    parts = [answers(task(tmp_path / "parts", texts(), shard=Shard(n, 3)), cache)[64] for n in (1, 2, 3)]
    assert parts[0] | parts[1] | parts[2] == whole[64]
    assert sum(map(len, parts)) == len(WORDS)
    for wrong in ("", "3", "0/2", "3/2", "a/b"):
        with pytest.raises(BadArguments, match="not a shard"):
            Shard.parse(wrong)


def test_each_process_makes_a_part_of_the_candidates_of_its_own_first(tmp_path):
    class Noting(FakeReasoner):
        def reason(self, contents, **told):
            made.extend(content.text for content in contents)
            return super().reason(contents, **told)

    for number, first in ((1, "kite"), (2, "fox"), (3, "lamp"), (4, "drum")):
        made: list[str] = []
        models = FakeModels()
        models.reasoner = Noting()
        with Cache(tmp_path / f"{number}.sqlite") as cache:
            list(run_task(task(tmp_path / str(number), texts(), shard=Shard(number, 4)), models, cache))
        assert first in made[0]
        assert len(made) == len(WORDS)


def test_media_that_are_not_there_are_told_and_never_ranked(tmp_path, cache):
    Image.new("RGB", (30, 30), "red").save(tmp_path / "red.png")
    pool = [
        Candidate("red", Side("<|image_pad|>", ("red.png",), "image")),
        Candidate("gone", Side("<|image_pad|>", ("gone.png",), "image")),
    ]
    queries = [
        Query(Side("red thing"), Info(("red",), ("red",))),
        Query(Side("a thing"), Info(("gone", "red"), ("gone",))),
        Query(Side("what is gone"), Info(("gone",), ("gone",))),
        Query(Side("<|image_pad|>", ("lost.png",), "image"), Info(("red",), ("red",))),
    ]
    found = answers(task(tmp_path, Parsed(queries, pool), budgets=(0,)), cache)[0]
    assert [bool(found[n].lost) for n in range(4)] == [False, True, True, True]
    assert [found[n].ranking for n in range(4)] == [("red",), ("red",), (), ()]


def test_an_answer_is_read_back_as_it_was_written(tmp_path):
    with_grades = Answer(3, (7, "a"), (0.25, -1.0), {"read": 3, "written": 0, "cached": 2}, "lost")
    file = AnswerFile(tmp_path / "x" / "T_answers.jsonl", {"task": "T"})
    file.add(with_grades)
    file.close()
    assert AnswerFile(file.path, {"task": "T"}).answers() == {3: with_grades}


def test_what_stood_after_each_stage_is_kept(tmp_path, cache):
    run = task(tmp_path, texts(), local=False, budgets=(64,))
    [found] = answers(run, cache).values()
    for answer in found.values():
        assert set(answer.stages) == {"retrieve"}
        assert sorted(answer.stages["retrieve"]) == sorted(answer.ranking)
    again = run.file(64, FakeModels()).answers()
    assert again == found


def test_two_processes_never_write_the_same_answers(tmp_path):
    first, second = (AnswerFile(tmp_path / "T_answers.jsonl", {"task": "T"}) for _ in range(2))
    first.add(Answer(0, ("a",), (1.0,), {}))
    with pytest.raises(BackendFailed, match="another process answers"):
        second.add(Answer(1, ("b",), (1.0,), {}))
    first.add(Answer(1, ("a",), (1.0,), {}))
    first.close()
    with pytest.raises(BackendFailed, match="has answered queries meanwhile"):
        second.add(Answer(1, ("b",), (1.0,), {}))
    third = AnswerFile(first.path, {"task": "T"})
    third.add(Answer(2, ("c",), (1.0,), {}))
    third.close()
    assert {number: each.ranking for number, each in third.answers().items()} == {
        0: ("a",),
        1: ("a",),
        2: ("c",),
    }


def test_tasks_on_several_gpus_share_a_manifest(tmp_path):
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    run = task(tmp_path, texts())
    names = [f"T{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: note(tmp_path, replace(run, name=name), FakeModels(), ["x"]), names))
    assert set(json.loads((tmp_path / "manifest.json").read_text())["tasks"]) == set(names)
