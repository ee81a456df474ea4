"""The engine that is somewhere else: any OpenAI-compatible server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ponder.errors import BackendFailed, BadArguments, InputInvalid, MissingDependency
from ponder.models.engine import Able, Effort, Likely, Prompt, Written
from ponder.models.remote.client import Client, Problem
from ponder.models.remote.settings import RemoteSettings
from ponder.models.remote.talk import bound, chat, plain, usage
from ponder.models.remote.verdicts import WAYS, Read, lacks

_THOUGHT = re.compile(r"^\s*(?:<think>)?(.*?)</think>\s*", re.DOTALL)
_VERSION = "remote-1"


class RemoteEngine:
    """Writes and judges by HTTP. One prompt's failure is that prompt's; the others keep their answers.

    Servers tell their token counts afterwards only, so prices are an upper bound in bytes (see
    `ponder.models.remote.talk.bound`); what is reported is the server's own count.

    Args:
        settings: Which server, which model.

    Attributes:
        mode: How verdicts are had, once the first was: a key of `ponder.models.remote.verdicts.WAYS`.
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
        self._url = self._client.url
        self.mode: str = "" if settings.verdicts == "auto" else settings.verdicts

    @property
    def fingerprint(self) -> str:
        """Server, model, and how verdicts are asked for; no key."""
        return f"{_VERSION}/{self._url}/{self._settings.model}/{self._settings.verdicts}"

    @property
    def able(self) -> frozenset[Able]:
        """As the settings say: servers do not tell."""
        return self._settings.able

    def prices(self, prompts: Sequence[Prompt]) -> list[int]:
        """See `ponder.models.engine.Engine`; an upper bound, nothing is shared."""
        asked = self._settings.verdicts not in ("logprobs", "generated")
        return [bound(prompt, asked=asked) for prompt in prompts]

    def write(self, prompts: Sequence[Prompt], effort: Effort) -> list[Written]:
        """See `ponder.models.engine.Engine`. Servers end traces by the total only, and know no least one."""
        self._check("write", prompts)
        if effort.total <= 0:
            return [Written(truncated=True) for _ in prompts]
        bodies = [chat(self._settings.model, prompt, effort.total) for prompt in prompts]
        found = self._sent("/chat/completions", bodies)
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
        if self.mode:
            found = self._asked(self.mode, prompts, answers)
            problems = [each for each in found if isinstance(each, Problem) and lacks(each)]
            if len(problems) == len(found):
                what = f"the server has no way to give verdicts by {self.mode}: {problems[0].what}"
                raise BackendFailed(what, self._url, "set verdicts to auto, or see the model's name")
        else:
            found = self._probed(prompts, answers)
        self._alive(found)
        return [Likely(error=str(each)) if isinstance(each, Problem) else each for each in found]

    def likelihood(self, prompts: Sequence[Prompt], targets: Sequence[str]) -> list[Likely]:
        """See `ponder.models.engine.Engine`; the chat's own marks are not in a text that is echoed."""
        self._check("likelihood", prompts)
        bodies: list[dict[str, Any]] = []
        for prompt, target in zip(prompts, targets, strict=True):
            text = plain(prompt)
            if text is None:
                raise MissingDependency("no likelihood behind pictures", self._url, "judge by answers")
            whole = f"{text}\n\n{prompt.opening}{target}"
            bodies.append(
                {"model": self._settings.model, "prompt": whole, "max_tokens": 1, "echo": True, "logprobs": 0}
            )
        found = self._sent("/completions", bodies)
        self._alive(found)
        return [
            _echoed(prompt, target, body["prompt"], each)
            for prompt, target, body, each in zip(prompts, targets, bodies, found, strict=True)
        ]

    def _probed(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Read]:
        """Verdicts, and the first way that the server has: tried with one prompt, not with each."""
        first: Read = Problem("no way was tried")
        doubt: tuple[str, Problem] | None = None
        for way in WAYS:
            [first] = self._asked(way, prompts[:1], answers)
            if not isinstance(first, Problem):
                self.mode = way
                return [first, *self._asked(way, prompts[1:], answers)]
            if lacks(first):
                continue
            doubt = doubt or (way, first)
            # A refusal may mean the way or the prompt; anything else says nothing of the next way.
            if first.status not in (400, 422):
                break
        if doubt is None:
            return [first] * len(prompts)
        # What was wrong may be the first prompt itself: the others are not lost for it.
        rest = self._asked(doubt[0], prompts[1:], answers)
        if any(not isinstance(each, Problem) for each in rest):
            self.mode = doubt[0]
        return [doubt[1], *rest]

    def _asked(self, way: str, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Read]:
        ask, read = WAYS[way]
        asked = [ask(self._settings.model, prompt, answers) for prompt in prompts]
        if not asked:
            return []
        found = self._sent(asked[0][0], [body for _, body in asked])
        return [
            each if isinstance(each, Problem) else read(each, prompt, answers)
            for prompt, each in zip(prompts, found, strict=True)
        ]

    def _sent(self, path: str, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any] | Problem]:
        found = self._client.many(path, bodies)
        return [_explained(each) if isinstance(each, Problem) else each for each in found]

    def _alive(self, found: Sequence[object]) -> None:
        """Raise where a whole call was in vain for a reason that the next would share."""
        problems = [each for each in found if isinstance(each, Problem)]
        if found and len(problems) == len(found) and problems[0].status in (0, 401, 403, 404):
            raise problems[0].error(self._url)

    def _check(self, what: Able, prompts: Sequence[Prompt]) -> None:
        where = self._url
        if what not in self.able:
            raise MissingDependency(f"it is not able to {what}", where, "take another engine, or set able")
        shown = any(not isinstance(part, str) for p in prompts for turn in p.turns for part in turn.parts)
        if shown and "pictures" not in self.able:
            raise MissingDependency("it sees no pictures", where, "take another engine, or set able")


def _explained(problem: Problem) -> Problem:
    if problem.status in (400, 422) and "continue_final_message" in problem.what:
        # Without it the server would answer what the assistant has said, which is something else.
        return replace(problem, hint="it cannot go on where the assistant has begun; vLLM and SGLang can")
    return problem


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
    # Servers may count the text of a first mark that is not ours: what is written begins where ours ends.
    written = usage(found, 0).written
    shift = pairs[-written][0] - len(whole) if 0 < written <= len(pairs) else 0
    pairs = [(at - shift, value) for at, value in pairs]
    start = len(whole) - len(target)
    values = tuple(
        float(value) for at, value in pairs if start <= at < len(whole) and isinstance(value, int | float)
    )
    spent = usage(found, bound(prompt) + len(target.encode()))
    return Likely(values, spent) if values else Likely(usage=spent, error="the server echoed no target")
