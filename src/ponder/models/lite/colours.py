"""The dominant colours of a picture, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# sRGB examples of the eleven basic colour terms of English (Berlin and Kay, 1969), with beige and
# turquoise, which people name as readily. Several examples a name, because a name is a region: the
# nearest example in CIELAB decides.
_EXAMPLES = {
    "black": ["#000000", "#1c1c1c"],
    "grey": ["#5a5a5a", "#808080", "#a8a8a8", "#c4c4c4"],
    "white": ["#ffffff", "#ececec"],
    "red": ["#d62020", "#a01818", "#f04848", "#701010"],
    "orange": ["#f08010", "#ffa040", "#d86a10"],
    "brown": ["#6b4020", "#8b5a2b", "#4a2c14", "#a0703c"],
    "beige": ["#e8d8b8", "#d2b48c", "#c8b090"],
    "yellow": ["#f8e020", "#fff080", "#d8b810", "#e8c840"],
    "green": ["#208020", "#50b050", "#104010", "#90d060", "#607030", "#a8d8a8"],
    "turquoise": ["#20b0b0", "#70d8d0", "#107070"],
    "blue": ["#2040c0", "#4080e0", "#102060", "#90c0f0", "#3070a0"],
    "purple": ["#702090", "#a060c0", "#401050", "#c0a0e0"],
    "pink": ["#f060a0", "#f8b0c8", "#d84080"],
}
_SIDE = 64
# Colours this near to the border's in CIELAB belong to the background; about four just noticeable steps.
_SAME = 10.0
# A border is uniform when this share of it has one colour.
_UNIFORM = 0.8


class Colour(NamedTuple):
    """A colour's name and the share of the picture that has it."""

    name: str
    share: float


def names() -> list[str]:
    """The names that `dominant` uses.

    Example:
        >>> len(names())
        13
    """
    return list(_EXAMPLES)


def dominant(
    image: Image, *, most: int = 3, least: float = 0.08, ignore_border: bool = False
) -> list[Colour]:
    """The colours that cover most of a picture.

    Args:
        image: Any mode and size; it is looked at in 64 x 64.
        most: No more than this many.
        least: Colours of a smaller share are left out.
        ignore_border: Where the picture's border has one colour, leave out all that has it, unless that is
            the whole picture: the colours of a thing before a plain background. Shares are then of the
            rest.

    Returns:
        By falling share; equal shares by name.

    Example:
        >>> from PIL import Image
        >>> dominant(Image.new("RGB", (8, 8), (250, 10, 10)))
        [Colour(name='red', share=1.0)]
    """
    import numpy as np

    pixels = np.asarray(image.convert("RGB").resize((_SIDE, _SIDE)), np.float32).reshape(-1, 3)
    lab = _lab(pixels)
    if ignore_border:
        lab = lab[_inside(lab)]
    labels, examples = _palette()
    nearest = ((lab[:, None] - examples[None]) ** 2).sum(-1).argmin(1)
    counts = np.bincount(labels[nearest], minlength=len(_EXAMPLES)) / len(lab)
    found = [Colour(name, float(share)) for name, share in zip(_EXAMPLES, counts, strict=True)]
    found = sorted((colour for colour in found if colour.share >= least), key=lambda c: (-c.share, c.name))
    return found[:most]


def _inside(lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    import numpy as np

    rim = np.ones((_SIDE, _SIDE), np.bool_)
    rim[2:-2, 2:-2] = False
    border = lab[rim.ravel()]
    middle = np.median(border, axis=0)
    if (np.linalg.norm(border - middle, axis=1) < _SAME).mean() < _UNIFORM:
        return np.ones(len(lab), np.bool_)
    inside = np.linalg.norm(lab - middle, axis=1) >= _SAME
    return inside if inside.mean() >= 0.01 else np.ones(len(lab), np.bool_)


def _palette() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    import numpy as np

    labels = np.array([i for i, examples in enumerate(_EXAMPLES.values()) for _ in examples])
    codes = [code for examples in _EXAMPLES.values() for code in examples]
    rgb = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes], np.float32)
    return labels, _lab(rgb)


def _lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB, 0 to 255, to CIELAB under D65 (CIE 15:2004)."""
    import numpy as np

    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    bent = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = bent[:, 0], bent[:, 1], bent[:, 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1).astype(np.float32)
