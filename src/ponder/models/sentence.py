"""What embedders and judges of sentence-transformers share: how they are named, had, and refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ponder.errors import MissingDependency, ModelInvalid, first_line, not_installed
from ponder.models.folder import folder_digest
from ponder.models.local.settings import TRUST
from ponder.models.quiet import quiet


def named(model: str, revision: str) -> str:
    """What a fingerprint says of a model: a folder's content, or the name and revision on the hub.

    Example:
        >>> named("cross-encoder/ettin-reranker-17m", "")
        'cross-encoder/ettin-reranker-17m@main'
    """
    folder = Path(model).expanduser()
    return folder_digest(folder) if folder.is_dir() else f"{model}@{revision or 'main'}"


def told(model: str, revision: str, device: str, dtype: str, trust: str) -> tuple[str, dict[str, Any]]:
    """Where a model is, and what the library is told of it.

    Args:
        model: A folder or a name on the model hub.
        revision: Commit on the hub; "" for the newest.
        device: As torch writes it; "" lets the library choose.
        dtype: "float32", "bfloat16", or "" for the model's own.
        trust: `ponder.models.local.settings.TRUST` to run code that comes with the model.
    """
    folder = Path(model).expanduser()
    options: dict[str, Any] = {"trust_remote_code": trust == TRUST, "device": device or None}
    if revision and not folder.is_dir():
        options["revision"] = revision
    if dtype:
        options["model_kwargs"] = {"dtype": dtype}
    return (str(folder) if folder.is_dir() else model), options


@contextmanager
def having(model: str, what: str) -> Iterator[None]:
    """Loads in silence, and says in one line why a model cannot be had.

    Args:
        model: As it was told.
        what: As what it is wanted: "an embedding model".

    Raises:
        MissingDependency: It cannot be had.
        ModelInvalid: It is not `what`.
    """
    try:
        with quiet():
            yield
    except ImportError as error:
        raise not_installed(error, model) from error
    except OSError as error:
        how = "give the folder of a downloaded copy, or check the name and the connection"
        raise MissingDependency(f"the model cannot be had: {first_line(error)}", model, how) from error
    except (ValueError, KeyError) as error:
        raise ModelInvalid(f"not {what}: {first_line(error)}", model, "see docs/models.md") from error
