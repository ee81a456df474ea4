import json

import pytest

from ponder.cli.main import run


class Command:
    """Runs the command in this process, on the fakes."""

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *arguments):
        """(exit code, stdout, stderr)."""
        self._capsys.readouterr()
        code = run([str(each) for each in arguments])
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *arguments, code=0):
        """The one document on stdout of a command that ends with `code`."""
        got, out, err = self(*arguments, "--json")
        assert got == code, err
        return json.loads(out)

    def lines(self, *arguments, code=0):
        """The JSON lines on stdout."""
        got, out, err = self(*arguments, "--json")
        assert got == code, err
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def ponder(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PONDER_DEBUG", raising=False)
    return Command(capsys)


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "kite.txt").write_text("a red kite over the hills", "utf-8")
    (folder / "whale.md").write_text("a blue whale under water", "utf-8")
    return folder


@pytest.fixture
def shelf(ponder, files, tmp_path):
    path = tmp_path / "shelf"
    assert ponder("index", path, files, "--models", "fake")[0] == 0
    return path
