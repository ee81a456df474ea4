"""Cascaded search under a token budget (TTE-v2, arXiv:2602.23369)."""

from ponder.cascade.cascade import Cascade, default_cascade, parse_stages
from ponder.cascade.ledger import Ledger
from ponder.cascade.stages import Rerank, Retrieve, Think

__all__ = ["Cascade", "Ledger", "Rerank", "Retrieve", "Think", "default_cascade", "parse_stages"]
