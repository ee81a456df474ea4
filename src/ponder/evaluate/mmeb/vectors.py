"""Embeddings on disk: safetensors, which ponder writes, and NumPy's arrays; pickles are refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import BackendFailed, InputInvalid, InputNotFound

if TYPE_CHECKING:
    from numpy.typing import NDArray

TENSOR = "embeddings"
"""Name of the tensor in our files."""

SUFFIXES = (".safetensors", ".npy")

PICKLES = ("", ".pkl", ".pickle")
"""Endings of the official evaluator's embeddings; it gives them none."""

CONVERTER = "a pickle can run any program: convert it with `ponder mmeb convert FILE OUT`"


def find_vectors(folder: Path, stem: str, task: str = "") -> Path:
    """The file of one side's embeddings: ``STEM.npy``, ``TASK_STEM.safetensors`` and so on.

    Args:
        folder: Where to look.
        stem: ``qry`` or ``tgt``.
        task: Take this task's, where the folder has several.

    Raises:
        InputNotFound: There is none.
        InputInvalid: There are several, or there is only a pickle.
    """
    found = _named(folder, stem, task, SUFFIXES)
    if len(found) > 1:
        names = ", ".join(sorted(path.name for path in found))
        raise InputInvalid(f"several files of {stem} embeddings", str(folder), f"name the --task: {names}")
    if found:
        return found[0]
    pickles = _named(folder, stem, task, PICKLES)
    if pickles:
        raise InputInvalid("a pickle", str(pickles[0]), CONVERTER)
    raise InputNotFound(f"no {stem} embeddings", str(folder), f"put {stem}.npy or {stem}.safetensors there")


def _named(folder: Path, stem: str, task: str, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    stems = {f"{task}_{stem}"} if task else set()
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in suffixes]
    exact = [path for path in files if path.stem == stem or path.stem in stems]
    return exact if exact or task else [path for path in files if path.stem.endswith(f"_{stem}")]


def read_vectors(path: Path) -> NDArray[Any]:
    """One row a query or candidate, float16, float32 or float64; of ``.npy`` a memory map.

    Raises:
        InputInvalid: The file cannot be read, is a pickle, or is no matrix of numbers.
    """
    import numpy as np

    try:
        if path.suffix == ".safetensors":
            from safetensors.numpy import load_file

            tensors = load_file(path)
            if len(tensors) != 1:
                raise InputInvalid(f"{len(tensors)} tensors", str(path), f"one is wanted, {TENSOR!r}")
            found = next(iter(tensors.values()))
        else:
            found = np.load(path, mmap_mode="r", allow_pickle=False)
    except InputInvalid:
        raise
    except Exception as error:
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise InputInvalid("a pickle", str(path), CONVERTER) from error
        raise InputInvalid("cannot be read as an array", str(path), "write it again") from error
    if found.ndim != 2 or found.dtype.kind != "f":
        what = f"an array of {found.dtype} and shape {found.shape}"
        raise InputInvalid(what, str(path), "one row of float numbers a query or candidate is wanted")
    return found


def write_vectors(path: Path, rows: NDArray[Any]) -> None:
    """Write embeddings as safetensors, whole or not at all.

    Args:
        path: ``….safetensors``.
        rows: (rows, dim), float16 or float32.

    Raises:
        BackendFailed: It cannot be written.
    """
    import numpy as np
    from safetensors.numpy import save

    data = save({TENSOR: np.ascontiguousarray(rows)})
    write_whole(path, data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; its folder is made.

    Raises:
        BackendFailed: It cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise BackendFailed(
            f"cannot be written: {error.strerror}", str(path), "choose another place"
        ) from error
