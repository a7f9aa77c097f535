"""One row as written -> one canonical row: numbers checked, N, L and T completed and consistent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from ftplan.errors import InputError
from ftplan.readers import numbers

#: the three of T = N * L, and the two of P_e = N / fraction, must agree within this
TOLERANCE = 0.01
_NUMBERS = ("examples", "avg_tokens", "tokens", "tokens_seen", "model_params", "epochs", "selector_params")
_REST = ("pool_examples", "fraction", "seed", "stderr")
_SIZES = ("examples", "tokens", "tokens_seen")
NAN = math.nan


@dataclass(frozen=True)
class RunRow:
    """The cells of one row by canonical column ('' where nothing is written), and how messages call them."""

    place: str
    cells: Mapping[str, str]
    header: Mapping[str, str]

    def error(self, column: str, problem: str, hint: str | None = None) -> InputError:
        """An InputError at this row and column."""
        header = self.header.get(column, column)
        return InputError(f"{self.place}: column {header!r}: {problem}", hint=hint)

    def number(self, column: str) -> float:
        """The checked number of a column, NaN where nothing is written."""
        text = self.cells.get(column, "")
        if not text:
            return NAN
        try:
            return numbers.check(column, text)
        except numbers.CellError as error:
            raise self.error(column, error.problem, error.hint) from error


def complete(row: RunRow) -> dict[str, float]:
    """All canonical numbers of a row, NaN where nothing tells: {examples, avg_tokens, tokens, ...}.

    T = N * L with any one derived from the others, T = tokens_seen / epochs, P_e = N / fraction; epochs is 1 where not
    given. A row with examples = 0 (or tokens = 0) is the model before tuning: T = 0, L NaN. Raises InputError.
    """
    base = any(_is_zero(row.cells.get(name, "")) for name in _SIZES)
    skipped = ("avg_tokens", "epochs", "fraction") if base else ()
    given = {name: NAN if name in skipped else row.number(name) for name in (*_NUMBERS, *_REST)}
    if base:
        for name in _SIZES:
            if given[name] > 0.0:
                raise row.error(name, f"{given[name]:g} contradicts the 0 in another column of this row")
        sizes = {"examples": 0.0, "avg_tokens": NAN, "tokens": 0.0, "epochs": 1.0}
    else:
        sizes = _sizes(row, given)
    values = {**given, **sizes}
    values["pool_examples"] = NAN if base and math.isnan(given["pool_examples"]) else _pool(row, values)
    if values["selector_params"] == 0.0:  # no model scored the pool
        values["selector_params"] = NAN
    del values["tokens_seen"], values["fraction"]
    return values


def _is_zero(text: str) -> bool:
    try:
        return bool(text) and numbers.parse(text, counts=True) == 0.0
    except numbers.CellError:
        return False  # reported with its column later


def _sizes(row: RunRow, given: Mapping[str, float]) -> dict[str, float]:
    """N, L, T and epochs of a trained row."""
    N, L, T, seen, epochs = (given[k] for k in ("examples", "avg_tokens", "tokens", "tokens_seen", "epochs"))
    if math.isfinite(seen):
        if math.isnan(epochs):
            raise row.error("tokens_seen", f"{seen:g} needs the number of epochs", "add a column epochs")
        if math.isfinite(T) and _differ(seen, T * epochs):
            raise row.error("tokens_seen", f"{seen:g} is not tokens × epochs = {T * epochs:g} within 1 %")
        T = T if math.isfinite(T) else seen / epochs
    epochs = 1.0 if math.isnan(epochs) else epochs
    if math.isnan(N) and math.isfinite(given["pool_examples"]):
        N = given["fraction"] * given["pool_examples"]
    if math.isnan(N) and math.isfinite(T) and math.isfinite(L):
        N = T / L
    if math.isnan(T):
        T = N * L
    if math.isnan(N) and math.isnan(T):
        hint = "fill in examples or tokens, or remove the row"
        raise InputError(f"{row.place}: neither examples nor tokens are given in this row", hint=hint)
    if math.isfinite(N) and math.isfinite(L) and _differ(T, N * L):
        raise _contradiction(row, N, L, T, epochs)
    if math.isfinite(N) and math.isnan(L) and T < N:
        raise row.error("tokens", f"{T:g} is less than one token for each of {N:g} examples")
    return {"examples": N, "avg_tokens": T / N if math.isnan(L) else L, "tokens": T, "epochs": epochs}


def _contradiction(row: RunRow, N: float, L: float, T: float, epochs: float) -> InputError:
    column = "tokens" if row.cells.get("tokens") else "tokens_seen"
    if column == "tokens" and epochs != 1.0 and not _differ(T, N * L * epochs):
        hint = f"these are the tokens of {epochs:g} epochs: use --map {quote(row.header['tokens'])}=tokens_seen"
    else:
        hint = "tokens are unique tokens, without padding: examples × average tokens"
    return row.error(column, f"{T:g} is not examples × avg_tokens = {N:g} × {L:g} = {N * L:g} within 1 %", hint)


def _pool(row: RunRow, values: Mapping[str, float]) -> float:
    """P_e, given or N / fraction; NaN without either."""
    N, pool, fraction = values["examples"], values["pool_examples"], values["fraction"]
    if math.isnan(pool):
        return N / fraction
    if pool < N:
        raise row.error("pool_examples", f"{pool:g} is less than the {N:g} examples chosen from it")
    # a count of examples is rounded: one example either way is no contradiction
    if _differ(N, fraction * pool) and abs(N - fraction * pool) > 1.0:
        raise row.error("fraction", f"{fraction:g} of {pool:g} is {fraction * pool:g} examples, not {N:g}")
    return pool


def _differ(a: float, b: float) -> bool:
    """True where both are known and more than TOLERANCE apart."""
    return abs(a - b) > TOLERANCE * max(a, b)


def method_name(text: str) -> str:
    """A selection method as the laws know it: a table about methods means random by an empty cell, however it is
    written elsewhere.
    """
    return "random" if text.strip().lower() in ("", "random") else text
