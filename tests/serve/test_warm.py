"""``ponder search`` asks the server that runs on the shelf, and works without one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from serving import files

from ponder.cli.main import run
from ponder.serve import warm


@pytest.fixture
def shelf(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    files(tmp_path / "files")
    assert run(["index", str(tmp_path / "shelf"), str(tmp_path / "files"), "--models", "fake"]) == 0
    capsys.readouterr()
    return tmp_path / "shelf"


@pytest.fixture(params=["SIGINT", "SIGTERM"])
def served(shelf, request):
    asked = getattr(signal, request.param)
    command = [sys.executable, "-m", "ponder", "serve", str(shelf), "--port", "0"]
    child = subprocess.Popen(
        command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 60
    while not (shelf / warm.NAME).exists():
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    yield shelf, child
    child.send_signal(asked)
    log = child.communicate(timeout=30)[0]
    assert child.returncode in (0, -asked, 128 + asked), log
    assert not (shelf / warm.NAME).exists()


def answer(shelf, capsys, *told):
    assert run(["search", str(shelf), "red kite", "--json", "--budget", "64", *told]) == 0
    found = json.loads(capsys.readouterr().out)
    return [(hit["id"], hit["score"], hit["stages"]) for hit in found["hits"]], found["usage"]


def test_the_server_answers_as_the_command_would(served, capsys):
    shelf, _ = served
    assert warm.find(shelf)
    assert answer(shelf, capsys) == answer(shelf, capsys, "--server", "off")
    assert run(["search", str(shelf), "red kite", "--budget", "64"]) == 0
    shown = capsys.readouterr().out
    assert run(["search", str(shelf), "red kite", "--budget", "64", "--server", "off"]) == 0
    assert shown == capsys.readouterr().out
    image = shelf.parent / "files" / "red.png"
    assert run(["search", str(shelf), "--image", str(image), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hits"]
    assert run(["search", str(shelf), "red", "--filter", "kind ="]) == 5
    assert "--server off" in capsys.readouterr().err


def test_what_a_killed_server_left_behind_is_passed_over(shelf, capsys):
    for left in ('{"port": 1, "pid": 1}', "{", "[]", '{"port": "x"}', ""):
        (shelf / warm.NAME).write_text(left)
        assert warm.find(shelf) is None
        assert answer(shelf, capsys)[0]


def test_another_shelfs_server_is_not_asked(served, tmp_path, capsys):
    shelf, _ = served
    other = tmp_path / "other"
    assert run(["index", str(other), str(tmp_path / "files"), "--models", "fake"]) == 0
    (other / warm.NAME).write_text((shelf / warm.NAME).read_text())
    assert warm.find(other) is None
    capsys.readouterr()


def test_names_that_a_terminal_would_obey_are_made_harmless(shelf, tmp_path, capsys):
    (tmp_path / "files" / "red\x1b[2Jkite.txt").write_text("a red kite \x1b]0;owned\x07")
    run(["index", str(shelf), str(tmp_path / "files")])
    capsys.readouterr()
    assert run(["search", str(shelf), "red kite"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in re.sub(r"\x1b\[[\d;]*m", "", shown) and "\x07" not in shown


def test_a_shelf_whose_index_has_gone_is_not_served(shelf, capsys):
    shutil.rmtree(shelf / "index")
    assert run(["serve", str(shelf), "--port", "0"]) == 6
    assert "the index has gone" in capsys.readouterr().err
