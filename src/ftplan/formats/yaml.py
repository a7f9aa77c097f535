"""YAML, keys in the order of the document, innermost lists and mappings on one line."""

from __future__ import annotations

import yaml

from ftplan.formats import View
from ftplan.formats.documents import Document


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """The document's data."""
    text: str = yaml.safe_dump(
        document.data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120, indent=2
    )
    return text
