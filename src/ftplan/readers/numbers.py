"""One cell -> one checked number, or one message that says why not."""

from __future__ import annotations

import math
import re

from ftplan.runs import LARGEST_COUNT
from ftplan.units import parse_count

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
#: as nearly every number is written, and short enough to be finite
_PLAIN = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
NOTHING = {
    *("nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nil", "-", "--", "?", "n.a.", "n/d", "—", "–", "...", "…"),
    # what spreadsheets of other languages write of it, and their users
    *("#nv", "#wert!", "#bezug!", "#zahl!", "#n/d", "#valeur!", "#nombre!", "#¡valor!", "#¡num!", "#¡div/0!"),
    *("k.a.", "k. a.", "keine angabe", "entfällt", "fehlt", "n.d.", "s/o"),
    *("#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!", "#n/a!", "missing", "unknown", "tbd", "todo"),
}
INFINITE = {"inf", "infinity", "-inf", "-infinity", "+inf", "+infinity"}

#: columns that hold counts, where 7B, 350M and 12k are numbers too
COUNTS = {"examples", "tokens", "tokens_seen", "model_params", "selector_params", "pool_examples"}
_ABOVE_ZERO = {"avg_tokens", "model_params", "epochs", "pool_examples", "fraction"}
_ANY_SIGN = {"seed"}
#: parameters below which nothing is a language model: sizes written in millions or billions without saying so
_FEWEST_PARAMS = 1000.0


class CellError(ValueError):
    """What is wrong with a cell, and a hint; the caller knows the place."""

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def parse(text: str, *, counts: bool = False) -> float:
    """A finite number; with `counts` also 7B, 350M, 12k. Raises CellError."""
    return float(text) if _PLAIN.fullmatch(text) else _other(text, counts=counts)


def _other(text: str, *, counts: bool) -> float:
    """The number of a cell that is not plain digits and a point."""
    if text.lower() in NOTHING:
        raise CellError(f"{text!r} is not a number", "leave the cell empty, or remove the row if the run has no result")
    if text.lower() in INFINITE:
        raise CellError(f"{text!r} is not a finite number", "remove the rows of runs that diverged")
    if _THOUSANDS.fullmatch(text):
        raise CellError(f"{text!r} is written with a comma", f"write {text.replace(',', '')}")
    if _DECIMAL_COMMA.fullmatch(text):
        raise CellError(f"{text!r} is written with a comma", f"write {text.replace(',', '.')}")
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        plain = text[:-1].strip()
        raise CellError(f"{text!r} is not a plain number", f"write {plain}, or {float(plain) / 100:.6g} as a share")
    if _NUMBER.fullmatch(text):
        value = float(text)
    elif counts:
        try:
            value = parse_count(text)
        except ValueError as error:
            raise CellError(f"{text!r} is not a number", "counts are written like 12000, 1.2e4 or 12k") from error
    else:
        raise CellError(f"{text!r} is not a number", "numbers are written like 3.25 or 1e-3")
    if not math.isfinite(value):
        raise CellError(f"{text!r} is too large for a number")
    return value


def check(column: str, text: str) -> float:
    """The value of a cell of a canonical column, within what the column can hold. Raises CellError.

    avg_tokens, model_params, epochs, pool_examples and fraction are above zero, seed is any number, and the rest is
    not negative.
    """
    value = parse(text, counts=column in COUNTS)
    if value < 0.0 and column not in _ANY_SIGN:
        raise CellError(f"{text} is negative")
    if value == 0.0 and column in _ABOVE_ZERO:
        raise CellError(f"{text} is not above zero", "the model before tuning is a row with examples = 0")
    if value > LARGEST_COUNT and column not in _ANY_SIGN:
        raise CellError(f"{text} is too large")
    if column == "examples" and 0.0 < value < 1.0:
        raise CellError(f"{text} is less than one example", "a share of the pool goes in a column fraction")
    if column in ("model_params", "selector_params") and 0.0 < value < _FEWEST_PARAMS:
        raise CellError(
            f"{text} parameters are no model", f"in billions or millions: write {text}B or {text}M, or call it params_b"
        )
    if column == "fraction" and value > 1.0:
        hint = f"write {value / 100:.6g} for {text} %" if value <= 100.0 else "a count goes in a column examples"
        raise CellError(f"{text} is not a share between 0 and 1", hint)
    if column == "avg_tokens" and value < 1.0:
        raise CellError(f"{text} is less than one token per example")
    return value
