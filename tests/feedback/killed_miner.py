"""Mines in a process of its own that is killed, as by the system: for `test_mining_killed.py`.

    python killed_miner.py FOLDER OUT block|judge|write N

kills itself when N blocks are done, at the judge's N-th question, or while part N is written, some row groups
of which are on the disk. `block` with N of 0: never.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from mined_towns import HOW, indexed

from ponder.evaluate.beir import load_beir
from ponder.feedback.mining import BLOCK, mine
from ponder.records import Candidate, Content, Judgement
from ponder.testing import FakeReranker
from ponder.train.pairs import Pair, writing


def die() -> None:
    """Without a word: no handler runs, nothing is closed."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(eq=False)
class Killing(FakeReranker):
    """The judge that it is named after, until it is asked for the n-th time."""

    at: int = 0

    @property
    def fingerprint(self) -> str:
        """Another process' judge is the same judge."""
        return FakeReranker(self.name).fingerprint

    def rerank(self, query: Content, candidates: list[Candidate], *, limit: int) -> Judgement:
        """Die, or judge."""
        if self.calls + 1 == self.at:
            die()
        return super().rerank(query, candidates, limit=limit)


def write_half(part: Path) -> None:
    """Die with the file open, by the writer that mining writes with."""
    with writing(part) as out:
        out.add(Pair("q000", f"half-{number}", "hard-negative") for number in range(5000))
        out.flush()
        die()


def main() -> None:
    folder, out, where, number = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    if where == "write":
        write_half(out / "pairs" / f"part-{number:05d}.parquet")
    judge = Killing("ecr", at=number if where == "judge" else 0)

    def advance(done: int, of: int) -> None:
        if where == "block" and number and done >= min(number * BLOCK, of):
            die()

    mine(
        load_beir(folder, split="train"),
        indexed(load_beir(folder, split="train"), folder, judge),
        HOW,
        out,
        advance,
    )


if __name__ == "__main__":
    main()
