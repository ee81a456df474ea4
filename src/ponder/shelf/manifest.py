"""The shelf's manifest: what it was made with, so that nothing else is mixed in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from shlex import quote
from typing import Any, Self

from ponder.errors import BackendFailed, InputInvalid
from ponder.index.stores import LOCAL, same_store
from ponder.media.limits import Limits
from ponder.protocols import Models

FORMAT = 1
"""Version of the shelf's files; raised when older ponders could not read them."""

ELSEWHERE_FORMAT = 2
"""Version of a shelf whose index is not in its folder: an older ponder would begin an empty one there."""

NAME = "manifest.json"

INDEX = "index"
"""Folder of the index within a shelf."""

_SUM = "sum"
"""Of the other fields: one flipped bit makes another limit that looks as good. Older ponders pass it over."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a shelf was made with.

    Attributes:
        models: Name of the preset.
        reasoner: Fingerprint of the reasoner.
        embedder: Fingerprint of the embedder.
        dim: Length of the vectors.
        reason_tokens: Longest reasoning about a document, in the reasoner's tokens.
        limits: How much of a file was opened: pixels, pages, frames, seconds, bytes.
        ponder: Version of ponder that made the shelf.
        version: `FORMAT` when it was made.
        store: Where the index is, without secrets (`ponder.index.stores`).
        effort: Of a search in the approximate index, as ``ponder doctor index --repair`` measured it; 0 is
            the index's own.
    """

    models: str
    reasoner: str
    embedder: str
    dim: int
    reason_tokens: int
    limits: Limits
    ponder: str
    version: int = FORMAT
    store: str = LOCAL
    effort: int = 0

    @classmethod
    def of(cls, models: Models, reason_tokens: int | None, limits: Limits | None, store: str = LOCAL) -> Self:
        """The manifest of a new shelf; None takes the models' and the media room's defaults."""
        from ponder import __version__

        return cls(
            models=models.name,
            reasoner=models.reasoner.fingerprint,
            embedder=models.embedder.fingerprint,
            dim=models.embedder.dim,
            reason_tokens=models.reason_tokens if reason_tokens is None else reason_tokens,
            limits=Limits() if limits is None else limits,
            ponder=__version__,
            version=FORMAT if store == LOCAL else ELSEWHERE_FORMAT,
            store=store,
        )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The manifest in `folder`; None when there is none.

        Raises:
            InputInvalid: It cannot be read, or is of another version.
        """
        path = folder / NAME
        again = f"move the folder away and index again: ponder index {quote(str(folder))} PATH"
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise InputInvalid(f"the shelf's manifest cannot be read: {error}", str(path), again) from error
        version = stored.get("version") if isinstance(stored, Mapping) else None
        if isinstance(version, int) and version not in (FORMAT, ELSEWHERE_FORMAT):
            made = stored.get("ponder", "another version")
            raise InputInvalid(
                f"the shelf has format {version} (ponder {made}), "
                f"this ponder reads format {FORMAT} and {ELSEWHERE_FORMAT}",
                str(path),
                f"use ponder {made}, or {again}",
            )
        if isinstance(stored, Mapping) and stored.get(_SUM) not in (None, _sum(stored)):
            raise InputInvalid(
                "the shelf's manifest is damaged: it is not what was written",
                str(path),
                f'if it was changed on purpose, take "{_SUM}" out of it; if not, {again}',
            )
        try:
            return cls(**_checked(stored))
        except (TypeError, ValueError, KeyError) as error:
            raise InputInvalid(f"the shelf's manifest is damaged: {error}", str(path), again) from error

    def write(self, folder: Path) -> None:
        """Write the manifest, all of it or nothing.

        Raises:
            BackendFailed: The disk is full, or the folder cannot be written.
        """
        try:
            write_whole(folder / NAME, json.dumps(self._stored(), indent=2) + "\n")
        except OSError as error:
            raise BackendFailed(
                f"the manifest cannot be written: {error.strerror}",
                str(folder / NAME),
                "check the disk's free space and the folder's permissions",
            ) from error

    def _stored(self) -> dict[str, Any]:
        # What is as it always was is left out: but for the sum, such a manifest is that of ponder 0.1.
        usual = {"store": LOCAL, "effort": 0}
        told = {name: value for name, value in asdict(self).items() if usual.get(name) != value}
        return told | {_SUM: _sum(told)}

    def check_models(self, models: Models, folder: Path) -> None:
        """Refuse models that the shelf was not made with.

        Raises:
            InputInvalid: Says what differs.
        """
        theirs = {
            "reasoner": models.reasoner.fingerprint,
            "embedder": models.embedder.fingerprint,
            "dim": models.embedder.dim,
        }
        other = [
            f"{n} {getattr(self, n)} there, {v} here" for n, v in theirs.items() if getattr(self, n) != v
        ]
        if other:
            hint = f"open it with the models {self.models!r} of ponder {self.ponder}"
            if models.name != self.models:
                hint = f"use --models {self.models}"
            raise InputInvalid(
                f"the shelf was made with other models ({'; '.join(other)})",
                str(folder),
                f"{hint}, or index into a new folder: ponder index NEW PATH --models {models.name}",
            )

    def check_settings(
        self, reason_tokens: int | None, limits: Limits | None, folder: Path, store: str | None = None
    ) -> None:
        """Refuse settings that the shelf was not made with; None is whatever it was made with.

        Raises:
            InputInvalid: Says what differs.
        """
        other = []
        if reason_tokens is not None and reason_tokens != self.reason_tokens:
            other.append(f"reason-tokens {self.reason_tokens} there, {reason_tokens} here")
        if limits is not None:
            other += [
                f"{each.name} {getattr(self.limits, each.name)} there, {getattr(limits, each.name)} here"
                for each in fields(Limits)
                if getattr(limits, each.name) != getattr(self.limits, each.name)
            ]
        if store is not None and not same_store(store, self.store):
            other.append(f"store {self.store} there, {store} here")
        if other:
            raise InputInvalid(
                f"the shelf was made with other settings ({'; '.join(other)})",
                str(folder),
                "leave them out to go on with the shelf's own, or index into a new folder",
            )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a kill at any moment leaves the old one or the new one.

    Raises:
        OSError: It cannot be written; the old file is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _sum(stored: Mapping[str, Any]) -> str:
    """Over all fields but itself, those of a later ponder too."""
    told = json.dumps({name: stored[name] for name in stored if name != _SUM}, sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _checked(stored: Any) -> dict[str, Any]:
    types = {"dim": int, "reason_tokens": int, "version": int, "effort": int}
    found = {}
    for each in fields(Manifest):
        if each.name in ("store", "effort") and each.name not in stored:
            continue
        value = stored[each.name]
        if each.name == "limits":
            value = Limits(**value)
        elif not isinstance(value, types.get(each.name, str)):
            raise TypeError(f"{each.name} is {value!r}")
        found[each.name] = value
    return found
