"""`ponder doctor SHELF --deep` from outside, and what it says is done."""

from __future__ import annotations

import json
import shlex
import subprocess
from random import Random

import pytest

from ponder.cli.main import run
from ponder.errors import BadArguments, InputInvalid
from ponder.testing.faults import damage_file


@pytest.fixture
def shelf(tmp_path, texts, monkeypatch, capsys):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "users"))
    assert run(["index", str(tmp_path / "shelf"), str(texts), "--models", "fake", "--isolate", "on"]) == 0
    capsys.readouterr()
    return tmp_path / "shelf"


def look(shelf, capsys):
    """The exit code, and what it says of the shelf."""
    code = run(["doctor", str(shelf), "--deep", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_whole_shelf(shelf, capsys):
    _, said = look(shelf, capsys)
    assert said["deep"]["rows"] == 40
    assert said["deep"]["damages"] == said["deep"]["rows_without_checksum"] == 0
    assert not any("damage" in each for each in said["problems"])


def test_the_command_that_it_names_repairs_the_shelf(shelf, capsys):
    victim = max((shelf / "index" / "rows.lance" / "data").iterdir(), key=lambda path: path.stat().st_size)
    damage_file(victim, Random(3), how="flip")
    code, said = look(shelf, capsys)
    assert code == InputInvalid.exit_code
    assert said["deep"]["damages"] == 1
    [problem] = [each for each in said["problems"] if "a damaged file" in each]
    command = problem.partition("make it again: ")[2]
    move, _, index = command.partition(" && ")
    subprocess.run(shlex.split(move), check=True)
    assert run(shlex.split(index)[1:]) == 0
    capsys.readouterr()
    _, said = look(shelf, capsys)
    assert (said["deep"]["rows"], said["deep"]["damages"]) == (40, 0)


def test_deep_needs_a_shelf(capsys):
    assert run(["doctor", "--deep"]) == BadArguments.exit_code
