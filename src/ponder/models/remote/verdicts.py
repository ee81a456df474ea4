"""How a server says which answer is likely: four ways, the surest first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ponder.models.engine import Likely, Prompt
from ponder.models.remote.client import Problem
from ponder.models.remote.talk import bound, chat, data_url, usage

SURE = 0.99
"""Probability of a word that was generated; the others share the rest. It says which, and not how sure."""

TOP = 20
"""Log-probabilities of first tokens that are asked for: the most that OpenAI and vLLM give."""

_LEAST, _ROUNDED = 1e-9, 1e-3

Asked = tuple[str, dict[str, Any]]
"""Path and body of a request."""

Read = Likely | Problem
"""What an answer says; a problem where it is not of this way's kind at all."""

_ASKED = "Which is the answer?"


def decisions(model: str, prompt: Prompt, answers: Sequence[str]) -> Asked:
    """OpenAI's Decisions API: one choice question (platform.openai.com/docs, "Decisions").

    Evidence is what users say, no other role is taken: what the system says is the question's instructions,
    and how the assistant has begun goes with the evidence.
    """
    system = ["".join(map(str, turn.parts)) for turn in prompt.turns if turn.role == "system"]
    said = [
        {"type": "message", "role": "user", "content": _decision_parts(turn.parts)}
        for turn in prompt.turns
        if turn.role != "system"
    ]
    if prompt.opening:
        said.append({"type": "message", "role": "user", "content": prompt.opening})
    question = {
        "type": "choice",
        "name": "answer",
        "instructions": "\n".join(system) or _ASKED,
        "choices": [{"value": answer} for answer in answers],
    }
    return "/decisions", {"model": model, "input": said, "questions": [question]}


def read_decisions(found: dict[str, Any], prompt: Prompt, answers: Sequence[str]) -> Read:
    """Probabilities of `decisions`."""
    told = found.get("answers")
    answer = told[0] if isinstance(told, list) and told else None
    if not isinstance(answer, dict):
        return _other("answers[0]")
    if answer.get("type") == "refusal":
        return Likely(usage=usage(found, bound(prompt, asked=True)), error="the model refuses to answer")
    try:
        table = {each["value"]: float(each["probability"]) for each in answer["probabilities"]}
    except (KeyError, TypeError, ValueError):
        return _other("answers[0].probabilities")
    return _of_table(table, found, prompt, answers)


def systemone(model: str, prompt: Prompt, answers: Sequence[str]) -> Asked:
    """System One: one choice question about the conversation (docs of `transformers serve`).

    The state is the list of messages, ``{"role", "content"}``, so that a server's own template can render
    them as the model's chat.
    """
    assets: dict[str, Any] = {}
    said: list[dict[str, str]] = []
    for turn in prompt.turns:
        text = ""
        for part in turn.parts:
            if isinstance(part, str):
                text += part
                continue
            name = f"<picture-{len(assets) + 1}>"
            assets[name] = {"data_base64": data_url(part).partition(",")[2], "media_type": "image/png"}
            text += name
        said.append({"role": turn.role, "content": text})
    if prompt.opening:
        said.append({"role": "assistant", "content": prompt.opening})
    body: dict[str, Any] = {
        "model": model,
        "state": said,
        "questions": {
            "answer": {
                "type": "choice",
                "instructions": _ASKED,
                "criteria": dict.fromkeys(answers),
            }
        },
    }
    return "/systemone", {**body, "assets": assets} if assets else body


def read_systemone(found: dict[str, Any], prompt: Prompt, answers: Sequence[str]) -> Read:
    """Probabilities of `systemone`."""
    try:
        table = {str(k): float(v) for k, v in found["answers"]["answer"]["probabilities"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return _other("answers.answer.probabilities")
    return _of_table(table, found, prompt, answers)


def logprobs(model: str, prompt: Prompt, answers: Sequence[str]) -> Asked:
    """Log-probabilities of the first token of a chat completion."""
    return "/chat/completions", chat(model, prompt, 1, logprobs=True, top_logprobs=TOP)


def read_logprobs(found: dict[str, Any], prompt: Prompt, answers: Sequence[str]) -> Read:
    """Log-probabilities of `logprobs`.

    Of an answer that is not among the likeliest tokens an upper bound is known, the least of these: that is
    its value, and `Likely.cut` says so. Where none of the answers is among them there is no verdict.
    """
    told = _choice(found).get("logprobs")
    first = (told.get("content") or [None])[0] if isinstance(told, dict) else None
    if not isinstance(first, dict):
        return Problem("the server gives no logprobs", 501)
    table = {}
    for each in [*(first.get("top_logprobs") or []), first]:
        try:
            table[str(each["token"])] = float(each["logprob"])
        except (KeyError, TypeError, ValueError):
            return _other("choices[0].logprobs.content[0].top_logprobs")
    spent = usage(found, bound(prompt))
    if any(math.isnan(value) for value in table.values()):
        return Likely(usage=spent, error="a log-probability of the server's is no number")
    if not any(answer in table for answer in answers):
        seen = ", ".join(map(repr, list(table)[:3]))
        what = f"none of {', '.join(map(repr, answers))} is among the likeliest tokens ({seen}, …)"
        return Likely(usage=spent, error=what)
    least = min(table.values())
    # Servers give -9999 for what cannot be, and some a rounding error above 0.
    values = tuple(min(0.0, max(table.get(answer, least), math.log(_LEAST))) for answer in answers)
    missing = [answer for answer in answers if answer not in table]
    return Likely(values, spent, f"{', '.join(missing)} not among the likeliest" if missing else "")


def generated(model: str, prompt: Prompt, answers: Sequence[str]) -> Asked:
    """A word that the model writes."""
    return "/chat/completions", chat(model, prompt, 4)


def read_generated(found: dict[str, Any], prompt: Prompt, answers: Sequence[str]) -> Read:
    """What was written: one of the answers, as likely as `SURE`; or no verdict."""
    message = _choice(found).get("message")
    text = message.get("content") if isinstance(message, dict) else None
    spent = usage(found, bound(prompt))
    if not isinstance(text, str):
        return _other("choices[0].message.content")
    said = text.strip().strip(".,:!\"'*()[]").casefold()
    hit = [number for number, answer in enumerate(answers) if answer.strip().casefold() == said]
    if len(hit) != 1:
        return Likely(usage=spent, error=f"the model wrote {text.strip()[:40]!r}, which is no answer")
    rest = (1 - SURE) / max(1, len(answers) - 1)
    values = tuple(math.log(SURE if number == hit[0] else rest) for number in range(len(answers)))
    return Likely(values, spent)


WAYS: dict[str, tuple[Callable[..., Asked], Callable[..., Read]]] = {
    "decisions": (decisions, read_decisions),
    "systemone": (systemone, read_systemone),
    "logprobs": (logprobs, read_logprobs),
    "generated": (generated, read_generated),
}
"""The surest first."""


def lacks(problem: Problem) -> bool:
    """Whether a server's answer says that it has not this way at all."""
    return problem.status in (404, 405, 501) or (problem.status in (400, 422) and "logprob" in problem.what)


def _other(field: str) -> Problem:
    # Some servers answer 200 to whatever path: as good as one that cannot read the request.
    return Problem(f"the answer lacks the field {field}", 422)


def _of_table(table: dict[str, float], found: dict[str, Any], prompt: Prompt, answers: Sequence[str]) -> Read:
    spent = usage(found, bound(prompt, asked=True))
    if any(answer not in table for answer in answers):
        return Likely(
            usage=spent, error=f"the server gave probabilities for {', '.join(map(str, table))} only"
        )
    # Comparisons with NaN are false, so that this finds them too.
    wrong = [table[answer] for answer in answers if not 0 <= table[answer] <= 1 + _ROUNDED]
    if wrong:
        return Likely(usage=spent, error=f"the server gave {wrong[0]} as a probability")
    return Likely(tuple(math.log(min(1.0, max(table[answer], _LEAST))) for answer in answers), spent)


def _choice(found: dict[str, Any]) -> dict[str, Any]:
    choices = found.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else {}


def _decision_parts(parts: Sequence[Any]) -> Any:
    if all(isinstance(part, str) for part in parts):
        return "".join(parts)
    return [
        {"type": "input_text", "text": part}
        if isinstance(part, str)
        else {"type": "input_image", "image_url": data_url(part)}
        for part in parts
    ]
