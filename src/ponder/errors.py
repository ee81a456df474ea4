"""Errors that a person can act on: what went wrong, where, and what to do."""

from __future__ import annotations


class PonderError(Exception):
    """The base of every error that ponder raises on purpose.

    Args:
        what: What is wrong, in one clause.
        where: The file, field or option concerned.
        hint: What to do about it.

    Example:
        >>> print(InputInvalid("empty query", "TEXT", "give some words or --image FILE"))
        empty query (TEXT): give some words or --image FILE
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.what
        if self.where:
            text += f" ({self.where})"
        if self.hint:
            text += f": {self.hint}"
        return text


class BadArguments(PonderError):
    """An option or argument that cannot be used (exit code 2)."""

    exit_code = 2


class MissingDependency(PonderError):
    """Something that can be installed or fetched is not there (exit code 3)."""

    exit_code = 3


class InputNotFound(PonderError):
    """A path, shelf or id that does not exist (exit code 4)."""

    exit_code = 4


class InputInvalid(PonderError):
    """Input that exists but cannot be used (exit code 5)."""

    exit_code = 5


class ModelInvalid(InputInvalid):
    """A model that exists but cannot be used (exit code 5): no item of a shelf is to blame."""


class BackendFailed(PonderError):
    """A model, store or disk failed while working (exit code 6)."""

    exit_code = 6


def first_line(error: Exception) -> str:
    r"""What another library's error says, in one line of at most 200 characters.

    Example:
        >>> first_line(ValueError("no such file\nTraceback ...")), first_line(KeyError())
        ('no such file', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def not_installed(error: ImportError, model: str) -> MissingDependency:
    """What a model's library says is not installed.

    Example:
        >>> print(not_installed(ImportError("it requires the Torchvision library but ..."), "./mine"))
        torchvision is not installed (./mine): pip install torchvision of the build that your torch is of
    """
    if "torchvision" in str(error).lower():
        how = "pip install torchvision of the build that your torch is of"
        return MissingDependency("torchvision is not installed", model, how)
    return MissingDependency(first_line(error), model, "pip install it")
