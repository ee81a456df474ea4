"""`make bench` runs every benchmark, whatever the others come to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """import sys
if __name__ == "__main__":
    print({name!r}, *sys.argv[1:])
    sys.exit({code})
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


@pytest.fixture
def bench(tmp_path):
    """Runs `make bench` over stand-ins: name → exit code."""

    def run(codes, *options):
        bins = tmp_path / ".venv" / "bin"
        bins.mkdir(parents=True)
        (tmp_path / "benchmarks").mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, tmp_path)
        for name, code in codes.items():
            (tmp_path / "benchmarks" / f"{name}.py").write_text(PROGRAM.format(name=name, code=code))
        (tmp_path / "benchmarks" / "shared.py").write_text("raise SystemExit('not a benchmark')\n")
        (bins / "python").symlink_to(sys.executable)
        (bins / "ponder").write_text("#!/bin/sh\n")
        (bins / "ponder").chmod(0o755)
        (tmp_path / ".venv" / ".installed").touch()
        # What the make that runs the tests was told is not for this one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(
            ["make", "bench", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    return run


def test_all_run_and_those_that_failed_are_listed(bench, tmp_path):
    (tmp_path / "data").mkdir()
    done = bench({"a": 1, "b": 0, "c": 3, "quality": 1}, "DATA=data")
    assert done.stdout.splitlines() == ["a --json", "b --json", "c --json", "quality --data data"]
    assert "bench: failed: benchmarks/a.py benchmarks/c.py benchmarks/quality.py\n" in done.stderr
    assert done.returncode != 0


def test_when_none_fails_nor_does_it(bench):
    done = bench({"a": 0, "b": 0, "quality": 1}, "DATA=none")
    assert done.stdout.splitlines() == ["a --json", "b --json"]
    assert "no quality table" in done.stderr
    assert done.returncode == 0
