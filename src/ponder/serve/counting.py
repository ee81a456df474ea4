"""Figures for Prometheus: requests, tokens, seconds, what waits. No content, no names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ponder.records import Usage

if TYPE_CHECKING:
    from ponder.serve.engine import Engine

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class Counters:
    """A server's counters, in a registry of their own.

    Args:
        engine: Whose line is shown.
    """

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("ponder_requests", "Requests.", ["route", "status"], registry=self._registry)
        self._seconds = Histogram(
            "ponder_request_seconds", "Wall time.", ["route"], buckets=_SECONDS, registry=self._registry
        )
        self._tokens = Counter("ponder_tokens", "Tokens of searches.", ["kind"], registry=self._registry)
        waiting = Gauge("ponder_waiting", "Requests that wait for the models.", registry=self._registry)
        waiting.set_function(lambda: engine.waiting)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def spent(self, usage: Usage) -> None:
        """Count a search's tokens."""
        for kind in ("read", "written", "cached"):
            self._tokens.labels(kind).inc(getattr(usage, kind))

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return bytes(generate_latest(self._registry))
