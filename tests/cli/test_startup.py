import subprocess
import sys

import pytest

import ponder

HEAVY = ("numpy", "torch", "transformers", "PIL", "rich", "lancedb", "pyarrow", "av", "yaml")


def modules_after(code):
    program = f"{code}\nimport sys; print(' '.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import ponder",
        "import ponder.cli.main",
        "from ponder.cli.main import run; assert run(['--help']) == 0",
        "from ponder.cli.main import run; assert run(['search', '--help']) == 0",
    ],
)
def test_starting_loads_nothing_heavy(code):
    assert not modules_after(code) & set(HEAVY)


def test_the_public_names():
    assert ponder.__all__ == [
        "Cascade",
        "Hit",
        "Item",
        "PonderError",
        "Query",
        "Ranking",
        "Reasoning",
        "Rerank",
        "Retrieve",
        "Shelf",
        "Usage",
        "__version__",
        "load_models",
        "open",
    ]
    assert dir(ponder) == sorted(ponder.__all__)
    for name in ponder.__all__:
        assert getattr(ponder, name) is not None


def test_a_name_that_is_not_public():
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        ponder.nosuch  # noqa: B018


def test_five_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "kite.txt").write_text("a red kite", "utf-8")
    with ponder.open(tmp_path / "shelf", "fake") as shelf:
        shelf.add(tmp_path / "kite.txt")
        [hit] = shelf.search("kite", budget=64)
    assert (hit.item.uri, hit.rank) == (str(tmp_path / "kite.txt"), 1)


def test_the_command_is_installed():
    done = subprocess.run(
        [sys.executable, "-m", "ponder", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"ponder {ponder.__version__}"
