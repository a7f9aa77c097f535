"""Fit files: YAML or JSON back into a `Fit`."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ftplan.errors import InputError
from ftplan.fit.result import Fit
from ftplan.formats.documents.fit_file import fit_from_dict
from ftplan.readers.source import decode, read_bytes, source_name


def read_fit(path: str) -> Fit:
    """The fit in a file written by `ftplan fit -o`. Raises InputError."""
    source = source_name(path)
    text = decode(read_bytes(path), source)
    plain = _json(text, source) if text.lstrip().startswith("{") else _yaml(text, source)
    return fit_from_dict(plain, source=source)


def _json(text: str, source: str) -> Any:
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
