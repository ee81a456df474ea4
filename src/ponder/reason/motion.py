"""Words for how a thing moves in a clip."""

from __future__ import annotations

PHRASES = {
    "left to right": "moves from left to right, crossing the picture towards the right",
    "right to left": "moves from right to left, crossing the picture towards the left",
    "rises": "rises from the bottom to the top, going up",
    "falls": "falls from the top to the bottom, going down",
    "grows": "grows larger, coming closer and closer",
    "shrinks": "shrinks, getting smaller and smaller, receding into the distance",
    "appears": "slowly appears, fading in, becoming visible",
    "disappears": "slowly vanishes, fading away, becoming invisible",
    "spins": "spins around in place, rotating on the spot",
    "bounces": "bounces up and down, jumping, hopping on the spot",
    "still": "stays still, without moving",
}
"""By the verdicts of `ponder.models.lite.motion`."""


def phrase(motion: str) -> str:
    """A motion in words, with the synonyms that people search by.

    Example:
        >>> phrase("rises")
        'rises from the bottom to the top, going up'
    """
    return PHRASES.get(motion, "is seen")
