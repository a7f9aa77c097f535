"""Prompt and completion as plain text: {"prompt": ..., "completion": ...}, joined without a chat template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import Row, Shape, text_of


def texts(row: Row) -> list[str]:
    """The prompt and the completion."""
    return [text_of(row, "prompt"), text_of(row, "completion")]


def plain(msgspec: Any) -> tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]:
    """Both of them text."""
    del msgspec
    return [("prompt", str), ("completion", str)], lambda row: [row.prompt, row.completion]


SHAPE = Shape(
    "prompt_completion",
    ("prompt", "completion"),
    texts,
    '{"prompt": "...", "completion": "..."}',
    conversation=False,
    rank=-2,
    plain=plain,
)
