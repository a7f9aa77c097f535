"""TensorBoard: the CSV download of one curve, which is told apart only to say what to read instead."""

from __future__ import annotations

from typing import Any

from ftplan.errors import InputError
from ftplan.readers.logs import Content, Found
from ftplan.readers.raw import RawTable

TOOL = "TensorBoard"
MARKS = ()


def recognise(content: Content) -> bool:
    """Its three columns."""
    return isinstance(content, RawTable) and {"Wall time", "Step", "Value"} == set(content.headers)


def read(content: Any, place: str, name: str) -> Found:  # noqa: ARG001
    """Raises InputError: one curve tells neither the data nor the other figures of its run."""
    raise InputError(
        f"{place}: one curve of one run, as TensorBoard downloads it", hint="read the run's trainer_state.json instead"
    )
