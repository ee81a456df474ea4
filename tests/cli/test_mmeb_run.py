"""``ponder mmeb run`` from the command line, on the official layout as `ponder.testing.mmeb` makes it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ponder.cli.main import run
from ponder.testing.mmeb import make_layout


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mmeb")
    make_layout(folder)
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def told(layout, out, *more):
    return ["mmeb", "run", str(layout), "--models", "fake", "--out", str(out), *more]


def scores(out):
    return {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*_score.json"))}


def test_every_family_runs_at_every_budget_and_reports(layout, tmp_path, capsys):
    out = tmp_path / "out"
    code = run(told(layout, out, "--budget", "0,64", "--json"))
    rows = lines(capsys)
    assert code in (0, 7)  # the layout has tasks whose data are not here
    assert {row["budget"] for row in rows} == {0, 64}
    assert len(rows) == 2 * len({row["task"] for row in rows}) > 20
    for row in rows:
        assert row["tokens_per_query"]["read"] + row["tokens_per_query"]["written"] <= row["budget"]
        kept = json.loads(
            (out / f"budget-{row['budget']}" / row["modality"] / f"{row['task']}_score.json").read_text()
        )
        assert kept["num_data"] == row["queries"]
        assert kept[row["metric"]] == pytest.approx(row["value"], abs=1e-6)
    assert run(["mmeb", "report", str(out), "--json"]) == 0
    assert lines(capsys)[0]["overall"]["found"] == len({row["task"] for row in rows})
    assert run(["mmeb", "report", str(out), "--pages", str(tmp_path / "pages")]) == 0
    assert (
        "| budget | after retrieve | after ecr | at the end |"
        in (tmp_path / "pages/comparison.md").read_text()
    )
    capsys.readouterr()
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["tasks"]) == {row["task"] for row in rows}


def test_rankings_are_scored_again_as_they_were(layout, tmp_path, capsys):
    out = tmp_path / "out"
    run(told(layout, out, "--tasks", "MSVD", "--budget", "64", "--json"))
    capsys.readouterr()
    folder = out / "budget-64" / "video"
    assert run(["mmeb", "score", str(folder), "--task", "MSVD", "--json"]) == 0
    [again] = lines(capsys)
    kept = json.loads((folder / "MSVD_score.json").read_text())
    assert again["metrics"] == {name: kept[name] for name in again["metrics"]}
    # The file alone says which task it is of.
    assert run(["mmeb", "score", str(folder / "MSVD_pred.jsonl"), "--json"]) == 0
    assert lines(capsys) == [again]
    assert run(["mmeb", "score", str(folder / "MSVD_answers.jsonl")]) == 5
    assert "name it TASK_pred.jsonl" in capsys.readouterr().err


def test_killed_and_gone_on_with_is_one_run(layout, tmp_path, capsys):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    chosen = ["--tasks", "I-CLS,V-QA,VisDoc", "--budget", "0,64"]
    run(told(layout, whole, *chosen))
    command = [sys.executable, "-m", "ponder", *told(layout, broken, *chosen)]
    for wanted in (1, 3, 5):
        child = subprocess.Popen(
            command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while child.poll() is None and len(list(broken.rglob("*_answers.jsonl"))) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.wait()
    run(told(layout, broken, *chosen))
    capsys.readouterr()
    assert scores(broken) == scores(whole)
    assert scores(whole)


def test_shards_leave_the_score_to_the_last(layout, tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(told(layout, whole, "--tasks", "MSVD"))
    assert run(told(layout, parts, "--tasks", "MSVD", "--shard", "1/2")) == 7
    assert not scores(parts)
    assert "other shards have the rest" in capsys.readouterr().err
    assert run(told(layout, parts, "--tasks", "MSVD", "--shard", "2/2")) == 0
    assert scores(parts) == scores(whole)


def test_a_folder_without_any_data_is_told_once(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert run(told(tmp_path / "data", tmp_path / "out")) == 4
    assert "ponder mmeb verify" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_limit_is_a_sample_and_no_whole_task(layout, tmp_path, capsys):
    out = tmp_path / "out"
    run(told(layout, out, "--tasks", "MSVD", "--limit", "2", "--json"))
    [row] = lines(capsys)
    assert row["queries"] == 2 and row["missing"] > 0
    low, high = row["ci95"]
    assert low <= row["value"] <= high
    assert run(["mmeb", "report", str(out), "--submission", str(tmp_path / "s.json"), "--json"]) == 0
    assert "MSVD" in lines(capsys)[0]["submission"]["left_out"]


def test_lost_media_are_counted_and_the_task_is_incomplete(layout, tmp_path, capsys):
    copy = tmp_path / "data"
    shutil.copytree(layout, copy)
    victim = next(
        path
        for path in sorted((copy / "data_basedir").rglob("*"))
        if path.is_file() and "ImageNet" in str(path)
    )
    victim.unlink()
    out = tmp_path / "out"
    assert run(told(copy, out, "--tasks", "ImageNet-1K", "--json")) == 7
    streams = capsys.readouterr()
    [row] = [json.loads(line) for line in streams.out.splitlines()]
    assert row["missing"] == sum(row["lost"].values()) > 0
    assert victim.name in streams.err
    kept = json.loads(next(out.rglob("*_score.json")).read_text())
    assert kept["incomplete"] == {"missing": row["missing"]}


def test_a_dry_run_prices_and_writes_nothing(layout, tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        run(told(layout, out, "--tasks", "MSVD,ImageNet-1K", "--budget", "0,64", "--dry-run", "--json")) == 0
    )
    rows = lines(capsys)
    assert [row["task"] for row in rows] == ["ImageNet-1K", "MSVD"]
    for row in rows:
        assert row["tokens_at_most"] == 64 * row["queries"] / 2
        assert row["documents_to_embed"] == row["candidates"]
        assert row["minutes_at_most"] >= 0
    assert not out.exists()


def test_a_task_that_cannot_be_read_does_not_stop_the_others(layout, tmp_path, capsys):
    copy = tmp_path / "data"
    shutil.copytree(layout, copy)
    [victim] = (copy / "hf" / "VLM2Vec" / "MSVD").rglob("*.parquet")
    victim.write_bytes(victim.read_bytes()[:300])
    assert run(told(copy, tmp_path / "out", "--tasks", "MSVD,VATEX", "--json")) == 7
    streams = capsys.readouterr()
    assert [json.loads(line)["task"] for line in streams.out.splitlines()] == ["VATEX"]
    assert "MSVD" in streams.err and "it may be cut off" in streams.err
    assert run(told(copy, tmp_path / "out", "--tasks", "MSVD")) == 5


def test_a_refused_run_leaves_the_manifest_what_it_was(layout, tmp_path, capsys):
    out = tmp_path / "out"
    run(told(layout, out, "--tasks", "MSVD"))
    before = (out / "manifest.json").read_text()
    assert run(told(layout, out, "--tasks", "MSVD", "--limit", "2")) == 5
    assert "limit differ" in capsys.readouterr().err
    assert (out / "manifest.json").read_text() == before


def test_a_run_is_submitted_under_its_own_name(layout, tmp_path, capsys):
    out, file = tmp_path / "mine", tmp_path / "submission.json"
    run(told(layout, out, "--tasks", "MSVD", "--budget", "0,64"))
    run(["mmeb", "report", str(out), "--submission", str(file)])
    assert json.loads(file.read_text())["metadata"]["model_name"] == "mine"


def test_a_task_that_is_not_here_is_said_and_other_names_are_refused(layout, tmp_path, capsys):
    assert run(told(layout, tmp_path / "o", "--tasks", "MSVDD")) == 2
    assert "MSVD" in capsys.readouterr().err
    assert run(told(Path(tmp_path / "nowhere"), tmp_path / "o", "--tasks", "MSVD")) == 4
