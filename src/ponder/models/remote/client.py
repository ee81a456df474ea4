"""Requests to a server: few at a time, sent again where that helps, none lost through another's failure."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ponder.errors import BackendFailed, PonderError

_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
_FIRST, _LONGEST = 0.25, 20.0
_MOST_BYTES = 64 * 2**20

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request has no answer.

    Attributes:
        what: In words, without keys and without the prompt.
        status: The server's code; 0 where there was none.
        hint: What to do.
    """

    what: str
    status: int = 0
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.hint}" if self.hint else self.what

    def error(self, where: str) -> PonderError:
        """The same as an exception."""
        return BackendFailed(self.what, where, self.hint)


class Client:
    """Sends JSON and gets JSON.

    Args:
        url: Where the API begins.
        key_env: Environment variable with the key.
        timeout: Seconds for one request, all of it.
        retries: Tries after the first.
        concurrency: Requests at a time.

    Attributes:
        server: The url without a user's name and password, for fingerprints.
    """

    def __init__(
        self, url: str, *, key_env: str = "", timeout: float = 120.0, retries: int = 5, concurrency: int = 8
    ) -> None:
        self.url = url.rstrip("/")
        # A url may bear a password.
        self.server = re.sub(r"//[^/@]*@", "//", self.url)
        self._key_env, self._timeout = key_env, timeout
        self._retries, self._concurrency = retries, concurrency

    def many(self, path: str, bodies: Sequence[Body]) -> list[dict[str, Any] | Problem]:
        """An answer or a problem for each body, in order."""
        if not bodies:
            return []
        with ThreadPoolExecutor(min(self._concurrency, len(bodies)), "ponder-http") as pool:
            return list(pool.map(lambda body: self.post(path, body), bodies))

    def post(self, path: str, body: Body) -> dict[str, Any] | Problem:
        """One answer; waits and tries again where the server is busy or the line breaks."""
        problem = Problem("nothing was sent")
        for attempt in range(self._retries + 1):
            found, wait = self._once(path, body)
            if not isinstance(found, Problem):
                return found
            problem = found
            if wait is None or attempt == self._retries:
                break
            # Full jitter: many clients that were turned away together do not come back together.
            pause = min(_LONGEST, _FIRST * 2**attempt) * random.random()
            time.sleep(max(pause, min(wait, _LONGEST)))
        return problem

    def _once(self, path: str, body: Body) -> tuple[dict[str, Any] | Problem, float | None]:
        """One try, and after how many seconds at least another is worth while; None for never."""
        import httpx2

        try:
            status, headers, data = self._sent(path, body)
        except (TimeoutError, httpx2.TimeoutException):
            return Problem(f"no answer within {self._timeout:g} s", 0, "raise timeout"), 0.0
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            what = f"no connection to {self.url}: {type(error).__name__}"
            return Problem(what, 0, "see that the server runs and the url is right"), 0.0
        if status >= 400:
            what = f"the server says {status}: {self._clean(_message(data))}"
            return Problem(what, status, self._hint(status)), _after(headers) if status in _AGAIN else None
        return _object(data, status), None

    def _sent(self, path: str, body: Body) -> tuple[int, Any, bytes]:
        import httpx2

        end = time.monotonic() + self._timeout
        with (
            httpx2.Client(timeout=self._timeout, follow_redirects=False) as session,
            session.stream("POST", self.url + path, json=dict(body), headers=self._headers()) as answer,
        ):
            data = bytearray()
            for piece in answer.iter_bytes():
                data += piece
                # The library's own limit is for each read; a server that drips would hold us for ever.
                if time.monotonic() > end:
                    raise TimeoutError
                if len(data) > _MOST_BYTES:
                    return 413, answer.headers, b"the answer is longer than 64 MiB"
            return answer.status_code, answer.headers, bytes(data)

    def _headers(self) -> dict[str, str]:
        key = os.environ.get(self._key_env, "") if self._key_env else ""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _clean(self, text: str) -> str:
        """What a server said, without the key that it may repeat."""
        key = os.environ.get(self._key_env, "") if self._key_env else ""
        return text.replace(key, "***") if key else text

    def _hint(self, status: int) -> str:
        if status in (401, 403):
            return f"put a valid key into {self._key_env or 'the environment'}"
        if status == 404:
            return "see the model's name, and that url ends in /v1"
        return "try again later, or lower concurrency" if status in _AGAIN else ""


def _object(data: bytes, status: int) -> dict[str, Any] | Problem:
    try:
        found = json.loads(data)
    except ValueError:
        return Problem("the answer is no JSON", status, "see that url is an API's")
    if not isinstance(found, dict):
        return Problem(f"the answer is a {type(found).__name__}, not an object", status)
    return found


def _after(headers: Any) -> float:
    try:
        return max(0.0, float(headers.get("retry-after", 0)))
    except ValueError:
        return 0.0


def _message(data: bytes) -> str:
    """What a server says of its error, in one line."""
    try:
        found = json.loads(data)
        error = found.get("error", found.get("detail", found)) if isinstance(found, dict) else found
        text = error.get("message", error) if isinstance(error, dict) else error
    except ValueError:
        text = data.decode("utf-8", "replace")
    return " ".join(str(text).split())[:200]
