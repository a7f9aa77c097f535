"""Plain values of a text in JSON, YAML or TOML, whatever stands in it: small files that grow when they are read are
refused, and every fault is one InputError. Pure.

A YAML alias is a second name of one value, so nine lines of ten aliases stand for a billion values; a number may have
thousands of digits, a list be nested as deep as the file is long, a TOML key have as many parts.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from ftplan.errors import InputError

#: levels of a document; ours have seven
DEEPEST = 100
#: values that aliases may stand for, over the characters of the text: without them there is less than one a character
_EXPANDED = 20
#: characters in a row that may be one number beyond every float (decimal, hexadecimal, base 60)
_DIGITS = re.compile(r"[0-9a-fA-F_:]{250}")
_ALIAS = re.compile(r"(?:^|[\s,\[{:-])\*[^\s*]", re.MULTILINE)
_LARGEST = 1e300
#: parts of a TOML key: its parser takes time and memory with their square
_PARTS = 100
#: what Python says of a whole number of more than 4,300
_DIGITED = "integer string conversion"
_DEEP = "it is nested too deeply"


def parse_json(text: str, source: str) -> Any:
    """Raises InputError with the line that is not JSON."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}:{error.lineno}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise InputError(f"{source}: not JSON: a number has too many digits") from error
    except RecursionError as error:
        raise InputError(f"{source}: not JSON: {_DEEP}") from error
    return _bounded(value, text, source)


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Raises InputError with the line that is not TOML."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _PARTS and re.search(rf"(?:[^\s.=]+\s*\.\s*){{{_PARTS}}}[^=]*=|^\s*\[[^=]*$", line):
            raise InputError(f"{source}:{number}: not TOML: a key has more than {_PARTS} parts")
    try:
        value: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not TOML: {error}") from error
    except ValueError as error:
        raise InputError(f"{source}: not TOML: a number has too many digits") from error
    except RecursionError as error:
        raise InputError(f"{source}: not TOML: {_DEEP}") from error
    _bounded(value, text, source)
    return value


def parse_yaml(text: str, source: str) -> Any:
    """Raises InputError with the line that is not YAML."""
    import yaml

    # libyaml's loader is many times faster, and not in every build of PyYAML
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise InputError(f"{source}: not YAML: {_DEEP}") from error
    except (ValueError, KeyError, AttributeError, TypeError, OverflowError) as error:
        # a scalar that is not what its tag, or its look, says: a date that is none, !!bool maybe
        why = str(error) if isinstance(error, ValueError) else "a value is not what its tag says it is"
        raise InputError(f"{source}: not YAML: {'a number has too many digits' if _DIGITED in why else why}") from error
    return _bounded(value, text, source, aliased=bool(_ALIAS.search(text)))


def _bounded(value: Any, text: str, source: str, *, aliased: bool = False) -> Any:
    """The value, if what it stands for is no larger than what was written. Raises InputError."""
    if aliased and _expanded(value, _EXPANDED * len(text), source) > _EXPANDED * len(text):
        raise InputError(f"{source}: its aliases stand for more than {_EXPANDED * len(text):,} values")
    if _DIGITS.search(text) and _has_huge(value):
        raise InputError(f"{source}: a number is too large", hint="numbers go to 1e300")
    if _may_be_deep(text) and _depth(value) > DEEPEST:
        raise InputError(f"{source}: {_DEEP}: {DEEPEST} levels are read")
    return value


def _may_be_deep(text: str) -> bool:
    """Whether enough brackets or indents stand in it: most files need no look at their values."""
    return text.count("[") + text.count("{") > DEEPEST or "  " * DEEPEST in text


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return list(value) if isinstance(value, list | tuple | set) else []


def _depth(value: Any) -> int:
    """Levels of a value, DEEPEST + 1 at most."""
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [child for each in level for child in _children(each) if isinstance(child, dict | list | tuple | set)]
    return depth


def _has_huge(value: Any) -> bool:
    seen: set[int] = set()
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, int) and abs(each) > _LARGEST:
            return True
        if (below := _children(each)) and id(each) not in seen:
            seen.add(id(each))
            left += below
    return False


def _expanded(value: Any, most: int, source: str) -> int:
    """How many values it stands for when every alias is written out; above `most` no further counted.

    Raises InputError where a value is in itself.
    """
    sizes: dict[int, int] = {}
    inside: set[int] = set()
    left: list[tuple[Any, bool]] = [(value, False)]
    while left:
        each, done = left.pop()
        if id(each) in sizes:
            continue
        below = _children(each)
        if done or not below:
            sizes[id(each)] = min(1 + sum(sizes[id(child)] for child in below), most + 1)
            inside.discard(id(each))
            continue
        if id(each) in inside:
            raise InputError(f"{source}: not YAML: an alias stands inside of what it names")
        inside.add(id(each))
        left.append((each, True))
        left += [(child, False) for child in below]
    return sizes[id(value)]
