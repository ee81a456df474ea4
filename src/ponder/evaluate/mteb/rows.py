"""From mteb's rows, whose pictures are in memory, to items and queries, which name files."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, MissingDependency
from ponder.records import Item, Query


def need_mteb() -> Any:
    """The library.

    Raises:
        MissingDependency: It is not installed.
    """
    try:
        import mteb
    except ImportError:
        raise MissingDependency("mteb is not installed", "", 'pip install "ponder[mteb]"') from None
    return mteb


class Rows:
    """Makes items and queries of rows with columns ``id``, ``text``, ``title``, ``image``.

    Args:
        folder: Where pictures are written, each once, by the hash of what it shows; None takes a temporary
            one, which goes with this object.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="ponder-mteb-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._folder = folder

    def item(self, row: Mapping[str, Any]) -> Item:
        """A document's row.

        Raises:
            InputInvalid: It has neither text nor a picture, or is a sound or a clip.
        """
        text = "\n".join(part for part in (_text(row, "title"), _text(row, "text")) if part.strip())
        path = self._picture(row)
        if path is None and not text.strip():
            raise InputInvalid(f"the document {row['id']} has neither text nor a picture", "mteb")
        return Item(str(row["id"]), "image" if path else "text", uri=str(row["id"]), path=path, text=text)

    def query(self, row: Mapping[str, Any], instruction: str = "") -> Query:
        """A query's row.

        Raises:
            InputInvalid: As for `item`.
        """
        said = row.get("instruction")
        told = said if isinstance(said, str) and said.strip() else instruction
        return Query(
            _text(row, "text"), image=self._picture(row), instruction=told, id=str(row.get("id", ""))
        )

    def _picture(self, row: Mapping[str, Any]) -> str | None:
        for kind in ("audio", "video"):
            if row.get(kind) is not None:
                raise InputInvalid(f"mteb's rows of {kind} cannot be opened", str(row.get("id", "")))
        image = row.get("image")
        if image is None:
            return None
        rgb = image.convert("RGB")
        name = hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).hexdigest()
        path = self._folder / f"{name}.png"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            rgb.save(path)
        return str(path)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, list):
        # A conversation: its turns, in order.
        return "\n".join(str(turn.get("content", "") if isinstance(turn, dict) else turn) for turn in value)
    return value if isinstance(value, str) else ""


def instruction_of(task: Any) -> str:
    """What a task's metadata says queries are asked for; "" where it says nothing."""
    prompt = task.prompt
    if isinstance(prompt, Mapping):
        prompt = prompt.get("query")
    return prompt if isinstance(prompt, str) else ""
