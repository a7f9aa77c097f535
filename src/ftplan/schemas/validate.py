"""The part of JSON Schema (draft 2020-12) that the shipped schemas use, with messages for people.

Pure. A schema's `title` names the value in words: where it is given, a message ends "is not TITLE". What JSON Schema
has and KEYWORDS lacks is not understood here, so a test holds every shipped schema to KEYWORDS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftplan.errors import nearest

Schema = Mapping[str, Any]

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Fault:
    """Where a value breaks its schema. path: 'series[0].selected[1].weight', '' for the document itself.

    complete: the problem names its path itself.
    """

    path: str
    problem: str
    hint: str | None = None
    complete: bool = False

    def __str__(self) -> str:
        return self.problem if self.complete or not self.path else f"{self.path}: {self.problem}"


def first_fault(value: Any, schema: Schema) -> Fault | None:
    """The first fault of a document in its own order, or None where it fits the schema."""
    return next(_faults(value, schema, schema, ""), None)


def _faults(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[Fault]:
    if "$ref" in schema:
        yield from _faults(value, _referred(schema["$ref"], root), root, path)
    for keyword, check in _SCALAR_CHECKS.items():
        if keyword in schema and (problem := check(value, schema[keyword])):
            words = f"{_shown(value)} is not {schema['title']}" if "title" in schema else problem
            yield Fault(path, words, _nearest(value, schema.get("enum", ())))
            return
    yield from _inside(value, schema, root, path)
    if "anyOf" in schema:
        yield from _any_of(value, schema, root, path)
    if "if" in schema:
        holds = next(_faults(value, schema["if"], root, path), None) is None
        yield from _faults(value, schema.get("then" if holds else "else", {}), root, path)


def _inside(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[Fault]:
    """Faults of the entries of a mapping or a list."""
    if isinstance(value, dict):
        yield from _keys(value, schema, root, path)
    elif isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            for fault in _faults(item, schema["items"], root, f"{path}[{i}]"):
                # a list with words of its own is one value to a reader
                yield Fault(path, f"{_shown(value)} is not {schema['title']}") if "title" in schema else fault


def _keys(value: Mapping[str, Any], schema: Schema, root: Schema, path: str) -> Iterator[Fault]:
    known: Schema = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            yield Fault(path, f"key {_join(path, key)!r} is missing", _is_what(known.get(key, {})), True)
    others = schema.get("additionalProperties", True)
    for key, item in value.items():
        if key in known:
            yield from _faults(item, known[key], root, _join(path, str(key)))
        elif others is False:
            hint = _nearest(key, known) or (f"known: {', '.join(known)}" if known else None)
            yield Fault(path, f"unknown key {_join(path, str(key))!r}", hint, True)
        elif others is not True:
            yield from _faults(item, others, root, _join(path, str(key)))


def _any_of(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[Fault]:
    faults = [next(_faults(value, option, root, path), None) for option in schema["anyOf"]]
    if all(fault is not None for fault in faults):
        # the option that got furthest into the document is the one that was meant
        meant = max((f for f in faults if f is not None), key=lambda fault: len(fault.path))
        yield Fault(path, f"{_shown(value)} is not {schema['title']}") if "title" in schema else meant


def _referred(reference: str, root: Schema) -> Schema:
    here: Schema = root
    for step in reference.removeprefix("#/").split("/"):
        here = here[step]
    return here


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _is_what(schema: Schema) -> str | None:
    return f"it is {schema['title']}" if "title" in schema else None


def _nearest(word: Any, known: Any) -> str | None:
    close = nearest(str(word), [k for k in known if isinstance(k, str)])
    return f"did you mean {close!r}?" if close else None


def _is_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, int | float):
        # JSON has no word for what is not finite
        return math.isfinite(value) and (name == "number" or (name == "integer" and float(value).is_integer()))
    kinds: dict[str, type] = {"object": dict, "array": list, "string": str, "null": type(None)}
    return name in kinds and isinstance(value, kinds[name])


def _type(value: Any, wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(_is_type(value, name) for name in names):
        return ""
    return f"{_shown(value)} is not {' or '.join(_WORDS[name] for name in names)}"


def _one_of(value: Any, allowed: list[Any]) -> str:
    return "" if value in allowed else f"{_shown(value)} is not one of {', '.join(map(str, allowed))}"


def _bound(words: str, holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], str]:
    def check(value: Any, limit: Any) -> str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return f"{_shown(value)} is {words} {limit}" if number and not holds(value, limit) else ""

    return check


def _size(words: str, holds: Callable[[int, int], bool]) -> Callable[[Any, Any], str]:
    def check(value: Any, limit: int) -> str:
        fits = not isinstance(value, list) or holds(len(value), limit)
        return "" if fits else f"{_shown(value)} has {words} {limit}"

    return check


def _pattern(value: Any, pattern: str) -> str:
    fits = not isinstance(value, str) or re.search(pattern, value)
    return "" if fits else f"{_shown(value)} does not look like {pattern}"


#: keyword -> (value, what the schema says) -> the problem in words, '' where there is none
_SCALAR_CHECKS: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "const": lambda value, wanted: "" if value == wanted else f"{_shown(value)} is not {_shown(wanted)}",
    "enum": _one_of,
    "minimum": _bound("below", lambda value, limit: value >= limit),
    "maximum": _bound("above", lambda value, limit: value <= limit),
    "exclusiveMinimum": _bound("not above", lambda value, limit: value > limit),
    "exclusiveMaximum": _bound("not below", lambda value, limit: value < limit),
    "minItems": _size("fewer entries than", lambda size, limit: size >= limit),
    "maxItems": _size("more entries than", lambda size, limit: size <= limit),
    "pattern": _pattern,
}
_STRUCTURE = {
    "$ref", "properties", "required", "additionalProperties", "items", "anyOf", "if", "then", "else",
}  # fmt: skip
_NOTES = {"$schema", "$id", "$defs", "title", "description"}
KEYWORDS = frozenset(_SCALAR_CHECKS) | _STRUCTURE | _NOTES
