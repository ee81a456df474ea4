"""Beginnings of texts for the small language model: read once, behind what is always the same from a copy."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ponder.models.lite.packing import Head, Tokens, read_head
from ponder.records import Usage

if TYPE_CHECKING:
    from ponder.models.lite.language import Text

_HEADS_KEPT = 4


class _Tokenises(Protocol):
    def tokens(self, text: Text) -> Tokens: ...


@dataclass(slots=True, eq=False)
class Prompt:
    """What stands before texts that are scored in several calls: its tokens are read in the first of them.

    Attributes:
        tokens: All of them.
        fixed: So many at its beginning stand before other prompts too. Their state is computed once a process
            and goes on from a copy, which saves time only: they are read in each prompt all the same, since
            the budget counts a state that is kept from an earlier query (ARCHITECTURE.md, "The budget").
        state: Behind all its tokens, once it was computed: 46 kB a token in float32.
        read: Whether a call has read it.
    """

    tokens: Tokens
    fixed: int = 0
    state: Head | None = None
    read: bool = False

    @classmethod
    def of(cls, language: _Tokenises, text: Text, fixed: Text = "") -> Prompt:
        """The prompt of a text that begins as `fixed` does.

        The text is tokenised whole, and what both begin with counts as fixed: at the seam a token may reach
        over, and is not shared then.

        Args:
            language: Has the tokenizer.
            text: The prompt's.
            fixed: What others begin with too.

        Example:
            >>> class Letters:
            ...     def tokens(self, text):
            ...         return tuple(map(ord, text))
            >>> Prompt.of(Letters(), "Name: a cat", "Name: the").fixed
            6
        """
        tokens, others = language.tokens(text), language.tokens(fixed)
        pairs = zip(tokens, others, strict=False)
        # The last token is left to be read: what comes next is predicted from its hidden state.
        same = next((place for place, (one, other) in enumerate(pairs) if one != other), len(others))
        return cls(tokens, max(0, min(same, len(tokens) - 1)))

    @property
    def price(self) -> int:
        """Tokens that the next call reads of it."""
        return 0 if self.read else len(self.tokens)

    def charge(self) -> Usage:
        """What a call that scores behind it owes for it; the first reads it, the others find it cached."""
        usage = Usage(cached=len(self.tokens)) if self.read else Usage(read=len(self.tokens))
        self.read = True
        return usage


class Heads:
    """States behind prompts. The last few are kept: that saves time, and they count as read all the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Tokens, int], Head] = OrderedDict()

    def behind(self, model: Any, prompt: Prompt) -> Head:
        """The state behind a whole prompt, which keeps it.

        Args:
            model: A causal language model of transformers.
            prompt: Where its beginning is fixed, the seam is at the same place each time, so that rounding
                does not depend on which prompts came before.
        """
        if prompt.state is None:
            prompt.state = self._head(model, prompt.tokens, prompt.fixed)
        return prompt.state

    def beginning(self, model: Any, prompt: Prompt) -> Head:
        """The state behind what is fixed of a prompt; an empty one where nothing is."""
        return self._head(model, prompt.tokens[: prompt.fixed], 0)

    def _head(self, model: Any, tokens: Tokens, fixed: int) -> Head:
        key = tokens, fixed
        if key not in self._kept:
            before = self._head(model, tokens[:fixed], 0) if fixed else None
            self._kept[key] = read_head(model, tokens[fixed:], before)
        self._kept.move_to_end(key)
        while len(self._kept) > _HEADS_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
