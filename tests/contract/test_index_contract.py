"""Our indexes keep the contract."""

from ponder.index.exact import ExactIndex
from ponder.testing.contracts import IndexContract
from ponder.testing.contracts.index import DIM


class TestExactIndex(IndexContract):
    def make(self, folder):
        return ExactIndex()


class TestLanceIndex(IndexContract):
    def make(self, folder):
        from ponder.index.lance import LanceIndex

        return LanceIndex(folder / "index", DIM)
