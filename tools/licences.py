"""Licences of all that ponder needs, against a list of those that are allowed.

python tools/licences.py            check; exit code 1 when one is unknown or denied
python tools/licences.py --write    write docs/licences.md as well
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from packages import ROOT, Package, packages

PAGE = ROOT / "docs" / "licences.md"

ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "HPND", "ISC", "MIT"),
        *("MIT-0", "MIT-CMU", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "CNRI-Python"),
        # Weak copyleft by file: used unchanged.
        "MPL-2.0",
        "WordNet",
    }
)
"""What a package that people need may be under."""

FOR_US = ALLOWED | {"LGPL-2.1-or-later", "LGPL-3.0-or-later"}
"""What a package that only our tests need (extra ``dev``) may be under."""

STATED = {
    "pillow-heif": ("BSD-3-Clause", "its own code; not installed here. See above for its wheels"),
    "pypdfium2": ("BSD-3-Clause OR Apache-2.0", "its metadata says both, in words"),
}
"""Licences that the metadata does not state, or not in SPDX, and where they were read."""

EXCEPTIONS = {
    "psycopg": "LGPL-3.0-only: extra `postgres` only, imported unchanged; nobody gets it unasked",
    "psycopg-binary": "LGPL-3.0-only: extra `postgres` only, imported unchanged; nobody gets it unasked",
    "textual-image": "LGPL-3.0-or-later: extra `terminal` only, imported unchanged; nobody gets it unasked",
}
"""Packages outside of the list that stay, and why. Decided one by one."""

BUNDLES = {
    "av": "FFmpeg (LGPL-3.0-or-later by its own word), libx264 and libx265 (GPL-2.0-or-later), and others",
    "pillow-heif": "libheif and libde265 (LGPL-3.0), libx265 (GPL-2.0): bigcat88/pillow_heif#111",
    "pypdfium2": "PDFium and what it needs; BUILD_LICENSES in the wheel has all texts",
    "opencv-python-headless": "FFmpeg and others; LICENSE-3RD-PARTY.txt in the wheel has all texts",
}
"""What wheels bring along besides their own code. pip installs them; ponder's wheel holds none of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of a licence.

    Attributes:
        name: Package or weights.
        version: Its version.
        licence: In SPDX, as far as it is known.
        groups: Who needs it.
        problem: Why it cannot stay; "" for nothing.
    """

    name: str
    version: str
    licence: str
    groups: tuple[str, ...]
    problem: str


def allowed(expression: str, allow: frozenset[str]) -> bool:
    """Whether an SPDX expression can be met with licences of the list.

    Example:
        >>> allowed("MIT OR GPL-3.0-only", ALLOWED), allowed("MIT AND GPL-3.0-only", ALLOWED)
        (True, False)
        >>> allowed("(MIT OR X) AND Apache-2.0 WITH LLVM-exception", ALLOWED)
        True
    """
    words = re.sub(r"\s+WITH\s+\S+?(?=[\s)]|$)", "", expression)
    tokens = re.findall(r"\(|\)|[^\s()]+", words)
    if not tokens or len(tokens) > 200:
        return False
    value, rest = _either(tokens, allow)
    return value and not rest


def _either(tokens: list[str], allow: frozenset[str]) -> tuple[bool, list[str]]:
    value, rest = _both(tokens, allow)
    while rest and rest[0].upper() == "OR":
        more, rest = _both(rest[1:], allow)
        value = value or more
    return value, rest


def _both(tokens: list[str], allow: frozenset[str]) -> tuple[bool, list[str]]:
    value, rest = _one(tokens, allow)
    while rest and rest[0].upper() == "AND":
        more, rest = _one(rest[1:], allow)
        value = value and more
    return value, rest


def _one(tokens: list[str], allow: frozenset[str]) -> tuple[bool, list[str]]:
    if not tokens:
        return False, []
    if tokens[0] == "(":
        value, rest = _either(tokens[1:], allow)
        return (value, rest[1:]) if rest[:1] == [")"] else (False, [])
    return tokens[0] in allow, tokens[1:]


def verdict(package: Package) -> Verdict:
    """What is thought of a package's licence."""
    licence = STATED[package.name][0] if package.name in STATED else package.licence
    allow = FOR_US if package.groups == {"dev"} else ALLOWED
    problem = ""
    if not licence:
        problem = "unknown" if package.version else "not installed, not pinned, and nothing stated"
    elif not allowed(licence, allow) and package.name not in EXCEPTIONS:
        problem = "not on the list"
    groups = tuple(sorted(package.groups))
    return Verdict(package.name, package.version, licence, groups, problem)


def weights() -> list[Verdict]:
    """What is thought of the weights' licences."""
    from ponder.models.pins import pins

    return [
        Verdict(
            pin.name, pin.version, pin.licence, ("weights",), _problem(pin.licence, pin.sha256, pin.scheme)
        )
        for pin in pins().values()
    ]


def _problem(licence: str, sha256: str, scheme: str) -> str:
    if not licence or not allowed(licence, ALLOWED):
        return "unknown" if not licence else "not on the list"
    return "" if sha256 or scheme == "hf" else "no hash"


def page(found: Sequence[Verdict], data: Sequence[Verdict]) -> str:
    """The document."""
    lines = [
        "# Licences",
        "",
        "Of everything that ponder and its extras need, as installed from `constraints.txt`, and of",
        "the weights in `models/pins.yaml`. Made by `make licences`; `tests/supply` fails on one that is",
        "unknown or not allowed. ponder itself is Apache-2.0; WordNet's data in it is under WordNet's",
        "licence (`NOTICE`).",
        "",
        f"Allowed: {', '.join(sorted(ALLOWED))}. For packages that only our tests need (`dev`), LGPL too.",
        "",
        "Exceptions:",
        "",
        *(f"- {name}: {why}" for name, why in sorted(EXCEPTIONS.items())),
        "",
        "## What wheels bring along",
        "",
        "pip installs these; ponder's wheel holds none of it. Who passes an image (a container's, say) on",
        "that holds them passes these on as well.",
        "",
        "| package | in its wheel |",
        "|---|---|",
        *(f"| {name} | {what} |" for name, what in sorted(BUNDLES.items())),
        "",
        "## Weights",
        "",
        "| name | version | licence |",
        "|---|---|---|",
        *(f"| {each.name} | {each.version} | {each.licence} |" for each in data),
        "",
        "## Packages",
        "",
        "| package | version | licence | needed by |",
        "|---|---|---|---|",
    ]
    for each in found:
        needed = "ponder" if "ponder" in each.groups else ", ".join(each.groups)
        lines.append(f"| {each.name} | {each.version} | {each.licence} | {needed} |")
    noted = [name for name in sorted(STATED) if name in {each.name for each in found}]
    lines += ["", "Read elsewhere than in the metadata:", ""]
    lines += [f"- {name}: {STATED[name][1]}" for name in noted]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Check, and write if told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    write = parser.parse_args().write
    found, data = [verdict(each) for each in packages()], weights()
    if write:
        PAGE.write_text(page(found, data), encoding="utf-8")
    problems = [each for each in (*found, *data) if each.problem]
    for each in problems:
        print(f"{each.name} {each.version}: {each.licence or '?'}: {each.problem} ({', '.join(each.groups)})")
    print(f"licences: {len(found)} packages and {len(data)} weights, {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
