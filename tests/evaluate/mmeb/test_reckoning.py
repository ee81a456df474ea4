"""``ponder mmeb run --dry-run --tflops``: what a run would cost elsewhere, reckoned without a model."""

import json

import pytest
from benchmark_data import tiny

from ponder.cli.main import run
from ponder.errors import BadArguments
from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.reckoning import PROMPT, Speed, picture_tokens, reckon
from ponder.evaluate.mmeb.running import TaskRun, run_task
from ponder.evaluate.mmeb.tasks import task_named
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache, Overlay
from ponder.presets.chat import ChatModels
from ponder.presets.reading import packaged, read
from ponder.testing import FakeModels


class Sized(FakeModels):
    @property
    def billions(self):
        return {"reasoner": 2.0, "embedder": 3.0, "ecr": 5.0, "query-aware": 7.0}


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    return tiny(tmp_path / "data")


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


def task(data, name, out, **settings):
    loaded = load(data, task_named(name))
    told = Settings(**{"budgets": (0, 100), **settings})
    return TaskRun(
        name, loaded.task.modality, loaded.task.local, loaded.parsed, loaded.root, out, told, loaded.revision
    )


def test_the_sum_is_that_of_the_formula(data, cache, tmp_path):
    found = reckon(task(data, "WebQA", tmp_path / "out"), Sized(), cache, Speed(4e12, 1e12))
    length = FakeModels().reason_tokens
    assert (found.queries, found.reason) == (6, found.candidates)
    assert found.tokens["judges spend"] == 3 * 100
    assert found.tokens["reasoner writes"] == found.reason * length
    read = {2: "reasoner reads", 3: "embedder reads", 7: "judges spend"}
    reads = 2e9 * sum(size * found.tokens[name] for size, name in read.items())
    writes = 2e9 * 2 * found.tokens["reasoner writes"]
    assert found.operations == pytest.approx(reads + writes)
    assert found.seconds == pytest.approx(reads / 4e12 + writes / 1e12)
    # A picture and its caption, behind a prompt.
    least = found.reason * (PROMPT + picture_tokens(64, 64))
    assert least < found.tokens["reasoner reads"] < 4 * least


def test_what_is_there_costs_nothing_and_no_model_runs(data, cache, tmp_path):
    once = task(data, "MSVD", tmp_path / "out")
    assert reckon(once, Sized(forbidden=True), Overlay(cache), Speed(1e12, 1e12)).operations > 0
    list(run_task(once, Sized(), cache))
    found = reckon(task(data, "MSVD", tmp_path / "out"), Sized(), cache, Speed(1e12, 1e12))
    assert (found.queries, found.operations, found.seconds) == (0, 0, 0)
    again = reckon(task(data, "MSVD", tmp_path / "elsewhere"), Sized(), cache, Speed(1e12, 1e12))
    assert (again.reason, again.embed) == (0, 0)
    assert again.tokens["judges spend"] == 300


def test_without_reasoning_nothing_is_written(data, cache, tmp_path):
    found = reckon(task(data, "MSVD", tmp_path / "out", reasoning="off"), Sized(), cache, Speed(1e12, 1e12))
    assert found.tokens["reasoner writes"] == found.tokens["reasoner reads"] == 0
    assert found.embed == found.candidates


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "0,1", "1,-1", "nan,1", "inf,1"])
def test_what_is_no_speed_is_refused(text):
    with pytest.raises(BadArguments, match="not a speed"):
        Speed.parse(text)


def test_models_without_sizes_are_refused(data, cache, tmp_path):
    with pytest.raises(BadArguments, match="how large these are: reasoner, embedder, ecr"):
        reckon(task(data, "MSVD", tmp_path / "out"), FakeModels(), cache, Speed(1e12, 1e12))


@pytest.mark.parametrize("name", [each for each in packaged() if each != "remote"])
def test_every_packaged_set_of_known_models_says_how_large_its_parts_are(name):
    sizes = ChatModels(read(name)).billions
    assert set(sizes) == {"reasoner", "embedder", "ecr", "query-aware"}
    assert all(0.1 < size < 10 for size in sizes.values())


def test_on_the_command_line(data, tmp_path, capsys):
    told = ["mmeb", "run", str(data), "--models", "qwen3-vl-8b", "--out", str(tmp_path / "out")]
    told += ["--tasks", "MSVD,WebQA", "--budget", "0,1024"]
    assert run([*told, "--dry-run", "--tflops", "125,3", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["task"] for row in rows] == ["WebQA", "MSVD"]
    assert run([*told, "--dry-run", "--tflops", "125,3"]) == 0
    shown = capsys.readouterr().out
    assert "not measured" in shown
    [total] = [line.split() for line in shown.splitlines() if line.startswith("all ")]
    assert total[1] == str(sum(row["queries"] for row in rows))
    assert run([*told, "--tflops", "125,3"]) == 2
    assert not (tmp_path / "out").exists()
