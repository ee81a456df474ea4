"""For the site: the reader of docstrings knows "Examples:", ours say "Example:"."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ONE = re.compile(r"^(\s*)Example:\s*$", re.M)


class Examples(griffe.Extension):
    """Has the section found that a single example stands in."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = _ONE.sub(r"\1Examples:", obj.docstring.value)
