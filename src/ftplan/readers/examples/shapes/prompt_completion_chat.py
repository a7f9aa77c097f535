"""Prompt and completion as OpenAI messages: {"prompt": [{"role": ..., "content": ...}], "completion": [...]}."""

from __future__ import annotations

from ftplan.readers.examples.shapes import Row, Shape, as_json, list_of
from ftplan.readers.examples.shapes.messages import said


def texts(row: Row) -> list[str]:
    """One text a message, the prompt's first; `tools` of the row is one more."""
    found = [said(message) for key in ("prompt", "completion") for message in list_of(row, key)]
    return [*found, as_json(row["tools"])] if row.get("tools") else found


SHAPE = Shape(
    "prompt_completion_chat",
    ("prompt", "completion"),
    texts,
    '{"prompt": [{"role": "user", "content": "..."}], "completion": [{"role": "assistant", ...}]}',
    rank=-1,
    fits_also=lambda row: isinstance(row["prompt"], list),
)
