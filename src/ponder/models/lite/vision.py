"""Pictures to class probabilities and features: EfficientNet-Lite0, 1 or 2 (Apache-2.0), on CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ponder.errors import BadArguments, InputInvalid
from ponder.models import weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

View = Literal["centre", "squeeze", "letterbox"]
VIEWS: tuple[View, ...] = ("centre", "squeeze", "letterbox")
TOKENS_PER_IMAGE = 49
"""What one view of one picture counts in a budget: the 7 x 7 positions of the last feature map."""

SIDES = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}
"""Weights by name → pixels of the square that they were trained to look at."""

_STRIDE = 32
_FEATURES = 1280
_CLASSES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the network saw.

    Attributes:
        probabilities: float32 (n, 1000), rows sum to 1; columns in the order of the sorted ImageNet
            synset ids, which is the order of `ponder.models.lite.wordnet.knowledge`.
        features: float32 (n, 1280), the average-pooled last layer before the classifier; not normalised.
        tokens: What this look counts in a budget: the positions of the last feature map, a view.
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]
    tokens: int


class Vision:
    """EfficientNet-Lite0. Cheap to make: weights load at first look.

    Pixels are scaled as these weights were trained, ``(p - 127) / 128``, and resized bicubically. On the
    1000 photos of the `photos` corpus (one a class), the top class agrees with the best one-to-one
    assignment of photos to classes for .855 of them with "centre", .812 with "squeeze" and .787 with
    "letterbox"; ImageNet's usual mean and deviation would give .750, a crop of .875 as in training .847.

    Args:
        folder: The weights; by default those of `name`, pulled if need be.
        name: One of `SIDES`. Lite1 looks at 8 x 8 positions and Lite2 at 9 x 9.

    Raises:
        BadArguments: An unknown name.
    """

    def __init__(self, folder: Path | None = None, name: str = "efficientnet-lite0") -> None:
        if name not in SIDES:
            raise BadArguments(f"unknown vision {name!r}", "vision", f"use one of {', '.join(SIDES)}")
        self._folder, self._name, self._side = folder, name, SIDES[name]

    @property
    def tokens_per_image(self) -> int:
        """What one view of one picture counts in a budget; `TOKENS_PER_IMAGE` for Lite0."""
        return (-(-self._side // _STRIDE)) ** 2

    @property
    def fingerprint(self) -> str:
        """Weights and preprocessing; known without loading them."""
        name = self._name if self._folder is None else f"path:{self._folder}"
        return f"{weights.fingerprint(name)}/bicubic-2"

    def look(self, images: Sequence[Image], views: Sequence[View] = ("centre",)) -> Look:
        """Look at pictures, one at a time, so that a result never depends on the others.

        (On two cores a batch of 8 is also slower than 8 single pictures: 13 against 8 ms each.)

        Args:
            images: Any mode and size; each is looked at in RGB.
            views: How the picture is made square: "centre" crops the middle, "squeeze" distorts the
                whole, "letterbox" pads it with the colour of its border. Several are averaged.

        Raises:
            BadArguments: An unknown view, or none.

        Example:
            >>> Vision().look([]).probabilities.shape
            (0, 1000)
        """
        import numpy as np

        if not views or any(view not in VIEWS for view in views):
            raise BadArguments(f"unknown views {tuple(views)}", "views", f"use some of {', '.join(VIEWS)}")
        probabilities = np.zeros((len(images), _CLASSES), np.float32)
        features = np.zeros((len(images), _FEATURES), np.float32)
        for row, image in enumerate(images):
            for view in views:
                seen, felt = self._forward(_square(image, view, self._side))
                probabilities[row] += seen / len(views)
                features[row] += felt / len(views)
        return Look(probabilities, features, self.tokens_per_image * len(images) * len(views))

    def directions(self, count: int) -> NDArray[np.float32]:
        """The `count` directions in which the classifier tells classes apart most.

        float32 (count, 1280): the first right singular vectors of its centred weights. Signs are fixed
        (the largest component is positive), so that vectors made on two machines can be compared.
        """
        return self._singular[:count]

    def imagined(self, mean: NDArray[np.float32], clear: float = 0.9) -> NDArray[np.float32]:
        """Features that a picture of each class may have, from the classifier's weights alone.

        The mean picture, moved along the class' centred weights: what the classifier would call that class.

        Args:
            mean: float32 (1280,), features of the pictures that are to be expected.
            clear: How far, in lengths of `mean`. From .3 to 3, stamps' dev differed by .015 of hit@10.

        Returns:
            float32 (1000, 1280), not negative.
        """
        import numpy as np

        rows = self._network._fc.weight.detach().numpy()
        rows = rows - rows.mean(axis=0)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        moved = mean + np.float32(clear * np.linalg.norm(mean)) * rows
        return np.asarray(np.maximum(moved, 0.0), np.float32)

    @cached_property
    def _singular(self) -> NDArray[np.float32]:
        import numpy as np

        matrix = self._network._fc.weight.detach().numpy().astype(np.float64)
        matrix -= matrix.mean(axis=0)
        # By the smaller Gram matrix: five times as fast as the decomposition of the whole. The last value
        # is 0, since the rows are centred.
        values, left = np.linalg.eigh(matrix @ matrix.T)
        best = np.argsort(-values, kind="stable")[:-1]
        rows = (left[:, best] / np.sqrt(values[best])).T @ matrix
        largest = rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)]
        return np.asarray(rows * np.sign(largest)[:, None], np.float32)

    def _forward(self, square: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import numpy as np
        import torch

        pixels = (np.asarray(square, np.float32) - 127.0) / 128.0
        with torch.inference_mode():
            batch = (
                torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
            )
            felt = self._network.extract_features(batch).mean(dim=(2, 3))
            seen = torch.softmax(self._network._fc(felt), dim=1)
        return seen[0].numpy(), felt[0].numpy()

    @cached_property
    def _network(self) -> Any:
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        folder = self._folder or weights.ensure(self._name)
        found = sorted(folder.glob("*.pth"))
        if len(found) != 1:
            raise InputInvalid(
                f"{len(found)} *.pth files instead of one", str(folder), "pull the weights again"
            )
        network = EfficientNet.from_name(self._name)
        try:
            network.load_state_dict(torch.load(found[0], map_location="cpu", weights_only=True))
        except Exception as error:
            raise InputInvalid(
                f"not {self._name} weights: {error}".splitlines()[0],
                str(found[0]),
                f"ponder models pull {self._name}",
            ) from error
        return network.eval().to(memory_format=torch.channels_last)


def _square(image: Image, view: View, side: int) -> Image:
    """The picture as side x side RGB."""
    from PIL import Image as pillow
    from PIL import ImageOps

    image = image.convert("RGB")
    size = (side, side)
    if view == "squeeze":
        return image.resize(size, pillow.Resampling.BICUBIC)
    if view == "letterbox":
        return ImageOps.pad(image, size, pillow.Resampling.BICUBIC, color=_border(image))
    return ImageOps.fit(image, size, pillow.Resampling.BICUBIC)


def _border(image: Image) -> tuple[int, int, int]:
    """The median colour of the border: a cut-out on white goes on being on white."""
    import numpy as np

    pixels = np.asarray(image)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(value) for value in np.median(rim, axis=0))
    return red, green, blue
