"""Our indexes keep the contract."""

import pytest

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


class TestLanceIndexOnS3(IndexContract):
    @pytest.fixture(autouse=True)
    def _bucket(self, bucket):
        self.bucket = bucket

    def make(self, folder):
        from ponder.index.lance import LanceIndex

        return LanceIndex(f"{self.bucket}/{folder.name}", DIM)


class TestPgvectorIndex(IndexContract):
    @pytest.fixture(autouse=True)
    def _pgvector(self, pgvector):
        self.pgvector = pgvector

    def make(self, folder):
        return self.pgvector(DIM)


class TestQdrantIndex(IndexContract):
    http = False

    @pytest.fixture(autouse=True)
    def _qdrant(self, qdrant):
        self.qdrant = qdrant

    def make(self, folder):
        return self.qdrant(DIM, http=self.http)


class TestQdrantIndexOverHTTP(TestQdrantIndex):
    http = True
