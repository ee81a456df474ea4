"""What ponder needs: packages by extra, their pins, and the licences that they state."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent

# Words that packages use, in order: the first that is found decides. Expressions of SPDX stand as they are.
_WORDS = (
    (r"apache.*2|^apache", "Apache-2.0"),
    (r"lesser general public|lgpl", "LGPL-3.0-or-later"),
    (r"affero|agpl", "AGPL-3.0-or-later"),
    (r"(?<!lesser )general public|\bgpl", "GPL-3.0-or-later"),
    (r"mozilla|mpl", "MPL-2.0"),
    (r"python software foundation|psf", "PSF-2.0"),
    (r"2-clause", "BSD-2-Clause"),
    (r"bsd", "BSD-3-Clause"),
    (r"\bisc\b", "ISC"),
    (r"\bmit\b|expat", "MIT"),
    (r"unlicense", "Unlicense"),
    (r"public domain|cc0", "CC0-1.0"),
)


@dataclass(frozen=True, slots=True)
class Package:
    """One package.

    Attributes:
        name: As on the index, lower case, with hyphens.
        version: The pinned one, else the installed one; "" when neither is known.
        licence: As `licence_of` says; "" when it is not installed or says nothing.
        groups: The extras that need it, directly or not; "ponder" is what is always needed.
        pinned: Whether constraints.txt names it.
    """

    name: str
    version: str
    licence: str
    groups: frozenset[str]
    pinned: bool


def canonical(name: str) -> str:
    """A name as all spellings have it.

    Example:
        >>> canonical("Pillow_Heif")
        'pillow-heif'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints() -> dict[str, str]:
    """Versions by name, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonical(name.strip()): version.strip() for name, _, version in pairs}


def packages() -> list[Package]:
    """What ponder and its extras need, by name. The needs of what is not installed are unknown."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"ponder": project["dependencies"], **project["optional-dependencies"]}
    groups: dict[str, set[str]] = {}
    for group, needs in wanted.items():
        for name in _closure(needs):
            groups.setdefault(name, set()).add(group)
    pins = constraints()
    return [
        Package(
            name, pins.get(name, _installed(name)), licence_of(name), frozenset(groups[name]), name in pins
        )
        for name in sorted(groups)
    ]


def licence_of(name: str) -> str:
    """What an installed package states: an SPDX expression, else one made of its words; "" for nothing."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    expression = told.get("License-Expression") or ""
    if expression:
        return expression
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in told.get_all("Classifier", [])
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    field = (told.get("License") or "").strip()
    if re.fullmatch(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)+", field):
        return field
    # A whole licence text in the field says in its first lines what it is; the classifier says it better.
    found = [
        spelt(each) for each in ([field] if field and "\n" not in field else classifiers or [field[:400]])
    ]
    found = [each for each in found if each] or [spelt(each) for each in classifiers]
    return " AND ".join(sorted({each for each in found if each}))


def spelt(words: str) -> str:
    """The SPDX identifier of a licence in words; "" when it is not known.

    Example:
        >>> spelt("Apache License, Version 2.0"), spelt("MIT License"), spelt("ask me")
        ('Apache-2.0', 'MIT', '')
    """
    return next((name for pattern, name in _WORDS if re.search(pattern, words.lower())), "")


def _closure(needs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [(Requirement(each), "") for each in needs]
    seen: set[tuple[str, str]] = set()
    while waiting:
        need, extra = waiting.pop()
        if need.marker is not None and not need.marker.evaluate({"extra": extra}):
            continue
        name = canonical(need.name)
        for each in ("", *sorted(need.extras)):
            if (name, each) in seen:
                continue
            seen.add((name, each))
            found.add(name)
            try:
                waiting += [(Requirement(line), each) for line in metadata.requires(name) or ()]
            except metadata.PackageNotFoundError:
                continue
    return found


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
