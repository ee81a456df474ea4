"""matplotlib, where it is installed: the pictures are an extra."""

from __future__ import annotations

from typing import Any

from ponder.errors import MissingDependency


def matplotlib_for(picture: str) -> Any:
    """The library; figures are made without pyplot, so that no window system is asked for.

    Args:
        picture: What is to be drawn, for the message.

    Raises:
        MissingDependency: It is not installed.
    """
    try:
        import matplotlib.figure
    except ImportError as error:
        raise MissingDependency("no matplotlib", picture, "pip install 'ponder[plots]'") from error
    return matplotlib
