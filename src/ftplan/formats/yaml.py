"""YAML, keys in the order of the document, innermost lists and mappings on one line."""

from __future__ import annotations

from typing import Any

import yaml

from ftplan.formats import View
from ftplan.formats.documents import Document
from ftplan.text import acts

SUFFIXES = (".yaml", ".yml")


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """The document's data."""
    text = _dumped(document.data, allow_unicode=True)
    # YAML itself escapes controls, not the marks that reorder what is read
    return _dumped(document.data, allow_unicode=False) if any(acts(line) for line in text.split("\n")) else text


def _dumped(data: dict[str, Any], *, allow_unicode: bool) -> str:
    text: str = yaml.safe_dump(
        data, sort_keys=False, allow_unicode=allow_unicode, default_flow_style=None, width=120, indent=2
    )
    return text
