"""Vectors as real texts give them, in any number: MiniLM's of Python's own documentation, and mutations.

Some 19,000 sentences from the docstrings of the standard library, which every machine has, are embedded.
One in eight is kept for queries, which so are real texts that no item was made from. The others are mutated:
a step from a sentence towards another, and the difference of two more on top, so that directions and their
spread are those of the model, not those of a normal distribution. No texts of a million real items are here.
"""

from __future__ import annotations

import ast
import re
import sysconfig
from pathlib import Path

import numpy as np
from harness import ROOT
from numpy.typing import NDArray

_APART = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_LETTERS = range(25, 201)
_AT_ONCE = 20_000


def sentences() -> list[str]:
    """Sentences of the standard library's docstrings, all different, in order of the alphabet."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found = set()
    for path in sorted(root.rglob("*.py")):
        if not {"site-packages", "test"} & set(path.parts):
            for text in _docstrings(path):
                found.update(" ".join(each.split()) for each in _APART.split(text))
    return sorted(each for each in found if len(each) in _LETTERS)


def embedded() -> NDArray[np.float32]:
    """Their embeddings by MiniLM: float32 array of shape (sentences, 384); kept in build/ once made."""
    kept = ROOT / "build" / "sentences.npy"
    if not kept.is_file():
        from ponder.models.lite.text_encoder import TextEncoder

        vectors = TextEncoder().encode(sentences(), exact=False)
        kept.parent.mkdir(exist_ok=True)
        np.save(kept, vectors.astype(np.float32))
    found: NDArray[np.float32] = np.load(kept)
    return found


def split(vectors: NDArray[np.float32], queries: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Those to make items from, and `queries` others."""
    order = np.random.default_rng(0).permutation(len(vectors))
    apart = len(vectors) // 8
    return vectors[order[apart:]], vectors[order[:apart]][:queries]


def mutated(base: NDArray[np.float32], count: int, dim: int) -> NDArray[np.float32]:
    """Unit vectors: float32 array of shape (count, dim); the first are `base`, cut to `dim` values."""
    rng = np.random.default_rng(1)
    found = np.empty((count, dim), np.float32)
    base = base[:, :dim]
    for start in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        one, other, plus, minus = (base[rng.integers(len(base), size=size)] for _ in range(4))
        towards = rng.uniform(0, 0.5, (size, 1)).astype(np.float32)
        found[start : start + size] = (1 - towards) * one + towards * other + 0.3 * (plus - minus)
    found[: len(base)] = base[:count]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def nearest(vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> list[set[int]]:
    """The rows that an exact comparison puts first."""
    found = []
    for start in range(0, len(queries), 25):
        scores = vectors @ queries[start : start + 25].T
        found += [set(np.argpartition(-each, k)[:k].tolist()) for each in scores.T]
    return found


def _docstrings(path: Path) -> list[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return []
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = (ast.get_docstring(each) for each in ast.walk(tree) if isinstance(each, documented))
    return [each for each in found if each]
