"""Records as plain values and back: what a file holds is a dataclass, and reads back as itself.

Schemas (`ftplan.schemas`) say what is wrong with a file; here it is taken to be right. Keys that a record does not have
are left out, and fields that an older file does not have are empty.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A record as JSON and YAML have it: mappings, lists and scalars, keys in the order of the fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def record(kind: type[T], values: Any) -> T:
    """The record of this kind that `plain` made these values of."""
    return cast(T, _decoded(kind, values))


def _decoded(kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        known = {f.name: _decoded(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value}
        lacking = [f for f in fields(kind) if f.name not in value and f.default is f.default_factory is MISSING]
        return cast(Any, kind)(**known, **{f.name: _empty(hints[f.name]) for f in lacking})
    args = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return None if value is None else _decoded(next(a for a in args if a is not type(None)), value)
    if get_origin(kind) is tuple:
        each = [args[0]] * len(value) if args[-1] is Ellipsis else args
        return tuple(_decoded(a, item) for a, item in zip(each, value, strict=True))
    return kind(value) if kind in (int, float) else value


def _empty(kind: Any) -> Any:
    if is_dataclass(kind):
        return _decoded(kind, {})
    if get_origin(kind) in (Union, UnionType):
        return None
    return kind() if kind in (int, float, str, bool) else ()
