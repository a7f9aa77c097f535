"""Alpaca: {"instruction": ..., "input": ..., "output": ...}, trained as one question and one answer."""

from __future__ import annotations

from ftplan.readers.examples.shapes import Row, Shape, text_of


def texts(row: Row) -> list[str]:
    """Question (instruction, then input on a line of its own) and answer; `system` is a turn before them."""
    question, given = text_of(row, "instruction"), text_of(row, "input") if "input" in row else ""
    turns = [f"{question}\n{given}" if given else question, text_of(row, "output")]
    return [text_of(row, "system"), *turns] if row.get("system") else turns


SHAPE = Shape("alpaca", ("instruction", "output"), texts, '{"instruction": "...", "input": "...", "output": "..."}')
