"""The protocols as tests: subclass a suite, say how to make your part, and run pytest.

    from ponder.testing.contracts import RerankerContract

    class TestMyReranker(RerankerContract):
        def make(self, folder):
            return MyReranker(cache=folder)

Each test makes its part in an empty folder of its own. Where the stock examples don't suit a part (an
embedder that reads the facts of its own reasoner, say), override the other methods named in the suite.
For pytest's detailed failures put ``pytest.register_assert_rewrite("ponder.testing.contracts")`` into a
``conftest.py``.
"""

from ponder.testing.contracts.embedder import EmbedderContract
from ponder.testing.contracts.engine import EngineContract
from ponder.testing.contracts.index import IndexContract
from ponder.testing.contracts.models import BlobCacheContract, ModelsContract
from ponder.testing.contracts.reasoner import ReasonerContract
from ponder.testing.contracts.reranker import RerankerContract

__all__ = [
    "BlobCacheContract",
    "EmbedderContract",
    "EngineContract",
    "IndexContract",
    "ModelsContract",
    "ReasonerContract",
    "RerankerContract",
]
