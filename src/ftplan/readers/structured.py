"""YAML and JSON files as plain values, with the line of what cannot be read."""

from __future__ import annotations

from typing import Any

from ftplan.plain import parse_json, parse_yaml
from ftplan.readers.source import decode, read_bytes, source_name


def read_plain(path: str) -> Any:
    """The values in a file ('-' is stdin); JSON where it begins with a brace. Raises InputError."""
    source = source_name(path)
    return parse_plain(decode(read_bytes(path), source), source)


def parse_plain(text: str, source: str) -> Any:
    """The values in a text; JSON where it begins with a brace. Raises InputError."""
    return parse_json(text, source) if text.lstrip().startswith("{") else parse_yaml(text, source)
