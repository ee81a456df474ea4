"""Records to bytes and back, for the caches and the index: JSON and ``.npy``, never pickle."""

from __future__ import annotations

import base64
import binascii
import io
import json
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ponder.protocols import BlobCache
from ponder.records import Embedded, PartReasoning, Reasoning, Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER = struct.Struct("<4sI")
_MAGIC = b"PEm1"


class Undecodable(ValueError):
    """The bytes are not what the codec writes: a damaged or foreign entry."""


def dumps(value: Any) -> str:
    """JSON text of a value that may hold numpy arrays, bytes, tuples and mappings with any keys.

    What JSON lacks is written as an object of one key that begins with ``$``.

    Raises:
        TypeError: A value of another type.

    Example:
        >>> loads(dumps({"frames": (1, 2.5), "raw": b"x"}))
        {'frames': (1, 2.5), 'raw': b'x'}
    """
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)


def loads(text: str) -> Any:
    """The value that `dumps` wrote.

    Raises:
        Undecodable: The text is something else.
    """
    try:
        return _rich(json.loads(text))
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError) as error:
        raise Undecodable(str(error)) from error


def encode_reasoning(reasoning: Reasoning) -> bytes:
    """A reasoning as UTF-8 JSON."""
    return dumps(reasoning_fields(reasoning)).encode()


def decode_reasoning(data: bytes) -> Reasoning:
    """The reasoning that `encode_reasoning` wrote.

    Raises:
        Undecodable: The bytes are something else.
    """
    try:
        return reasoning_from(loads(data.decode()))
    except UnicodeDecodeError as error:
        raise Undecodable(str(error)) from error


def reasoning_fields(reasoning: Reasoning) -> dict[str, Any]:
    """The fields of a reasoning, for `dumps`."""
    usage = reasoning.usage
    return {
        "text": reasoning.text,
        "parts": [[part.label, part.text, dict(part.facts)] for part in reasoning.parts],
        "trace": reasoning.trace,
        "usage": [usage.read, usage.written, usage.cached],
        "tokens": reasoning.tokens,
        "truncated": reasoning.truncated,
        "model": reasoning.model,
        "cut": reasoning.cut,
    }


def reasoning_from(fields: Any) -> Reasoning:
    """The reasoning of the fields that `reasoning_fields` gave.

    Raises:
        Undecodable: They are something else.
    """
    try:
        return Reasoning(
            text=fields["text"],
            parts=tuple(PartReasoning(label, text, facts) for label, text, facts in fields["parts"]),
            trace=fields["trace"],
            usage=Usage(*fields["usage"]),
            tokens=fields["tokens"],
            truncated=fields["truncated"],
            model=fields["model"],
            # Shelves and caches made before it was recorded.
            cut=fields.get("cut", ""),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise Undecodable(f"not a reasoning: {error}") from error


def encode_embedded(embedded: Embedded) -> bytes:
    """Labels as JSON, then the vectors as ``.npy`` (float32)."""
    labels = json.dumps(list(embedded.labels)).encode()
    return _HEADER.pack(_MAGIC, len(labels)) + labels + _npy(embedded.vectors)


def decode_embedded(data: bytes) -> Embedded:
    """What `encode_embedded` wrote.

    Raises:
        Undecodable: The bytes are something else.
    """
    import numpy as np

    try:
        magic, length = _HEADER.unpack_from(data)
        labels = tuple(json.loads(data[_HEADER.size : _HEADER.size + length]))
        vectors = _array(data[_HEADER.size + length :])
    except (struct.error, ValueError, TypeError, EOFError) as error:
        raise Undecodable(f"not vectors: {error}") from error
    if magic != _MAGIC or vectors.ndim != 2 or len(labels) != len(vectors) or vectors.dtype != np.float32:
        raise Undecodable("not vectors: other labels, shape or type than were written")
    return Embedded(labels, vectors)


def cached_reasoning(cache: BlobCache, key: str) -> Reasoning | None:
    """The reasoning under `key`; None when there is none or it cannot be read."""
    data = cache.get(key)
    try:
        return None if data is None else decode_reasoning(data)
    except Undecodable:
        return None


def cached_embedded(cache: BlobCache, key: str) -> Embedded | None:
    """The vectors under `key`; None when there are none or they cannot be read."""
    data = cache.get(key)
    try:
        return None if data is None else decode_embedded(data)
    except Undecodable:
        return None


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one return a type
    import numpy as np

    if value is None or isinstance(value, bool | int | float | str):
        # np.float64 is a float and np.str_ a str: both JSON as they are.
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"$npy": base64.b64encode(_npy(value)).decode()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, tuple):
        return {"$tuple": [_plain(each) for each in value]}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _plain(each) for key, each in value.items()}
        return {"$map": [[_plain(key), _plain(each)] for key, each in value.items()]}
    raise TypeError(f"a {type(value).__name__} cannot be stored: use JSON values, bytes and numpy arrays")


def _rich(value: Any) -> Any:  # noqa: PLR0911 - one return a type
    if isinstance(value, list):
        return [_rich(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key == "$npy":
            return _array(base64.b64decode(inner, validate=True))
        if key == "$bytes":
            return base64.b64decode(inner, validate=True)
        if key == "$tuple":
            return tuple(_rich(each) for each in inner)
        if key == "$map":
            return {_rich(key): _rich(each) for key, each in inner}
    return {key: _rich(each) for key, each in value.items()}


def _npy(array: NDArray[Any]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    try:
        np.save(buffer, array, allow_pickle=False)
    except ValueError as error:
        raise TypeError(f"an array of {array.dtype} cannot be stored: {error}") from error
    return buffer.getvalue()


def _array(data: bytes) -> NDArray[Any]:
    import numpy as np

    array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array
