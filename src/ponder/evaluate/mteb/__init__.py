"""mteb both ways: a cascade as a model of mteb's, and a BEIR folder with media as a task of its, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ponder.evaluate.mteb.encoder import MtebEncoder
    from ponder.evaluate.mteb.search import MtebSearch
    from ponder.evaluate.mteb.task import beir_task
    from ponder.evaluate.mteb.written import write_task

__all__ = ["MtebEncoder", "MtebSearch", "beir_task", "write_task"]

_HOMES = {"MtebEncoder": "encoder", "MtebSearch": "search", "beir_task": "task", "write_task": "written"}


def __getattr__(name: str) -> object:
    # mteb takes seconds to import: only what is asked for is.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
