"""What can go wrong, one class per reaction; each carries its exit code."""

from __future__ import annotations


class FtplanError(Exception):
    """ftplan cannot answer: bad usage, bad input, a fit that failed. Exit code 2.

    `message` is one sentence: what is wrong, where, and the value seen.
    `hint` says what to do next; it is printed on its own `hint:` line.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(FtplanError):
    """A file, a column or a value that cannot be used. Exit code 2."""


class NotIdentified(FtplanError):
    """The runs cannot tell what was asked of them. Exit code 2.

    examples, avg_tokens: the middle of the runs there are, around which pilot runs can be proposed; None if unknown.
    """

    def __init__(self, message: str, *, examples: float | None = None, avg_tokens: float | None = None) -> None:
        super().__init__(message)
        self.examples = examples
        self.avg_tokens = avg_tokens


class Infeasible(FtplanError):
    """The answer is no: nothing fits the constraints, or a target is out of reach. Exit code 1."""

    exit_code = 1
