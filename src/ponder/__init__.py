"""ponder: multimodal search that gets better by spending tokens of reasoning.

Example:
    >>> import ponder
    >>> query = ponder.Query("the instrument Yo-Yo Ma plays")
    >>> str(ponder.Retrieve(100) >> ponder.Rerank("ecr", keep=20))
    'retrieve:100,ecr:20'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ponder.cascade import Cascade, Rerank, Retrieve
    from ponder.errors import PonderError
    from ponder.models.registry import load as load_models
    from ponder.records import Hit, Item, Query, Ranking, Reasoning, Usage
    from ponder.shelf.opening import open_shelf as open
    from ponder.shelf.shelf import Shelf

__version__ = "0.1.0"

__all__ = [
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

_HOMES = {
    "Cascade": "ponder.cascade:Cascade",
    "Hit": "ponder.records:Hit",
    "Item": "ponder.records:Item",
    "PonderError": "ponder.errors:PonderError",
    "Query": "ponder.records:Query",
    "Ranking": "ponder.records:Ranking",
    "Reasoning": "ponder.records:Reasoning",
    "Rerank": "ponder.cascade:Rerank",
    "Retrieve": "ponder.cascade:Retrieve",
    "Shelf": "ponder.shelf.shelf:Shelf",
    "Usage": "ponder.records:Usage",
    "load_models": "ponder.models.registry:load",
    "open": "ponder.shelf.opening:open_shelf",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562), so that ``import ponder`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ponder' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOMES[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
