"""GitHub annotations: one workflow command a line, an error for each constraint that fails.

Source: docs.github.com/actions/reference/workflow-commands-for-github-actions; a line break would end the command, so
what GitHub unescapes is escaped: %, CR and LF everywhere, also : and , in a title.
"""

from __future__ import annotations

from ftplan.formats import View
from ftplan.formats.documents import Document, Prose


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """Constraints, then warnings; the first sentence of the screen where there is no constraint."""
    kind = str(document.data.get("kind", ""))
    lines = [_line("notice" if c.passed else "error", f"ftplan {kind}: {c.name}", c.detail) for c in document.checks]
    if not lines:
        said = next((block.text for block in document.screen if isinstance(block, Prose)), kind)
        lines = [_line("notice", f"ftplan {kind}", said)]
    lines += [_line("notice", f"ftplan {kind}: the runs", text) for text in document.notes]
    lines += [_line("warning", f"ftplan {kind}", text) for text in document.warnings]
    return "\n".join(lines) + "\n"


def _line(level: str, title: str, text: str) -> str:
    return f"::{level} title={_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
