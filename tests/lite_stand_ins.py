"""Stand-ins for the engines below the lite parts: words are tokens, sentences are hashed directions.

They are honest where the real ones are: a language model's usage is what it was made to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from ponder.embed import lexical
from ponder.models.lite.language import Scores, Written
from ponder.models.lite.perception import Glimpse, Perception
from ponder.models.lite.prompt import Prompt
from ponder.models.lite.text_encoder import States, rarity
from ponder.models.lite.vision import TOKENS_PER_IMAGE, Look
from ponder.records import Candidate, Content, Embedded, Item, Kind, PartReasoning, Reasoning, Row, Usage
from ponder.testing.words import words


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class WordLanguage:
    """A token is a word; a word that was read before is likelier (-1) than one that was not (-3).

    Attributes:
        read: Tokens read in all calls.
        answer: What it writes.
    """

    fingerprint = "word-language"

    def __init__(self, answer: str = "") -> None:
        self.read = 0
        self.answer = answer

    def tokens(self, text: str | tuple[int, ...]) -> tuple[int, ...]:
        return tuple(map(_number, words(text))) if isinstance(text, str) else text

    def count(self, text: str) -> int:
        return len(self.tokens(text))

    def cut(self, text: str, limit: int) -> str:
        return " ".join(text.split()[:limit])

    def score(self, prefix: str | tuple[int, ...] | Prompt, continuations: Sequence[str]) -> Scores:
        return self._scores(self._prompt(prefix), [((), self.tokens(text)) for text in continuations])

    def likelihood(
        self, prefixes: Sequence[tuple[int, ...]], continuation: str | tuple[int, ...], head: str = ""
    ) -> Scores:
        target = self.tokens(continuation)
        return self._scores(self._prompt(head), [(self.tokens(prefix), target) for prefix in prefixes])

    def generate(self, prompt: str | Prompt, max_tokens: int, stop: Sequence[str] = ()) -> Written:
        """Writes `answer`, as much of it as there is room for."""
        read = len(self._prompt(prompt).tokens)
        self.read += read
        text = self.cut(self.answer, max_tokens)
        return Written(text, Usage(read, self.count(text)), text != self.answer)

    def _prompt(self, text: str | tuple[int, ...] | Prompt) -> Prompt:
        return text if isinstance(text, Prompt) else Prompt(self.tokens(text))

    def _scores(self, head: Prompt, pieces: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> Scores:
        values = [
            tuple(-1.0 if token in (*head.tokens, *context) else -3.0 for token in target)
            for context, target in pieces
        ]
        usage = head.charge() if pieces else Usage()
        usage += Usage(read=sum(max(len(context) + len(target) - 1, 0) for context, target in pieces))
        self.read += usage.read
        return Scores(tuple(map(sum, values)), tuple(values), usage)


class HashedEncoder:
    """Each text is a direction of its own; so is each word, whatever stands beside it.

    Attributes:
        read: Words and marks read for their states, in all calls.
    """

    fingerprint = "hashed-encoder"

    def __init__(self) -> None:
        self.read = 0

    def encode(self, texts: Sequence[str], *, exact: bool = True) -> np.ndarray:
        rows = [np.random.default_rng(_number(text)).normal(size=384) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(texts), 384)

    def count(self, text: str) -> int:
        return len(words(text)) + 2

    def states(self, text: str, longest: int = 256) -> States:
        kept = words(text)[: longest - 2]
        self.read += len(kept) + 2
        return States(self.encode(kept), rarity(pieces(" ".join(kept))), len(kept) + 2)

    def pieces(self, text: str) -> list[int]:
        return pieces(text)


def pieces(text: str) -> list[int]:
    """Word pieces as WordPiece numbers them: a word each, never among the marks below 1996."""
    return [1997 + _number(word) % (30522 - 1997) for word in words(text)]


class ColourVision:
    """Sees one class, its number given by the picture's first pixel; features point there too."""

    fingerprint = "colour-vision"

    def __init__(self) -> None:
        self.looked = 0

    def look(self, images: Sequence, views: Sequence[str] = ("centre",)) -> Look:
        self.looked += len(images)
        probabilities = np.full((len(images), 1000), 0.1 / 999, np.float32)
        features = np.full((len(images), 1280), 0.1, np.float32)
        for row, image in enumerate(images):
            place = sum(image.convert("RGB").getpixel((0, 0)))
            probabilities[row, place] = 0.9
            features[row, place] = 5.0
        return Look(probabilities, features, TOKENS_PER_IMAGE * len(images) * len(views))

    def directions(self, count: int) -> np.ndarray:
        return _directions(count)


@cache
def _directions(count: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(1).normal(size=(1280, count)))[0].T.astype(np.float32)


class Told:
    """A perceiver that has been told what there is to see, by digest."""

    fingerprint = "told"

    def __init__(self, seen: Mapping[str, Perception] | None = None) -> None:
        self.seen = dict(seen or {})

    def perceive(self, content: Content, *, read: bool = True) -> Perception:
        return self.seen.get(content.digest, Perception(Glimpse((), np.zeros(1280, np.float32))))


def glimpse(*classes: tuple[int, float], colours=(), span=(0.0, 0.0), motion="", seed=0) -> Glimpse:
    """A glimpse of these classes with features of their own."""
    features = np.random.default_rng(seed).gamma(0.5, size=1280).astype(np.float32)
    return Glimpse(tuple(classes), features, tuple(colours), span, motion, 0.9 if motion else 0.0)


def candidate(
    id_: str, *parts: PartReasoning, kind: Kind = "image", part: str = "", text: str = ""
) -> Candidate:
    """A stored item with this reasoning, as `Retrieve` hands it on."""
    labels = tuple(each.label for each in parts) or ("",)
    vectors = np.eye(len(labels), 8, dtype=np.float32)
    reasoning = Reasoning(text=text, parts=parts)
    return Candidate(Row(Item(id_, kind), reasoning, Embedded(labels, vectors)), part, 0.5, 1)


DIM = 384 + lexical.DIM + 256 + 1
