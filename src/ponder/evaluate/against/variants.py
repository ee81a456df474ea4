"""The axis of models: the same set with a part that is smaller or larger."""

from __future__ import annotations

from dataclasses import dataclass

JUDGED = 256
"""The budget at which judges of different sizes are compared, and the default's with them."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Models to compare with the default ones.

    Attributes:
        label: As in `Point`.
        group: The part that differs: "vision", "text", "judge".
        models: As in ``--models``.
        budget: Tokens a query; 0 where the part is used by retrieval already.
    """

    label: str
    group: str
    models: str
    budget: int = 0


_LITE = (
    Variant("Lite1", "vision", "lite,vision=efficientnet-lite1"),
    Variant("Lite2", "vision", "lite,vision=efficientnet-lite2"),
    Variant("MiniLM, 3 of 6 layers", "text", "lite,text_layers=3"),
    Variant("SmolLM2, 10 of 30 layers", "judge", "lite,judge_layers=10", JUDGED),
    Variant("SmolLM2, 20 of 30 layers", "judge", "lite,judge_layers=20", JUDGED),
)

STANDING = {"vision": "Lite0", "text": "MiniLM", "judge": "SmolLM2"}
"""What the default's own part is called where a group of `lite` varies it."""


def variants(models: str, others: tuple[str, ...] = ()) -> tuple[Variant, ...]:
    """What to compare a set of models with.

    Args:
        models: The default's name; `lite` has variants of its own.
        others: More models by name, whole sets, compared by retrieval alone.

    Example:
        >>> [each.group for each in variants("lite")]
        ['vision', 'vision', 'text', 'judge', 'judge']
        >>> variants("fake", ("lite,text=path:bge",))[0].label
        'lite,text=path:bge'
    """
    own = _LITE if models == "lite" else ()
    return (*own, *(Variant(name, "models", name) for name in others))
