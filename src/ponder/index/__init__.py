"""The vector store and the caches: rows in, nearest items out; what was computed once is kept."""

from ponder.index.cache import Cache, cache_key, user_cache
from ponder.index.exact import ExactIndex
from ponder.index.lance import LanceIndex

__all__ = ["Cache", "ExactIndex", "LanceIndex", "cache_key", "user_cache"]
