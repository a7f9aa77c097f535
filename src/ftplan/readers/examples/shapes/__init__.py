"""The forms that rows of training data have. One form, one file of this folder; adding a file adds the form everywhere.

A module holds one record, `SHAPE`. Rows have the first form, in order of `rank` then name, whose columns they have.
Where rows have several, that order is TRL's: prompt and completion, then messages, then a text.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ftplan.errors import InputError
from ftplan.readers.raw import normalise, suggest
from ftplan.registry import modules

Row = Mapping[str, Any]
#: canonical column -> column of the file
Columns = Mapping[str, str]

_LONGEST_SHOWN = 60
#: other names of a question, of what is given with it, of its answer, of a system prompt
QUESTION = ("query", "question", "prompt", "problem", "user", "human", "input", "inputs")
GIVEN = ("context",)
ANSWER = ("response", "answer", "completion", "solution", "assistant", "target", "targets")
SYSTEM = ("system_prompt", "system_message")


class RowFault(ValueError):
    """What is wrong with a row, with the value seen; the caller knows the place."""


@dataclass(frozen=True)
class Shape:
    """One form of rows.

    keys, fits_also  canonical columns that a row of this form has, and what else is true of it
    gives_way      whether a row of this form is rather taken for one of another that it has as well
    optional       canonical columns that are read where a row has them
    conversation   whether each text is a turn that a chat template wraps; else the texts are one text
    texts          everything a model is shown of the row, under canonical names, in order; raises RowFault, KeyError or
                   TypeError
    example        what a row looks like, for hints
    names          canonical column -> other names of it, the most usual first
    plain          given the module msgspec: fields of rows that are just this (canonical columns and their types), and
                   their texts. Half the time. Rows of other types are read by `texts`, with the same result
    """

    name: str
    keys: tuple[str, ...]
    texts: Callable[[Row], list[str]]
    example: str
    conversation: bool = True
    rank: int = 0
    fits_also: Callable[[Row], bool] = lambda _: True
    gives_way: Callable[[Row], bool] = lambda _: False
    optional: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plain: Callable[[Any], tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Every canonical column."""
        return self.keys + self.optional

    def columns(self, row: Row, given: Columns) -> Columns | None:
        """Which columns of a row are which part of this form, as far as it has them; None where it is not this form.

        given: canonical column -> column, as the user says.
        """
        present = {key for key, value in row.items() if value is not None}
        if not set(given) <= set(self.parts) or not {given[k] for k in self.keys if k in given} <= present:
            return None
        known = {normalise(key): key for key in reversed(list(row)) if row[key] is not None}
        found: dict[str, str] = {}
        for part in self.parts:
            free = {n: key for n, key in known.items() if key not in (*found.values(), *given.values())}
            names = (
                [given[part]] if part in given else [free[n] for n in (part, *self.names.get(part, ())) if n in free]
            )
            if names:
                found[part] = names[0]
            elif part in self.keys:
                return None
        return found if self.fits_also(renamed(row, found)) else None


@dataclass(frozen=True)
class FoundShape:
    """The form of some rows. columns: canonical -> in the file, of the parts they have; others: forms beside it."""

    shape: Shape
    columns: Columns
    others: tuple[Shape, ...] = ()


def names() -> list[str]:
    """Every form, by listing the folder; imports none of them."""
    return modules("readers/examples/shapes")


@cache
def load(name: str) -> Shape:
    """The form of this name (one of `names()`). Raises InputError."""
    if name not in names():
        close = suggest(name, names())
        raise InputError(f"no form of rows is named {name!r}", hint=close or f"known: {', '.join(names())}")
    shape: Shape = importlib.import_module(f"{__name__}.{name}").SHAPE
    return shape


def every() -> list[Shape]:
    """All forms, those first that rows of several forms are taken for."""
    return sorted(map(load, names()), key=lambda shape: (shape.rank, shape.name))


def detect(rows: Sequence[Any], given: Columns | None = None, wanted: str = "") -> FoundShape:
    """The form of some rows that follow each other. given: canonical column -> column; wanted: the name of a form.

    It is that of the first row that has one; columns that only later rows have are its columns too. Raises RowFault
    where none has a form.
    """
    given = given or {}
    among = [load(wanted)] if wanted else every()
    if not isinstance(rows[0], Mapping):
        raise RowFault(f"{shown(rows[0])} is not an object with keys")
    usable = [row for row in rows if isinstance(row, Mapping)]
    union = {key: value for row in reversed(usable) for key, value in row.items() if value is not None}
    for row in usable:
        for shape in among:
            columns = shape.columns(row, given)
            if columns is not None and (wanted or not shape.gives_way(row)):
                return _with_others(shape, shape.columns(union, given) or columns, union)
    # a column that is empty in all rows so far, such as answers still to be written
    filled = {key: "" for row in reversed(usable) for key in row} | union
    for shape in among:
        if (columns := shape.columns(filled, given)) is not None:
            return _with_others(shape, columns, union)
    raise RowFault(_formless(rows[0], given, wanted))


def _with_others(shape: Shape, columns: Columns, union: Row) -> FoundShape:
    """A form, and those that rows have beside it. union: the columns of all rows."""
    read = set(columns.values())
    others = []
    for other in every():
        theirs = other.columns(union, {}) if other is not shape else None
        if theirs is not None and not {theirs[key] for key in other.keys} <= read:
            others.append(other)
    return FoundShape(shape, columns, tuple(others))


def _formless(row: Row, given: Columns, wanted: str) -> str:
    keys = ", ".join(map(str, row)) or "(none)"
    if wanted:
        return f"no {wanted} row: it has the keys {keys}"
    if given:
        said = ", ".join(f"{theirs} as {ours}" for ours, theirs in given.items())
        return f"no known form of training data has the keys {keys} with {said}"
    return f"no known form of training data has the keys {keys}"


def renamed(row: Row, columns: Columns) -> Row:
    """A row under canonical names."""
    out = dict(row)
    taken = {ours: out.pop(theirs) for ours, theirs in columns.items() if theirs in out}
    for ours in columns:
        out.pop(ours, None)
    return {**out, **taken}


def text_of(row: Row, key: str) -> str:
    """The text under a key; '' for null. Raises RowFault."""
    value = row[key]
    if type(value) is str:
        return value
    if value is None:
        return ""
    raise RowFault(f"{key} is {shown(value)}, not text")


def texts_under(row: Row, keys: Iterable[str]) -> list[str]:
    """The texts that a row has under some keys it need not have; empty ones are none."""
    return [text for key in keys if row.get(key) and (text := text_of(row, key))]


def list_of(row: Row, key: str) -> list[Any]:
    """The list under a key; none for null, as a row has it that Arrow gave the columns of others. Raises RowFault."""
    value = row[key]
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise RowFault(f"{key} is {shown(value)}, not a list")


def shown(value: Any) -> str:
    """A value for a message, cut short."""
    text = " ".join(json.dumps(value, ensure_ascii=False, default=str).split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
