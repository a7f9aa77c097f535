"""What can go wrong, one class per reaction; each carries its exit code."""

from __future__ import annotations

from collections.abc import Iterable


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


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that was most likely meant, or None."""
    from difflib import get_close_matches

    words = list(known)
    # h100-80gb is an h100, and no a100-80gb
    family = [other for other in words if "-" in word and other.partition("-")[0] == word.partition("-")[0]]
    found = get_close_matches(word, family, n=1, cutoff=0.0) or get_close_matches(word, words, n=1, cutoff=cutoff)
    return next(iter(found), None)


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None, cutoff: float = 0.6) -> str | None:
    """A hint: the known word that was most likely meant, or `otherwise`, in which '{}' stands for all of them."""
    words = list(known)
    close = nearest(word, words, cutoff)
    if close is not None:
        return f"did you mean {close}?"
    return otherwise and otherwise.replace("{}", ", ".join(words))
