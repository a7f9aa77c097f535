"""Fit files: YAML or JSON back into a `Fit`."""

from __future__ import annotations

from ftplan.fit.result import Fit
from ftplan.formats.documents.fit_file import fit_from_dict
from ftplan.readers.source import source_name
from ftplan.readers.structured import read_plain


def read_fit(path: str) -> Fit:
    """The fit in a file written by `ftplan fit -o`. Raises InputError."""
    return fit_from_dict(read_plain(path), source=source_name(path))
