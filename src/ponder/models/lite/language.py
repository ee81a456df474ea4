"""A small language model that scores and writes: SmolLM2-135M-Instruct (Apache-2.0), on CPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from pathlib import Path
from typing import Any, Literal

from ponder.errors import BadArguments, InputInvalid
from ponder.models import weights
from ponder.models.lite.known import KnownScores
from ponder.models.lite.packing import Tokens, cache_of, score_row
from ponder.models.lite.prompt import Heads, Prompt
from ponder.models.quiet import quiet
from ponder.protocols import BlobCache
from ponder.records import Usage

Text = str | Tokens
"""Words, or tokens that were made before: those of `Language.chat`, say."""

Piece = tuple[Tokens, Tokens]
"""What stands before, behind the head, and what is scored."""

MAX_TOKENS = 8192
"""Length of the model's context."""

# Packed rows longer than this gain nothing from the matrix product and pay for attention they mask out.
_ROW = 512
_CONTENT = "\u241f"


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-probabilities of texts.

    Attributes:
        values: Natural logarithm of each text's probability: the sum over its tokens.
        by_token: The same, token by token.
        usage: Tokens computed: the head once, and of every text all tokens but the last, which is
            predicted and never read.
    """

    values: tuple[float, ...]
    by_token: tuple[tuple[float, ...], ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote.

    Attributes:
        text: Without the stop that ended it.
        usage: Tokens of the prompt, and tokens generated (an end mark counts).
        truncated: The limit ended it, not the model.
    """

    text: str
    usage: Usage
    truncated: bool


class Language:
    """SmolLM2-135M-Instruct. Cheap to make: weights load at first use.

    Texts are tokenised apart from each other, so the seam between a prefix and what follows is always a
    token's border: begin a continuation with its space. Marks such as ``<|im_end|>`` inside texts are read
    as plain characters; only `chat` writes real ones.

    Args:
        folder: A transformers folder; by default the weights ``smollm2``, pulled if need be.
        dtype: "float32" gives scores that depend on what else is scored by rounding alone (1e-5 of
            them) and reads 310 tokens a core second; "bfloat16" reads 780, but moves query likelihoods
            by up to .4, a sixth of their spread over candidates, and changes the best of 20 now and then.
        cache: Where scores are kept, so that no pair of texts is scored twice; None computes each time.
        layers: Only the first so many of its 30 layers, then the last norm and the output (early exit): a
            smaller model; None for all.

    Raises:
        BadArguments: Fewer layers than one.
    """

    def __init__(
        self,
        folder: Path | None = None,
        dtype: Literal["float32", "bfloat16"] = "float32",
        cache: BlobCache | None = None,
        layers: int | None = None,
    ) -> None:
        if layers is not None and layers < 1:
            raise BadArguments(f"{layers} layers", "language model", "keep at least one")
        self._folder = folder
        self._dtype = dtype
        self._layers = layers
        self._known = None if cache is None else KnownScores(cache, self.fingerprint)
        self._heads = Heads()

    @property
    def fingerprint(self) -> str:
        """Weights and arithmetic; known without loading them."""
        name = weights.fingerprint("smollm2" if self._folder is None else f"path:{self._folder}")
        cut = "" if self._layers is None else f"/{self._layers} layers"
        return f"{name}/{self._dtype}{cut}"

    def tokens(self, text: Text) -> Tokens:
        """The tokens of a text: no marks are added, none are recognised."""
        if not isinstance(text, str):
            return text
        return tuple(self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def count(self, text: Text) -> int:
        """How many tokens a text has."""
        return len(self.tokens(text))

    def cut(self, text: str, limit: int) -> str:
        """The longest beginning of a text that has at most `limit` tokens."""
        tokens = self.tokens(text)
        if len(tokens) <= limit:
            return text
        kept = self._tokenizer.decode(tokens[: max(limit, 0)])
        while self.count(kept) > limit:
            kept = kept[:-1]
        return kept.rstrip("\ufffd")

    def chat(self, user: str, system: str = "") -> Tokens:
        """The tokens of a conversation up to where the assistant speaks.

        Args:
            user: What the user says; never able to write a mark of the conversation.
            system: "" leaves the template's own system message.
        """
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": _CONTENT})
        frame = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before, _, after = frame.partition(_CONTENT)
        encode = self._tokenizer.encode
        return (
            *encode(before, add_special_tokens=False),
            *self.tokens(user),
            *encode(after, add_special_tokens=False),
        )

    def score(self, prefix: Text | Prompt, continuations: Sequence[Text]) -> Scores:
        """Log P(continuation | prefix) of each continuation; the prefix is computed once.

        Args:
            prefix: An empty one is the beginning of a document: ``<|endoftext|>``, one token. A prompt is
                read in the first call and cached in later ones.
            continuations: What is scored, each behind the prefix alone.

        Raises:
            InputInvalid: Prefix and continuation together exceed the context of 8192 tokens.
        """
        return self._score(self._prompt(prefix), [((), self.tokens(text)) for text in continuations])

    def likelihood(self, prefixes: Sequence[Text], continuation: Text, head: Text = "") -> Scores:
        """Log P(continuation | head + prefix) for each prefix: how well each explains the same text.

        The query likelihood of a judge: the query is the continuation, candidates are the prefixes.
        The continuation is computed again behind each.

        Args:
            prefixes: What differs.
            continuation: What is explained.
            head: Stands in front of every prefix, computed once.

        Raises:
            InputInvalid: As for `score`.
        """
        target = self.tokens(continuation)
        return self._score(self._prompt(head), [(self.tokens(prefix), target) for prefix in prefixes])

    def generate(self, prompt: Text | Prompt, max_tokens: int, stop: Sequence[str] = ()) -> Written:
        """Write greedily: the same prompt gives the same text.

        Args:
            prompt: What to go on from; `chat` for an instruction. All of it counts as read.
            max_tokens: Never more than this many tokens are written.
            stop: Texts that end it.

        Raises:
            InputInvalid: Prompt and limit together exceed the context of 8192 tokens.
        """
        import torch

        start = self._prompt(prompt)
        tokens = start.tokens or (self._start,)
        self._check(len(tokens) + max_tokens)
        if max_tokens <= 0:
            return Written("", Usage(), True)
        row = torch.tensor([tokens])
        with torch.inference_mode():
            out = self._model.generate(
                row,
                attention_mask=torch.ones_like(row),
                max_new_tokens=max_tokens,
                do_sample=False,
                past_key_values=cache_of(self._heads.beginning(self._model, start)),
                **({"stop_strings": list(stop), "tokenizer": self._tokenizer} if stop else {}),
            )
        new = out[0, len(tokens) :].tolist()
        text = self._tokenizer.decode(new, skip_special_tokens=True)
        ends = [place for mark in stop if (place := text.find(mark)) >= 0]
        ended = bool(ends) or new[-1] == self._tokenizer.eos_token_id
        return Written(text[: min(ends, default=len(text))], Usage(len(tokens), len(new)), not ended)

    def _prompt(self, text: Text | Prompt) -> Prompt:
        return text if isinstance(text, Prompt) else Prompt(self.tokens(text))

    def _score(self, head: Prompt, pieces: Sequence[Piece]) -> Scores:
        if not head.tokens and any(not context for context, _ in pieces):
            head = Prompt((self._start,))
        longest = max((len(context) + len(target) for context, target in pieces), default=0)
        self._check(len(head.tokens) + longest)
        if not pieces:
            return Scores((), (), Usage())
        by_token = self._computed(head, pieces) if self._known is None else self._remembered(head, pieces)
        read = sum(max(len(context) + len(target) - 1, 0) for context, target in pieces)
        usage = head.charge() + Usage(read=read)
        return Scores(tuple(fsum(values) for values in by_token), tuple(by_token), usage)

    @property
    def seconds_saved(self) -> float:
        """What finding scores in the cache has saved so far: what computing them took."""
        return 0.0 if self._known is None else self._known.seconds_saved

    def compute_anew(self) -> None:
        """From now on use no kept scores, nor keep any."""
        self._known = None

    def _remembered(self, head: Prompt, pieces: Sequence[Piece]) -> list[tuple[float, ...]]:
        """As `_computed`, for the pieces that are not known."""
        assert self._known is not None
        found = [self._known.get((*head.tokens, *context), target) for context, target in pieces]
        new = [piece for piece, values in zip(pieces, found, strict=True) if values is None]
        began = time.perf_counter()
        made = self._computed(head, new) if new else []
        each = (time.perf_counter() - began) / max(1, len(new))
        for (context, target), values in zip(new, made, strict=True):
            self._known.put((*head.tokens, *context), target, values, seconds=each)
        rest = iter(made)
        return [next(rest) if values is None else values for values in found]

    def _computed(self, head: Prompt, pieces: Sequence[Piece]) -> list[tuple[float, ...]]:
        state = self._heads.behind(self._model, head)
        by_token: list[tuple[float, ...]] = []
        row: list[Piece] = []
        length = 0
        for piece in pieces:
            size = len(piece[0]) + len(piece[1])
            if row and length + size > _ROW:
                by_token += score_row(self._model, state, row)
                row, length = [], 0
            row.append(piece)
            length += size
        by_token += score_row(self._model, state, row)
        return by_token

    def _check(self, length: int) -> None:
        if length > MAX_TOKENS:
            raise InputInvalid(f"{length} tokens", "prompt", f"the model reads at most {MAX_TOKENS}")

    @property
    def _start(self) -> int:
        """The mark between documents in the model's training."""
        return int(self._tokenizer.convert_tokens_to_ids("<|endoftext|>"))

    @cached_property
    def _path(self) -> Path:
        return self._folder or weights.ensure("smollm2")

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with quiet():
            return AutoTokenizer.from_pretrained(self._path, local_files_only=True)

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModelForCausalLM

        with quiet():
            model = AutoModelForCausalLM.from_pretrained(
                self._path, dtype=getattr(torch, self._dtype), local_files_only=True
            )
        if self._layers is not None:
            model.model.layers = model.model.layers[: self._layers]
            model.config.num_hidden_layers = len(model.model.layers)
        model.train(False)
        return model
