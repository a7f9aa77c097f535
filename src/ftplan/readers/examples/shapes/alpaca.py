"""Alpaca: {"instruction": ..., "input": ..., "output": ...}, trained as one question and one answer.

So are the many files that call them query and response, question and answer, or, as Dolly, instruction, context and
response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftplan.readers.examples.shapes import ANSWER, GIVEN, QUESTION, SYSTEM, Row, Shape, text_of, texts_under
from ftplan.readers.examples.turns import spoken, tools_of


def texts(row: Row) -> list[str]:
    """Question (instruction, then input on a line of its own) and answer; `system`, tools and the turns of `history`
    (pairs of a question and an answer) are turns before them.
    """
    before = [*texts_under(row, ["system"]), *tools_of(row), *spoken(row.get("history"), "history")]
    question, given = text_of(row, "instruction"), texts_under(row, ["input"])
    return [*before, "\n".join([question, *given]), text_of(row, "output")]


def plain(msgspec: Any) -> tuple[list[tuple[Any, ...]], Callable[[Any], list[str]]]:
    """All of them text, and nothing before them."""
    del msgspec
    fields = [("instruction", str), ("output", str), ("input", str | None, None)]
    return fields, lambda row: [f"{row.instruction}\n{row.input}" if row.input else row.instruction, row.output]


SHAPE = Shape(
    "alpaca",
    ("instruction", "output"),
    texts,
    '{"instruction": "...", "input": "...", "output": "..."}',
    optional=("input", "system", "tools", "functions", "history"),
    names={"instruction": QUESTION, "output": ANSWER, "input": GIVEN, "system": SYSTEM},
    rank=3,
    plain=plain,
)
