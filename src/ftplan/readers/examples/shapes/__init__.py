"""The forms that rows of training data have. One form, one file of this folder; adding a file adds the form everywhere.

A module holds one record, `SHAPE`. A row has the first form, in order of `rank` then name, whose keys it has.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ftplan.errors import InputError
from ftplan.registry import modules

Row = Mapping[str, Any]

_LONGEST_SHOWN = 60


class RowFault(ValueError):
    """What is wrong with a row, with the value seen; the caller knows the place."""


@dataclass(frozen=True)
class Shape:
    """One form of rows.

    keys, fits_also  what a row of this form has at its top level, and what else is true of it
    conversation   whether each text is a turn that a chat template wraps; else the texts are one text
    texts          everything a model is shown of the row, in order; raises RowFault, KeyError or TypeError
    example        what a row looks like, for hints
    plain          given the module msgspec: the type of rows that are just this, and their texts. Half the time:
                   the rest of a row is passed over. Rows of another type are read by `texts`, with the same result
    """

    name: str
    keys: tuple[str, ...]
    texts: Callable[[Row], list[str]]
    example: str
    conversation: bool = True
    rank: int = 0
    fits_also: Callable[[Row], bool] = lambda _: True
    plain: Callable[[Any], tuple[Any, Callable[[Any], list[str]]]] | None = None

    def fits(self, row: Row) -> bool:
        return all(key in row for key in self.keys) and self.fits_also(row)


def names() -> list[str]:
    """Every form, by listing the folder; imports none of them."""
    return modules("readers/examples/shapes")


@cache
def load(name: str) -> Shape:
    """The form of this name (one of `names()`). Raises InputError."""
    if name not in names():
        raise InputError(f"no form of rows is named {name!r}", hint=f"known: {', '.join(names())}")
    shape: Shape = importlib.import_module(f"{__name__}.{name}").SHAPE
    return shape


def detect(row: Any) -> Shape:
    """The form of a row. Raises RowFault where it has none."""
    if not isinstance(row, Mapping):
        raise RowFault(f"{shown(row)} is not an object with keys")
    every = sorted(map(load, names()), key=lambda shape: (shape.rank, shape.name))
    for shape in every:
        if shape.fits(row):
            return shape
    raise RowFault(f"no known form of training data has the keys {', '.join(map(str, row)) or '(none)'}")


def text_of(row: Row, key: str) -> str:
    """The text under a key; '' for null. Raises RowFault."""
    value = row[key]
    if type(value) is str:
        return value
    if value is None:
        return ""
    raise RowFault(f"{key} is {shown(value)}, not text")


def list_of(row: Row, key: str) -> list[Any]:
    """The list under a key. Raises RowFault."""
    value = row[key]
    if isinstance(value, list):
        return value
    raise RowFault(f"{key} is {shown(value)}, not a list")


def as_json(value: Any) -> str:
    """What a chat template writes for tools and calls."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> str:
    """A value for a message, cut short."""
    text = " ".join(json.dumps(value, ensure_ascii=False, default=str).split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
