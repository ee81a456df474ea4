"""The `lite` embedder: one unit vector of three blocks (meaning, words, looks) for each part of an item."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any

from ponder.embed import lexical
from ponder.embed.lexical import Lexical
from ponder.models.lite.adapter import Adapter
from ponder.models.lite.perception import Glimpse, Perceiver
from ponder.models.lite.text_encoder import DIM as TEXT_DIM
from ponder.models.lite.text_encoder import TextEncoder
from ponder.models.lite.vision import Vision
from ponder.models.lite.wordnet import knowledge
from ponder.records import Content, Embedded, PartReasoning, Reasoning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOOKS_DIM = 256
DIM = TEXT_DIM + lexical.DIM + LOOKS_DIM + 1
"""Meaning, words, looks, and one dimension that fills the vector up to unit norm."""

_LOOKS = TEXT_DIM + lexical.DIM
BLOCKS = {"meaning": (0, TEXT_DIM), "words": (TEXT_DIM, _LOOKS), "looks": (_LOOKS, _LOOKS + LOOKS_DIM)}
"""Where each block begins and ends."""

# Weights of the blocks, chosen on train and dev (docs/log.md, 2026-11-24). A text query meets meaning and
# words as t.t + .25 w.w; a picture meets looks too.
_WORDS = 0.5
_NAMES = 0.1
_COLOURS = 0.3
_CLASSES = 5
_PAGE = 0.1
_WRITING = 0.8
_VERSION = "lite-embedder-7"

# Every block is at most of its full length, so a constant scale keeps items comparable.
_SCALE = sqrt(1.0 + _WORDS**2 + 1.0)


class LiteEmbedder:
    """Conditions on what was perceived in the media *and* on the reasoning about it (TTE's h = f(x, ECR)).

    Meaning is a sentence vector (MiniLM): of a text's passage; of a picture, the mean of its likely classes'
    names, weighted by probability (ConSE, arXiv:1312.5650), and of the reasoning's claims about them,
    weighted likewise. Means are *not* brought back to unit norm: where the classifier wavers the mean is
    short and the picture scores low (hit@1 on photos .406 against .347 with names and claims renormalised).
    The last dimension fills every vector up to unit norm; queries have 0 there.

    Args:
        perceiver: Looks at contents; shared with the reasoner, so that each is looked at once.
        encoder: Embeds sentences.
        vision: Gives the directions in which looks are compared.
        adapter: Adds what was learned about looks to the meaning of pictures; None for nothing.
    """

    def __init__(
        self,
        perceiver: Perceiver,
        encoder: TextEncoder,
        vision: Vision,
        adapter: Adapter | None = None,
    ) -> None:
        self._perceiver, self._encoder, self._vision = perceiver, encoder, vision
        self._adapter = adapter
        self._lexical = Lexical(encoder.pieces)
        # Classes and their definitions come again and again; passages do not.
        self._sentence = lru_cache(maxsize=4096)(self._encode)

    @property
    def fingerprint(self) -> str:
        """All that decides a vector but the reasoning."""
        plain = f"{self._perceiver.fingerprint}/{self._encoder.fingerprint}/{_VERSION}"
        return plain if self._adapter is None else f"{plain}/{self._adapter.fingerprint}"

    @property
    def dim(self) -> int:
        """1153."""
        return DIM

    @property
    def blocks(self) -> dict[str, tuple[int, int]]:
        """`BLOCKS`: what `ponder.evaluate.against` takes apart."""
        return dict(BLOCKS)

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """See `ponder.protocols.Embedder`. Each content is embedded alone."""
        return [self._document(c, r) for c, r in zip(contents, reasonings, strict=True)]

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """See `ponder.protocols.Embedder`."""
        import numpy as np

        rows = [self._query(c, r) for c, r in zip(contents, reasonings, strict=True)]
        return np.stack(rows) if rows else np.zeros((0, DIM), np.float32)

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """See `ponder.protocols.PricesQueries`. Pictures were looked at when the query was embedded plain."""
        texts = [content.text, "" if reasoning is None else reasoning.text.strip()]
        return sum(self._encoder.count(text) for text in texts if text) or self._encoder.count("")

    def _document(self, content: Content, reasoning: Reasoning) -> Embedded:
        import numpy as np

        from ponder.media.passages import passages_of

        seen = self._perceiver.perceive(content)
        whole = reasoning.parts[0] if reasoning.parts else PartReasoning("", "")
        looks = self._looks(seen.whole)
        passages = [p for p in reasoning.parts if p.label.startswith("chars=")]
        if not reasoning.parts:
            # Of what nobody reasoned about there are still its own words to find it by.
            passages = [
                PartReasoning(f"chars={p.start}-{p.end}", p.text) for p in passages_of(content, seen.words)
            ]
        labels, rows = [""], []
        if content.kind in ("page", "text"):
            meanings = self._passages(passages)
            page: NDArray[np.float32] = np.zeros(TEXT_DIM, np.float32)
            if meanings:
                page = np.asarray(np.stack(meanings).mean(axis=0), np.float32)
            lead = whole.facts.get("lead")
            if lead:
                # Reasoning on: the whole is what is said of it, and a passage is read as part of its page.
                # Back to unit norm: a passage that is unlike the rest of its page is no less certain.
                rows.append(self._row(self._encode(lead), self._words([(lead, 1.0)]), looks))
                meanings = [_unit(m + np.float32(_PAGE) * _unit(page)) for m in meanings]
            else:
                rows.append(self._row(page, self._words([(p.text, 1.0) for p in passages]), looks))
            for passage, meaning in zip(passages, meanings, strict=True):
                labels.append(passage.label)
                rows.append(self._row(meaning, self._words([(passage.text, 1.0)]), looks * 0))
        else:
            rows.append(self._thing(seen.whole, whole, looks))
            segments = [p for p in reasoning.parts if p.label.startswith("t=")]
            for number, glimpse in enumerate(seen.segments):
                said = segments[number % len(segments)] if segments else PartReasoning("", "")
                labels.append(f"t={glimpse.span[0]:g},{glimpse.span[1]:g}")
                rows.append(self._thing(glimpse, said, self._looks(glimpse)))
            for passage in passages:
                labels.append(passage.label)
                # Writing in a picture is often a watermark: it speaks more softly than a page's.
                words = _WRITING * self._words([(passage.text, 1.0)])
                rows.append(self._row(_WRITING * self._encode(passage.text), words, looks * 0))
        return Embedded(tuple(labels), np.stack(rows))

    def _thing(
        self, glimpse: Glimpse, said: PartReasoning, looks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """A picture or a segment: what it is called, what is claimed of it, how it looks."""
        named = _names(glimpse)
        meaning = self._mean(named)
        bag = [*named, *((name, _COLOURS * share) for name, share in glimpse.colours)]
        claims: list[list[Any]] = list(said.facts.get("claims", ()))
        if claims:
            told = [(text, weight / 2) for first, second, weight, _ in claims for text in (first, second)]
            meaning = _NAMES * meaning + (1 - _NAMES) * self._mean(told)
            bag += [(first, weight) for first, _, weight, _ in claims]
        if self._adapter is not None:
            meaning = with_learned(meaning, self._adapter.meaning(glimpse.features))
        return self._row(meaning, self._words(bag), looks)

    def _query(self, content: Content, reasoning: Reasoning | None) -> NDArray[np.float32]:
        import numpy as np

        text = content.text
        thought = "" if reasoning is None else reasoning.text.strip()
        meaning = np.zeros(TEXT_DIM, np.float32)
        words = np.zeros(lexical.DIM, np.float32)
        looks = np.zeros(LOOKS_DIM, np.float32)
        if text:
            meaning = meaning + self._encode(text)
            words = self._words([(text, 1.0)], query=True)
        if thought:
            # Alone it is all there is; beside the query's own words it is a guess.
            share = _THOUGHT if text else 1.0
            meaning = meaning + np.float32(share) * self._encode(thought)
            if not text:
                words = self._words([(thought, 1.0)], query=True)
        if content.images:
            seen = self._perceiver.perceive(content, read=False)
            share = _PICTURE_BESIDE_TEXT if text or thought else 1.0
            meaning = meaning + share * self._mean(_names(seen.whole))
            looks = share * self._looks(seen.whole)
        row = np.concatenate([meaning, words, looks, np.zeros(1)]).astype(np.float32)
        norm = float(np.linalg.norm(row))
        if norm == 0.0:
            row[-1] = norm = 1.0
        return row / np.float32(norm)

    def _passages(self, passages: Sequence[PartReasoning]) -> list[NDArray[np.float32]]:
        """Each passage read with the last words of the one before, which often say what "it" is."""
        before, found = "", []
        for passage in passages:
            context = " ".join(before.split()[-_OVERLAP:])
            found.append(self._encode(f"{context} {passage.text}".strip()))
            before = passage.text
        return found

    def _row(
        self, meaning: NDArray[np.float32], words: NDArray[np.float32], looks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        import numpy as np

        row = np.concatenate([meaning, words, looks, np.zeros(1)]) / _SCALE
        row[-1] = np.sqrt(max(0.0, 1.0 - float(row @ row)))
        return np.asarray(row / np.linalg.norm(row), np.float32)

    def _words(self, texts: Sequence[tuple[str, float]], *, query: bool = False) -> NDArray[np.float32]:
        import numpy as np

        return np.asarray(_WORDS * self._lexical.vector(texts, query=query), np.float32)

    def _looks(self, glimpse: Glimpse) -> NDArray[np.float32]:
        """Features, square-rooted and projected on what tells classes apart; unit norm.

        Roots and the 256 first directions of the classifier keep picture → picture hit@1 on stamps at the
        .50 of all 1280 features; 256 random directions give .45.
        """
        import numpy as np

        roots = np.sqrt(np.maximum(glimpse.features, 0.0))
        looks = self._vision.directions(LOOKS_DIM) @ roots
        norm = float(np.linalg.norm(looks))
        return np.asarray(looks / norm if norm else looks, np.float32)

    def _mean(self, texts: Sequence[tuple[str, float]]) -> NDArray[np.float32]:
        import numpy as np

        total = np.zeros(TEXT_DIM, np.float32)
        for text, weight in texts:
            total += np.float32(weight) * self._sentence(text)
        return total

    def _encode(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._encoder.encode([text])[0]
        return vector


def with_learned(meaning: NDArray[np.float32], learned: NDArray[np.float32]) -> NDArray[np.float32]:
    """A meaning with what an adapter adds, no longer than 1: the row's scale has room for no more.

    Args:
        meaning: float32 (..., 384).
        learned: float32 (..., 384).

    Example:
        >>> import numpy as np
        >>> [f"{x:.3f}" for x in with_learned(np.array([1.0, 0.0]), np.array([0.0, 1.0]))]
        ['0.707', '0.707']
        >>> with_learned(np.array([0.25, 0.0]), np.array([0.0, 0.5])).tolist()
        [0.25, 0.5]
    """
    import numpy as np

    total = meaning + learned
    return np.asarray(total / np.maximum(1.0, np.linalg.norm(total, axis=-1, keepdims=True)), np.float32)


def meaning_of(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The meaning in a row of `LiteEmbedder.embed_documents`, float32 (384,), as long as it was made.

    Example:
        >>> import numpy as np
        >>> meaning_of(np.ones(DIM, np.float32)).shape
        (384,)
    """
    import numpy as np

    return vector[:TEXT_DIM] * np.float32(_SCALE)


_OVERLAP = 30
"""Words of the passage before: documents' ndcg@5 .543 against .533 without."""

_PICTURE_BESIDE_TEXT = 0.5

_THOUGHT = 0.3
"""Of what was thought of a query beside its own words. On half of photos' dev .3 won 9 first hits and lost 2,
.5 won 14 and lost 5; documents lose at any weight (docs/log.md)."""


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    norm = np.linalg.norm(vector)
    return np.asarray(vector / norm if norm else vector, np.float32)


def _names(glimpse: Glimpse) -> list[tuple[str, float]]:
    best = glimpse.classes[:_CLASSES]
    total = sum(probability for _, probability in best) or 1.0
    table = knowledge()
    return [(", ".join(table[i].synset.names), probability / total) for i, probability in best]
