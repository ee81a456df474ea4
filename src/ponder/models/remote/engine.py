"""The engine that is somewhere else: any OpenAI-compatible server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ponder.errors import BackendFailed, BadArguments, InputInvalid, MissingDependency
from ponder.models.engine import Able, Effort, Likely, Prompt, Written
from ponder.models.remote.client import Client, Problem
from ponder.models.remote.settings import RemoteSettings
from ponder.models.remote.talk import bound, chat, plain, usage
from ponder.models.remote.verdicts import WAYS, Unable, lacks

_THOUGHT = re.compile(r"^\s*(?:<think>)?(.*?)</think>\s*", re.DOTALL)
_VERSION = "remote-1"


class RemoteEngine:
    """Writes and judges by HTTP. One prompt's failure is that prompt's; the others keep their answers.

    Servers tell their token counts afterwards only, so prices are an upper bound in bytes (see
    `ponder.models.remote.talk.bound`); what is reported is the server's own count.

    Args:
        settings: Which server, which model.

    Attributes:
        way: How verdicts are had, once the first was: a key of `ponder.models.remote.verdicts.WAYS`.
    """

    def __init__(self, settings: RemoteSettings) -> None:
        self._settings = settings
        self._client = Client(
            settings.url,
            key_env=settings.key_env,
            timeout=settings.timeout,
            retries=settings.retries,
            concurrency=settings.concurrency,
        )
        self.way: str = "" if settings.verdicts == "auto" else settings.verdicts

    @property
    def fingerprint(self) -> str:
        """Server, model, and how verdicts are asked for; no key."""
        settings = self._settings
        return f"{_VERSION}/{self._client.server}/{settings.model}/{settings.verdicts}"

    @property
    def able(self) -> frozenset[Able]:
        """As the settings say: servers do not tell."""
        return self._settings.able

    def prices(self, prompts: Sequence[Prompt]) -> list[int]:
        """See `ponder.models.engine.Engine`; an upper bound, nothing is shared."""
        return [bound(prompt) for prompt in prompts]

    def write(self, prompts: Sequence[Prompt], effort: Effort) -> list[Written]:
        """See `ponder.models.engine.Engine`. Servers end traces by the total only, and know no least one."""
        self._check("write", prompts)
        if effort.total <= 0:
            return [Written(truncated=True) for _ in prompts]
        bodies = [chat(self._settings.model, prompt, effort.total) for prompt in prompts]
        found = self._client.many("/chat/completions", bodies)
        self._alive(found)
        return [_written(prompt, each, effort) for prompt, each in zip(prompts, found, strict=True)]

    def answer(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Likely]:
        """See `ponder.models.engine.Engine`."""
        self._check("answer", prompts)
        if not prompts:
            return []
        if len(set(answers)) < 2:
            raise BadArguments("fewer than two answers", "answers", "give two or more that differ")
        for answer in answers:
            if len(answer.split()) != 1:
                raise InputInvalid(f"the answer {answer!r} cannot be one token", "answers", "take one word")
        ways = [self.way] if self.way else list(WAYS)
        for way in ways:
            try:
                # One goes first: what a server has not is asked of it once, not once a prompt.
                first = self._ask(way, prompts[:1], answers)
            except Unable:
                if way != ways[-1]:
                    continue
                what = f"the server has no way to give verdicts by {way}"
                raise BackendFailed(what, self._settings.url, "set verdicts to auto") from None
            self.way = way
            return first + self._ask(way, prompts[1:], answers)
        raise AssertionError("the last way returns or raises")

    def likelihood(self, prompts: Sequence[Prompt], targets: Sequence[str]) -> list[Likely]:
        """See `ponder.models.engine.Engine`; the chat's own marks are not in a text that is echoed."""
        self._check("likelihood", prompts)
        bodies: list[dict[str, Any]] = []
        for prompt, target in zip(prompts, targets, strict=True):
            text = plain(prompt)
            if text is None:
                raise MissingDependency(
                    "no likelihood behind pictures", self._settings.url, "judge by answers"
                )
            whole = f"{text}\n\n{prompt.opening}{target}"
            bodies.append(
                {"model": self._settings.model, "prompt": whole, "max_tokens": 1, "echo": True, "logprobs": 0}
            )
        found = self._client.many("/completions", bodies)
        self._alive(found)
        return [
            _echoed(prompt, target, body["prompt"], each)
            for prompt, target, body, each in zip(prompts, targets, bodies, found, strict=True)
        ]

    def _ask(self, way: str, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Likely]:
        ask, read = WAYS[way]
        asked = [ask(self._settings.model, prompt, answers) for prompt in prompts]
        if not asked:
            return []
        found = self._client.many(asked[0][0], [body for _, body in asked])
        if any(isinstance(each, Problem) and lacks(each) for each in found) and way != "generated":
            raise Unable(way)
        self._alive(found)
        return [
            Likely(error=str(each)) if isinstance(each, Problem) else read(each, prompt, answers)
            for prompt, each in zip(prompts, found, strict=True)
        ]

    def _alive(self, found: Sequence[dict[str, Any] | Problem]) -> None:
        """Raise where a whole call was in vain for a reason that the next would share."""
        problems = [each for each in found if isinstance(each, Problem)]
        if found and len(problems) == len(found) and problems[0].status in (0, 401, 403, 404):
            raise problems[0].error(self._settings.url)

    def _check(self, what: Able, prompts: Sequence[Prompt]) -> None:
        where = self._settings.url
        if what not in self.able:
            raise MissingDependency(f"it is not able to {what}", where, "take another engine, or set able")
        shown = any(not isinstance(part, str) for p in prompts for turn in p.turns for part in turn.parts)
        if shown and "pictures" not in self.able:
            raise MissingDependency("it sees no pictures", where, "take another engine, or set able")


def _written(prompt: Prompt, found: dict[str, Any] | Problem, effort: Effort) -> Written:
    if isinstance(found, Problem):
        return Written(error=str(found))
    choices = found.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return Written(error="the answer lacks the field choices[0].message")
    text = message.get("content") or ""
    trace = message.get("reasoning_content") or message.get("reasoning") or ""
    if not isinstance(text, str) or not isinstance(trace, str):
        return Written(error="choices[0].message.content is no text")
    thought = _THOUGHT.match(text) if "</think>" in text else None
    if thought:
        trace, text = thought[1].strip(), text[thought.end() :]
    elif text.lstrip().startswith("<think>"):
        trace, text = text.lstrip().removeprefix("<think>").strip(), ""
    spent = usage(found, bound(prompt))
    return Written(text.strip(), trace.strip(), spent, choice.get("finish_reason") == "length")


def _echoed(prompt: Prompt, target: str, whole: str, found: dict[str, Any] | Problem) -> Likely:
    if isinstance(found, Problem):
        return Likely(error=str(found))
    try:
        told = found["choices"][0]["logprobs"]
        pairs = list(zip(told["text_offset"], told["token_logprobs"], strict=True))
    except (KeyError, TypeError, IndexError, ValueError):
        return Likely(error="the answer lacks the field choices[0].logprobs")
    start = len(whole) - len(target)
    values = tuple(
        float(value) for at, value in pairs if start <= at < len(whole) and isinstance(value, int | float)
    )
    spent = usage(found, bound(prompt) + len(target.encode()))
    return Likely(values, spent) if values else Likely(usage=spent, error="the server echoed no target")
