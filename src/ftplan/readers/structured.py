"""YAML and JSON files as plain values, with the line of what cannot be read."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ftplan.errors import InputError
from ftplan.readers.source import decode, read_bytes, source_name


def read_plain(path: str) -> Any:
    """The values in a file ('-' is stdin); JSON where it begins with a brace. Raises InputError."""
    source = source_name(path)
    return parse_plain(decode(read_bytes(path), source), source)


def parse_plain(text: str, source: str) -> Any:
    """The values in a text; JSON where it begins with a brace. Raises InputError."""
    return parse_json(text, source) if text.lstrip().startswith("{") else _yaml(text, source)


def parse_json(text: str, source: str) -> Any:
    """Raises InputError with the line that is not JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}:{error.lineno}: not JSON: {error.msg}") from error


def _yaml(text: str, source: str) -> Any:
    # libyaml's loader is many times faster, and not in every build of PyYAML
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not YAML: {' '.join(str(error).split())}") from error
    except ValueError as error:
        # a scalar that looks like a date and is none
        raise InputError(f"{source}: not YAML: {error}") from error
