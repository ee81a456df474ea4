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
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import unquote, urlsplit

from ponder.errors import BackendFailed, PonderError

_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))
_FIRST, _LONGEST = 0.25, 20.0
_PATIENCE = 60.0
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


def public(url: str) -> str:
    """A url that may be shown: without the name and password that it may bear.

    Example:
        >>> public("https://me:secret@host/v1/")
        'https://host/v1'
    """
    return re.sub(r"//[^/@]*@", "//", url.rstrip("/"))


class Client:
    """Sends JSON and gets JSON.

    A request that failed in a way that may pass is sent again after a random pause that grows (full jitter),
    and not before the server's ``Retry-After``; a server that asks for more than a minute is not waited for.

    Args:
        url: Where the API begins.
        key_env: Environment variable with the key.
        timeout: Seconds for one request, all of it.
        retries: Tries after the first.
        concurrency: Requests at a time, whoever sends them.
    """

    def __init__(
        self, url: str, *, key_env: str = "", timeout: float = 120.0, retries: int = 5, concurrency: int = 8
    ) -> None:
        # Apart from the url, which the library writes into its log.
        self.url, self._password = public(url), _password(url)
        self._key_env, self._timeout = key_env, timeout
        self._retries, self._concurrency = retries, concurrency
        self._places = BoundedSemaphore(concurrency)

    def many(self, path: str, bodies: Sequence[Body]) -> list[dict[str, Any] | Problem]:
        """An answer or a problem for each body, in order."""
        if not bodies:
            return []
        import httpx2

        # One session for all of them: opening a line costs more than many an answer.
        with (
            httpx2.Client(timeout=self._timeout, follow_redirects=False, auth=self._password) as session,
            ThreadPoolExecutor(min(self._concurrency, len(bodies)), "ponder-http") as pool,
        ):
            return list(pool.map(lambda body: self._tried(session, path, body), bodies))

    def post(self, path: str, body: Body) -> dict[str, Any] | Problem:
        """One answer; waits and tries again where the server is busy or the line breaks."""
        return self.many(path, [body])[0]

    def _tried(self, session: Any, path: str, body: Body) -> dict[str, Any] | Problem:
        problem = Problem("nothing was sent")
        for attempt in range(self._retries + 1):
            with self._places:
                found, wait = self._once(session, path, body)
            if not isinstance(found, Problem):
                return found
            problem = found
            if wait is None or wait > _PATIENCE or attempt == self._retries:
                break
            # Those that were turned away together, and told to wait as long, do not come back together.
            time.sleep(wait + min(_LONGEST, _FIRST * 2**attempt) * random.random())
        return problem

    def _once(self, session: Any, path: str, body: Body) -> tuple[dict[str, Any] | Problem, float | None]:
        """One try, and after how many seconds at least another is worth while; None for never."""
        import httpx2

        key = self._key()
        if not key.isascii() or not key.isprintable():
            return Problem("the key has signs that no key has", 401, self._hint(401)), None
        try:
            status, headers, data = self._sent(session, path, body, key)
        except (TimeoutError, httpx2.TimeoutException):
            return Problem(f"no answer within {self._timeout:g} s", 0, "raise timeout"), 0.0
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            what = f"no connection to {self.url}: {type(error).__name__}"
            return Problem(what, 0, "see that the server runs and the url is right"), 0.0
        except UnicodeEncodeError:
            return Problem("the prompt is no valid Unicode", 400, "mend the item's text"), None
        return self._said(status, headers, data)

    def _said(self, status: int, headers: Any, data: bytes) -> tuple[dict[str, Any] | Problem, float | None]:
        if 300 <= status < 400:
            where = public(headers.get("location", "elsewhere"))
            return Problem(f"the server sends us on to {where}", status, "set url to where it is"), None
        if status >= 400:
            what = f"the server says {status}: {self._clean(_message(data))}"
            return Problem(what, status, self._hint(status)), _after(headers) if status in _AGAIN else None
        return _object(data, status), None

    def _sent(self, session: Any, path: str, body: Body, key: str) -> tuple[int, Any, bytes]:
        end = time.monotonic() + self._timeout
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with session.stream("POST", self.url + path, json=dict(body), headers=headers) as answer:
            data = bytearray()
            for piece in answer.iter_bytes():
                data += piece
                # The library's own limit is for each read; a server that drips would hold us for ever.
                if time.monotonic() > end:
                    raise TimeoutError
                if len(data) > _MOST_BYTES:
                    return 413, answer.headers, b"the answer is longer than 64 MiB"
            return answer.status_code, answer.headers, bytes(data)

    def _key(self) -> str:
        # Keys that come from files have a line break behind them.
        return os.environ.get(self._key_env, "").strip() if self._key_env else ""

    def _clean(self, text: str) -> str:
        """What a server said, without the key that it may repeat."""
        key = self._key()
        return text.replace(key, "***") if key else text

    def _hint(self, status: int) -> str:
        if status in (401, 403):
            return f"put a valid key into {self._key_env or 'the environment'}"
        if status == 404:
            return "see the model's name, and that url ends in /v1"
        return "try again later, or lower concurrency" if status in _AGAIN else ""


def _password(url: str) -> tuple[str, str] | None:
    """Name and password that a url bears."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    name = parts.username is not None
    return (unquote(parts.username or ""), unquote(parts.password or "")) if name else None


def _object(data: bytes, status: int) -> dict[str, Any] | Problem:
    try:
        found = json.loads(data)
    except ValueError:
        return Problem("the answer is no JSON", status, "see that url is an API's")
    if not isinstance(found, dict):
        return Problem(f"the answer is a {type(found).__name__}, not an object", status)
    return found


def _after(headers: Any) -> float:
    """Seconds that a server asks us to wait: it gives their number, or a date."""
    told = headers.get("retry-after", "0")
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return 0.0
    # A date without a zone is in Greenwich's.
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _message(data: bytes) -> str:
    """What a server says of its error, in one line."""
    try:
        found = json.loads(data)
        error = found.get("error", found.get("detail", found)) if isinstance(found, dict) else found
        text = error.get("message", error) if isinstance(error, dict) else error
    except ValueError:
        text = data.decode("utf-8", "replace")
    return " ".join(str(text).split())[:200]
