"""CSV: the document's records, one line each."""

from __future__ import annotations

import csv
import io

from ftplan.formats import View
from ftplan.formats.documents import Document

SUFFIXES = (".csv",)


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """Header and rows; what is not known is an empty cell, numbers are written in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(document.header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in document.records)
    return out.getvalue()
