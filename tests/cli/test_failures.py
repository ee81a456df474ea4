import errno

import pytest

from ponder.cli.main import run
from ponder.shelf.shelf import Shelf


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted: resume by running the same command again"),
        (OSError(errno.ENOSPC, "No space left on device", "index"), 6, "error: the disk is full (index): "),
        (FileNotFoundError(errno.ENOENT, "No such file", "/x"), 4, "error: no such file or folder (/x): "),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 6, "error: Permission denied (/x): "),
        (MemoryError(), 6, "error: out of memory: "),
        (
            ZeroDivisionError("by zero\nat night"),
            6,
            "error: ZeroDivisionError: by zero: run with PONDER_DEBUG=1",
        ),
    ],
)
def test_what_goes_wrong_below_becomes_one_line(ponder, shelf, monkeypatch, error, code, message):
    monkeypatch.setattr(Shelf, "search", failing(error))
    got, out, err = ponder("search", shelf, "kite", "--json")
    assert (got, out) == (code, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1


def test_debugging_lets_the_error_through(ponder, shelf, monkeypatch):
    monkeypatch.setattr(Shelf, "search", failing(ZeroDivisionError("by zero")))
    monkeypatch.setenv("PONDER_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(["search", str(shelf), "kite"])


def test_what_libraries_print_stays_out_of_the_json(ponder, shelf, monkeypatch):
    search = Shelf.search

    def noisy(*arguments, **more):
        print("loading weights")
        return search(*arguments, **more)

    monkeypatch.setattr(Shelf, "search", noisy)
    assert ponder.json("search", shelf, "kite")["hits"]
