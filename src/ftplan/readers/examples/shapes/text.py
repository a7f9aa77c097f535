"""Plain text: {"text": ...}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import Row, Shape, text_of


def texts(row: Row) -> list[str]:
    """The text."""
    return [text_of(row, "text")]


def plain(msgspec: Any) -> tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]:
    """A text."""
    del msgspec
    return [("text", str)], lambda row: [row.text]


SHAPE = Shape(
    "text",
    ("text",),
    texts,
    '{"text": "..."}',
    conversation=False,
    rank=4,
    names={"text": ("content",)},
    plain=plain,
)
