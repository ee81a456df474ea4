"""The official evaluator's pickled embeddings, read without running what is in them.

A pickle is a program that may call anything by its name. Here every name but those that NumPy's arrays need
is refused, and these are not NumPy's own: they are stand-ins that only keep what they are given. Whatever
comes out is made anew of bytes that were counted and checked. So neither the pickle nor NumPy's own
un-pickling runs. (https://docs.python.org/3/library/pickle.html, "Restricting Globals".)
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.mmeb.parsed import Name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TYPES = {"f2": 2, "f4": 4, "f8": 8, "i4": 4, "i8": 8}
"""Names of types → bytes of a value."""

_SHOW = "the official evaluator writes an array of queries, or a dictionary from names to vectors"


@dataclass(frozen=True, slots=True, eq=False)
class Unpickled:
    """One side's embeddings.

    Attributes:
        rows: float32 (queries or candidates, dim).
        names: Of the candidates, in the official order; None for queries.
    """

    rows: NDArray[np.float32]
    names: Sequence[Name] | None


def read_pickle(path: Path) -> Unpickled:
    """Read ``TASK_qry`` or ``TASK_tgt``.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: It holds anything but arrays, numbers, strings, lists and dictionaries, or is no pickle.
    """
    import numpy as np

    if not path.is_file():
        raise InputNotFound("no such file", str(path), "check the path")
    try:
        with path.open("rb") as file:
            found = _Reader(file).load()
        if isinstance(found, dict):
            names = [_plain(name) for name in found]
            rows = [_array(each) for each in found.values()]
        else:
            names, rows = None, _rows(found)
        if not rows or any(row.ndim != 1 or row.shape != rows[0].shape for row in rows):
            raise _Refused("vectors that are not all of one length")
        return Unpickled(np.stack(rows).astype(np.float32), names)
    except _Refused as error:
        raise InputInvalid(str(error), str(path), _SHOW) from None
    except Exception as error:
        # A pickle that was cut off or made to do harm can fail in any way.
        raise InputInvalid(f"not a pickle: {type(error).__name__}", str(path), _SHOW) from None


class _Refused(Exception):
    """What is in the file is not for us."""


class _Type:
    """Stands in for ``numpy.dtype``."""

    def __init__(self, name: object, *_: object) -> None:
        if name not in _TYPES:
            raise _Refused(f"values of type {name!r}")
        self.name = str(name)

    def __setstate__(self, state: Sequence[object]) -> None:
        if state[1] not in ("<", "|", "="):
            raise _Refused("values of another machine's byte order")

    @property
    def size(self) -> int:
        return _TYPES[self.name]


class _Array:
    """Stands in for ``numpy.ndarray``."""

    def __init__(self) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _frombuffer(data: object, kind: object, shape: object, order: object) -> _Array:
    made = _Array()
    made.state = (1, shape, kind, order == "F", data)
    return made


def _scalar(kind: object, data: object) -> Any:
    return _values(kind, data).tolist()[0]


def _encode(text: object, coding: object) -> bytes:
    if not isinstance(text, str) or coding != "latin1":
        raise _Refused("a text in an unknown coding")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _frombuffer),
        )
    },
}


class _Reader(pickle.Unpickler):
    """Knows the stand-ins and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        found = _STAND_INS.get((module, name))
        if found is None:
            raise _Refused(f"a pickle that asks for {module}.{name}")
        return found


def _values(kind: object, data: object) -> NDArray[Any]:
    import numpy as np

    if not isinstance(kind, _Type) or not isinstance(data, bytes | bytearray) or len(data) % kind.size:
        raise _Refused("an array without its values")
    return np.frombuffer(bytes(data), f"<{kind.name}")


def _array(found: object) -> NDArray[Any]:
    if not isinstance(found, _Array) or len(found.state) != 5:
        raise _Refused(f"{type(found).__name__.strip('_')} in place of an array")
    _, shape, kind, fortran, data = found.state
    values = _values(kind, data)
    if not isinstance(shape, tuple) or not all(isinstance(each, int) and each >= 0 for each in shape):
        raise _Refused("an array without a shape")
    if math.prod(shape) != len(values):
        raise _Refused(f"{len(values)} values in an array of shape {shape}")
    return values.reshape(shape, order="F" if fortran else "C")


def _rows(found: object) -> list[NDArray[Any]]:
    if isinstance(found, list | tuple):
        return [_array(each) for each in found]
    whole = _array(found)
    if whole.ndim != 2:
        raise _Refused(f"an array of {whole.ndim} dimensions")
    return list(whole)


def _plain(name: object) -> Name:
    if isinstance(name, bool) or not isinstance(name, int | str):
        raise _Refused(f"a name of type {type(name).__name__}")
    return name
