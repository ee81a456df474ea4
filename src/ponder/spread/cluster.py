"""The way to a Ray cluster: one that is there, or one on this machine for as long as it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ponder.errors import BackendFailed, BadArguments, MissingDependency, first_line


def address_of(on: str) -> str | None:
    """The cluster that ``--on`` names: None for this process, "" for whichever Ray finds or starts.

    Raises:
        BadArguments: It is neither ``local`` nor ``ray`` nor ``ray:ADDRESS``.

    Example:
        >>> address_of("local"), address_of("ray"), address_of("ray:10.0.0.1:6379")
        (None, '', '10.0.0.1:6379')
    """
    if on == "local":
        return None
    kind, colon, address = on.partition(":")
    if kind != "ray" or (colon and not address):
        raise BadArguments(f"nowhere to run: {on!r}", "--on", "give local, ray, or ray:ADDRESS")
    return address


def ray_module() -> Any:
    """Ray.

    Raises:
        MissingDependency: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependency(
            f"Ray cannot be imported: {first_line(error)}", "--on ray", "pip install 'ponder[ray]'"
        ) from error
    return ray


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster.

    A program that is connected already stays so. Otherwise it is let go at the end, and a cluster that was
    started for it ends with it.

    Args:
        address: As Ray takes it; "" for RAY_ADDRESS, or else a cluster of this machine alone.

    Raises:
        MissingDependency: Ray is not installed.
        BackendFailed: There is no cluster at the address, or it was lost on the way.
    """
    # Set before Ray is imported: nothing is reported to anyone.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = ray_module()
    if ray.is_initialized():
        with _told(ray):
            yield ray
        return
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        if address or os.environ.get("RAY_ADDRESS"):
            ray.init(address=address or None, **quiet)
        else:
            ray.init(include_dashboard=False, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise BackendFailed(
            f"no Ray cluster: {first_line(error)}", address or "--on ray", "start one: ray start --head"
        ) from error
    try:
        with _told(ray):
            yield ray
    finally:
        ray.shutdown()


@contextmanager
def _told(ray: Any) -> Iterator[None]:
    try:
        yield
    except ray.exceptions.RayError as error:
        raise BackendFailed(
            f"the Ray cluster failed: {type(error).__name__}: {first_line(error)}",
            "--on",
            "what is finished is kept: run it again",
        ) from error
