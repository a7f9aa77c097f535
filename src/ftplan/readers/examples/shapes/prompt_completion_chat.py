"""Prompt and completion as OpenAI messages: {"prompt": [{"role": ..., "content": ...}], "completion": [...]}."""

from __future__ import annotations

from ftplan.readers.examples.shapes import Row, Shape
from ftplan.readers.examples.turns import spoken, tools_of


def texts(row: Row) -> list[str]:
    """One text a message, the prompt's first; `tools` of the row is one more."""
    return [*spoken(row["prompt"], "prompt"), *spoken(row["completion"], "completion"), *tools_of(row)]


SHAPE = Shape(
    "prompt_completion_chat",
    ("prompt", "completion"),
    texts,
    '{"prompt": [{"role": "user", "content": "..."}], "completion": [{"role": "assistant", ...}]}',
    rank=-3,
    optional=("tools", "functions"),
    names={"completion": ("response", "answer", "output")},
    fits_also=lambda row: isinstance(row["prompt"], list),
)
