"""JSON, indented, keys in the order of the document."""

from __future__ import annotations

import json

from ftplan.formats import View
from ftplan.formats.documents import Document
from ftplan.text import acts

SUFFIXES = (".json",)


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """The document's data. NaN and infinities never get here: JSON has no word for them."""
    text = json.dumps(document.data, indent=2, ensure_ascii=False, allow_nan=False)
    if any(acts(line) for line in text.split("\n")):  # JSON itself escapes C0 only
        text = json.dumps(document.data, indent=2, allow_nan=False)
    return text + "\n"
