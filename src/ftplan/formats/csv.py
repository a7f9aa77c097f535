"""CSV: the document's records, one line each."""

from __future__ import annotations

import csv
import io
import re

from ftplan.formats import View
from ftplan.formats.documents import Document

SUFFIXES = (".csv",)
#: what makes a formula of a cell (OWASP, CSV injection), where what follows is no plain number
_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9.,]+([eE][+-]?[0-9]+)?%?")


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """Header and rows; what is not known is an empty cell, numbers are written in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(document.header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in document.records)
    return out.getvalue()


def formulas(document: Document) -> str | None:
    """The first text that a spreadsheet would run as a formula and not show; None where there is none.

    Data are written as they are: a program that reads them back wants the same name.
    """
    texts = (cell for row in (document.header, *document.records) for cell in row if isinstance(cell, str))
    return next((text for text in texts if text[:1] in _STARTS and len(text) > 1 and not _NUMBER.fullmatch(text)), None)
