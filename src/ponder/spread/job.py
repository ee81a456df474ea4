"""What a worker is told, as JSON: the models' name and everything else that decides the rows."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from ponder.errors import BadArguments, InputInvalid
from ponder.index.cache import Cache, cache_key
from ponder.index.codecs import dumps, loads
from ponder.media.limits import Limits
from ponder.models.folder import cache_folder
from ponder.protocols import Models
from ponder.records import Item
from ponder.shelf.ingest import Ingest, MediaOpener
from ponder.shelf.refused import decoders


@dataclass(frozen=True, slots=True)
class Job:
    """What to make of items, and with what.

    Attributes:
        models: A preset's name; each worker builds it for itself.
        reasoner: Fingerprint that the worker's reasoner has to have.
        embedder: The same of the embedder.
        dim: Length of the vectors.
        reason_tokens: Longest reasoning about a document.
        limits: How much of a file is opened.
        text_layer: Whether PDFs' text layers are read.
        software: Versions of whatever opens files, which have to be the same everywhere.
        cache: File of the cache, in the worker's own file system.
        folder: The folder that relative names are meant from.
        environment: PONDER_ variables of this process.
        threads: That open files ahead of the models, in each worker.
    """

    models: str
    reasoner: str
    embedder: str
    dim: int
    reason_tokens: int
    limits: Limits
    text_layer: bool
    software: str
    cache: str
    folder: str
    environment: Mapping[str, str]
    threads: int = 1

    @classmethod
    def of(cls, ingest: Ingest, *, threads: int = 1) -> Self:
        """The job that this ingest does.

        Raises:
            BadArguments: It opens items in a way of its own.
        """
        opener, models = ingest.opener, ingest.models
        if not isinstance(opener, MediaOpener):
            raise BadArguments("items are opened in a way of their own", "--on", "leave it out")
        cache = ingest.cache.path if isinstance(ingest.cache, Cache) else cache_folder() / "cache.sqlite"
        return cls(
            models=models.name,
            reasoner=models.reasoner.fingerprint,
            embedder=models.embedder.fingerprint,
            dim=models.embedder.dim,
            reason_tokens=ingest.reason_tokens,
            limits=opener.limits,
            text_layer=opener.text_layer,
            software=software(),
            cache=str(cache.absolute()),
            folder=str(Path.cwd()),
            environment={name: value for name, value in os.environ.items() if name.startswith("PONDER_")},
            threads=threads,
        )

    @property
    def key(self) -> str:
        """A hash over what decides the rows: 16 hex digits."""
        names = ("reasoner", "embedder", "dim", "reason_tokens", "text_layer", "software")
        told = {name: getattr(self, name) for name in names}
        return cache_key(what="spread", limits=asdict(self.limits), **told)[:16]

    @property
    def opener(self) -> MediaOpener:
        """How items are opened."""
        return MediaOpener(self.limits, self.text_layer)

    def check(self, models: Models) -> None:
        """Refuse models that would make other rows.

        Raises:
            InputInvalid: Says what differs.
        """
        here = {
            "reasoner": models.reasoner.fingerprint,
            "embedder": models.embedder.fingerprint,
            "dim": models.embedder.dim,
            "software": software(),
        }
        apart = [f"{name} {value}" for name, value in here.items() if value != getattr(self, name)]
        if apart:
            wanted = "; ".join(f"{name} {getattr(self, name)}" for name in here)
            raise InputInvalid(
                f"other models or software on {platform.node()} ({'; '.join(apart)})",
                self.models,
                f"install there what is here: {wanted}",
            )

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """The job of `text`."""
        stored: dict[str, Any] = json.loads(text)
        return cls(**{**stored, "limits": Limits(**stored["limits"])})


def software() -> str:
    """Versions of Python and of what opens files; other ones may see other things in the same bytes."""
    return f"python {'.'.join(platform.python_version_tuple()[:2])}, {decoders()}"


def items_text(items: tuple[Item, ...]) -> str:
    """Items as JSON."""
    told = [{each.name: getattr(item, each.name) for each in fields(Item)} for item in items]
    return dumps([each | {"metadata": dict(each["metadata"])} for each in told])


def items_from(text: str) -> list[Item]:
    """The items of `items_text`."""
    return [Item(**each) for each in loads(text)]
