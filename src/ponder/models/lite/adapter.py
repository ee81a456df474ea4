"""A learned way from what a picture looks like to what it means: what `lite` learns from labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid, InputNotFound, first_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "adapter.safetensors"
FEATURES, MEANING = 1280, 384
"""Of the classifier's features, and of the sentence encoder's vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tensors:
    map: NDArray[np.float32]
    mean: NDArray[np.float32]


def rooted(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features as adapters read them: square-rooted, of unit norm; zeros stay zeros.

    Args:
        features: float32 (n, 1280), not negative.

    Example:
        >>> import numpy as np
        >>> rooted(np.array([[4.0, 0.0], [0.0, 0.0]], np.float32)).tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    import numpy as np

    roots = np.sqrt(np.maximum(features, 0.0))
    norms = np.linalg.norm(roots, axis=-1, keepdims=True)
    return np.asarray(roots / np.where(norms, norms, 1.0), np.float32)


class Adapter:
    """A linear map from a picture's features to the sentence encoder's space, added to its meaning.

    Frome et al. (DeViSE, 2013) learn such a map in place of class names; here it stands beside them (ConSE),
    which it need not learn again. ``ponder train adapter`` makes one.

    Args:
        folder: Holds ``adapter.safetensors``, itself or in its ``model``: ``map`` float32 (1280, 384),
            ``mean`` float32 (1280,), and as metadata the fingerprints of the classifier and the sentence
            encoder that it was trained between.

    Raises:
        InputNotFound: No such file.
        InputInvalid: It holds something else.
    """

    def __init__(self, folder: Path) -> None:
        # What ``ponder train adapter --out`` was given has it one folder below.
        inside = [each / FILE for each in (folder, folder / "model")]
        self._file = next((each for each in inside if each.is_file()), inside[0])
        if not self._file.is_file():
            raise InputNotFound("no adapter here", str(folder), "make one with: ponder train adapter")

    @cached_property
    def fingerprint(self) -> str:
        """Of its content."""
        return f"adapter:{hashlib.sha256(self._file.read_bytes()).hexdigest()[:12]}"

    @cached_property
    def made(self) -> dict[str, str]:
        """What the file says of itself: ``vision``, ``text``, ``format``."""
        with self._open() as file:
            return dict(file.metadata() or {})

    def fits(self, vision: str, text: str) -> None:
        """Refuse to be used between other models than those it was trained between.

        Args:
            vision: Fingerprint of the classifier.
            text: Fingerprint of the sentence encoder.

        Raises:
            InputInvalid: They are others.
        """
        for name, given in (("vision", vision), ("text", text)):
            if self.made.get(name) != given:
                raise InputInvalid(
                    f"trained with {name} {self.made.get(name)!r}, used with {given!r}",
                    str(self._file),
                    "use it with the models that it was trained with, or train another",
                )

    def meaning(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """What looks add to the meaning: float32 (384,) of features (1280,); zeros of zeros."""
        import numpy as np

        if not features.any():
            return np.zeros(MEANING, np.float32)
        tensors = self._tensors
        return np.asarray((rooted(features) - tensors.mean) @ tensors.map, np.float32)

    @cached_property
    def _tensors(self) -> _Tensors:
        import numpy as np

        with self._open() as file:
            found = {name: np.asarray(file.get_tensor(name), np.float32) for name in file.keys()}  # noqa: SIM118
        shapes = {name: tensor.shape for name, tensor in found.items()}
        if shapes != {"map": (FEATURES, MEANING), "mean": (FEATURES,)}:
            raise InputInvalid(f"holds {shapes}", str(self._file), "make one with: ponder train adapter")
        return _Tensors(found["map"], found["mean"])

    def _open(self) -> Any:
        from safetensors import SafetensorError, safe_open

        try:
            return safe_open(self._file, "numpy")
        except SafetensorError as error:
            raise InputInvalid(
                f"no safetensors: {first_line(error)}", str(self._file), "copy it anew"
            ) from error


def save_adapter(
    folder: Path,
    map_: NDArray[np.float32],
    mean: NDArray[np.float32],
    *,
    vision: str,
    text: str,
) -> None:
    """Write an adapter.

    Args:
        folder: Is there.
        map_: float32 (1280, 384).
        mean: float32 (1280,): taken off rooted features first.
        vision: Fingerprint of the classifier.
        text: Fingerprint of the sentence encoder.
    """
    from safetensors.numpy import save_file

    told = {"format": "ponder-lite-adapter-1", "vision": vision, "text": text}
    save_file({"map": map_, "mean": mean}, folder / FILE, metadata=told)
