"""JUnit XML, one test case per constraint, as GitLab, Jenkins and Azure read it. No times: same plan, same bytes."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from ftplan.formats import View
from ftplan.formats.documents import Check, Document

SUFFIXES = (".xml",)
#: what XML 1.0 cannot hold, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """One suite; notes and warnings are its output."""
    said = (*document.notes, *document.warnings)
    kind = str(document.data.get("kind", "document"))
    totals = f'tests="{len(document.checks)}" failures="{sum(not c.passed for c in document.checks)}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="ftplan" {totals}>',
        f'  <testsuite name={_attribute(f"ftplan {kind}")} {totals} errors="0" skipped="0">',
        *(_case(kind, check) for check in document.checks),
        *([f"    <system-out>{_text(chr(10).join(said))}</system-out>"] if said else []),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(kind: str, check: Check) -> str:
    opened = f"    <testcase classname={_attribute(f'ftplan.{kind}')} name={_attribute(check.name)}"
    if check.passed:
        return f"{opened} />"
    failure = f'      <failure type="constraint" message={_attribute(check.detail)} />'
    return f"{opened}>\n{failure}\n    </testcase>"


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))
