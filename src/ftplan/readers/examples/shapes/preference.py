"""Preference pairs as plain text: {"prompt": ..., "chosen": ..., "rejected": ...}; the prompt and the chosen answer.

They are joined without a chat template, as TRL does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import Row, Shape, text_of
from ftplan.readers.examples.turns import trained


def texts(row: Row) -> list[str]:
    """The prompt and the chosen answer."""
    return [text_of(row, "prompt"), text_of(row, "chosen")]


def plain(msgspec: Any) -> tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]:
    """Both of them text."""
    del msgspec
    return [("prompt", str), ("chosen", str)], lambda row: [row.prompt, row.chosen]


SHAPE = Shape(
    "preference",
    ("prompt", "chosen"),
    texts,
    '{"prompt": "...", "chosen": "...", "rejected": "..."}',
    conversation=False,
    rank=-1,
    fits_also=lambda row: isinstance(row["prompt"], str) and isinstance(row["chosen"], str),
    gives_way=trained,
    plain=plain,
)
