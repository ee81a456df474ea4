"""Killed at any moment, mining goes on to the pairs of an unbroken run, byte for byte."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mined_towns import HOW, indexed, write_towns

from ponder.evaluate.beir import Dataset
from ponder.feedback import mining
from ponder.feedback.mining import mine
from ponder.train.pairs import read_pairs

MINER = Path(__file__).with_name("killed_miner.py")
QUERIES = 2 * mining.BLOCK + 7


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset, Path]:
    """The data set, and what an unbroken run makes of it."""
    folder = tmp_path_factory.mktemp("killed") / "towns"
    dataset = write_towns(folder, QUERIES)
    return folder, dataset, mine(dataset, indexed(dataset, folder), HOW, folder / "whole").path


def killed(folder: Path, out: Path, where: str, number: int) -> int:
    arguments = [sys.executable, str(MINER), str(folder), str(out), where, str(number)]
    return subprocess.run(arguments, check=False, capture_output=True).returncode


def written(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(path.iterdir())}


@pytest.mark.parametrize(("where", "number"), [("block", 1), ("judge", 1), ("judge", mining.BLOCK + 5)])
def test_the_same_command_again_gives_the_same_pairs(
    towns: tuple[Path, Dataset, Path], tmp_path: Path, where: str, number: int
) -> None:
    folder, dataset, whole = towns
    out = tmp_path / "out"
    assert killed(folder, out, where, number) == -signal.SIGKILL
    kept = written(out / "pairs") if (out / "pairs").is_dir() else {}
    assert len(kept) < len(written(whole))
    found = mine(dataset, indexed(dataset, folder), HOW, out)
    assert written(found.path) == written(whole)
    assert kept.items() <= written(found.path).items()


def test_killed_over_and_over_it_arrives(towns: tuple[Path, Dataset, Path], tmp_path: Path) -> None:
    """What a kill costs is never more than a block: each try finishes one."""
    folder, _, whole = towns
    out = tmp_path / "out"
    for done in (1, 2, 3):
        assert killed(folder, out, "block", done) == -signal.SIGKILL
        assert len(written(out / "pairs")) == done
    assert killed(folder, out, "block", 0) == 0
    assert written(out / "pairs") == written(whole)


def test_half_a_part_counts_for_nothing(towns: tuple[Path, Dataset, Path], tmp_path: Path) -> None:
    """What a kill leaves of the part that was being written is no part."""
    folder, dataset, whole = towns
    out = tmp_path / "out"
    assert killed(folder, out, "block", 1) == -signal.SIGKILL
    assert killed(folder, out, "write", 1) == -signal.SIGKILL
    assert not (out / "pairs" / "part-00001.parquet").exists()
    assert len(list((out / "pairs").iterdir())) == 2, "the kill left half a part, or this tests nothing"
    found = mine(dataset, indexed(dataset, folder), HOW, out)
    assert written(found.path) == written(whole)
    assert list(read_pairs(found.path)) == list(read_pairs(whole))
