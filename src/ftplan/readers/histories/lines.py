"""Tables and JSONL with a row per logging step -> rows of numbers under plain names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ftplan.readers.delimited import read_delimited
from ftplan.readers.histories import History, Row
from ftplan.readers.jsonlines import read_jsonlines
from ftplan.readers.progress import CURVE, STEPS
from ftplan.readers.raw import RawTable, normalise, plain
from ftplan.readers.source import decode, read_bytes

_RUNS = ("run", "run_name", "run_id", "name")
#: what Lightning's LearningRateMonitor calls the rate of an optimiser, `lr-AdamW`, as a plain name
RATE = re.compile(r"lr_(?!scheduler)[a-z0-9]\w*")
_PART = re.compile(r"([0-9]+)\s*/\s*([0-9]+)")


def headers(head: bytes) -> tuple[str, ...]:
    """Columns of a CSV by its first line; () where it is none."""
    first = head.decode("utf-8-sig", errors="replace").partition("\n")[0]
    if not first.strip() or first.lstrip()[0] in "{[" or "\x00" in first:
        return ()
    try:
        return tuple(cell.strip() for cell in next(csv.reader(io.StringIO(first.rstrip("\r"), newline="")), []))
    except csv.Error:  # a line end of old Macs, a cell of more than 128 kB: no header
        return ()


def keys(head: bytes) -> frozenset[str]:
    """Keys of the first object of a JSONL file; none where it is no such file."""
    first = head.decode("utf-8-sig", errors="replace").lstrip().partition("\n")[0]
    if not first.startswith("{"):
        return frozenset()
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(value) if isinstance(value, dict) else frozenset()


def table(file: Path) -> RawTable:
    """Every cell as text."""
    text = decode(read_bytes(str(file)), str(file))
    return (read_jsonlines if text.lstrip().startswith("{") else read_delimited)(text, str(file))


def numbers(cells: Mapping[str, str]) -> dict[str, float]:
    """{plain name: number} of the cells that hold one; NaN and infinity as they are."""
    out = {}
    for header, text in cells.items():
        if (value := number(text)) is not None:
            out[plain(header)] = value
    return out


def number(text: object) -> float | None:
    """A number, also as text ('NaN', 'Infinity'); None for anything else."""
    try:
        return None if isinstance(text, bool) or text is None or text == "" else float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError):
        return None


def part(text: str) -> tuple[float, float] | None:
    """'10/20' -> (10, 20)."""
    match = _PART.fullmatch(text.strip())
    return (float(match[1]), float(match[2])) if match else None


def with_shares(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows whose `epoch` is the number of the pass, from 0, with the share that is done in its place.

    Passes are of one length, which the first row of the last pass tells; without a second pass nothing does.
    """
    passes = [(row.values["epoch"], row.step) for row in rows if row.values.get("epoch", -1.0) >= 0.0]
    last = max((number for number, _ in passes), default=0.0)
    begun = min((step for number, step in passes if number == last), default=0.0)
    length = (begun - 1.0) / last if last else 0.0
    out = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if name != "epoch"}
        out.append(Row(row.step, {**values, "epoch": row.step / length} if length > 0.0 else values))
    return tuple(out)


def as_lightning(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows of a tracker; where Lightning logged into it (`lr-AdamW`), with steps from 1 and shares of epochs."""
    rates = {name for row in rows for name in row.values if RATE.fullmatch(name)}
    if not rates:
        return tuple(rows)
    first = min(rates)
    moved = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if name not in rates}
        moved.append(
            Row(row.step + 1.0, values | ({"learning_rate": row.values[first]} if first in row.values else {}))
        )
    return with_shares(moved)


def runs(raw: RawTable, name: str) -> Iterable[History]:
    """A table of steps that no logger is known for: a run a name, by columns that say run and step.

    Also one logged value a row, as MLflow and trackio export a metric, and W&B's chart with a column per run.
    """
    if curves := {header: match for header in raw.headers if (match := CURVE.fullmatch(header))}:
        axis = next((header for header in raw.headers if header not in curves), "")
        yield from _charted(raw, axis, curves)
        return
    if found := _long(raw):
        yield from found
        return
    by = next((header for header in raw.headers if normalise(header) in _RUNS), None)
    counter = next((header for header in raw.headers if normalise(header) in STEPS), None)
    rows: dict[str, list[Row]] = {}
    for place, cells in enumerate(raw.rows, start=1):
        values = numbers(cells)
        step = None if counter is None else number(cells[counter])
        rows.setdefault(cells[by] if by else name, []).append(Row(float(place) if step is None else step, values))
    for run, own in rows.items():
        facts = {plain(h): text for h, text in raw.rows[0].items() if len({row[h] for row in raw.rows}) == 1 and text}
        yield History(raw.source, run, tuple(own), facts)


def _charted(raw: RawTable, axis: str, curves: Mapping[str, re.Match[str]]) -> Iterable[History]:
    """'sunny-sky-3 - eval/loss' beside a step; the least and highest of what was drawn together are left."""
    rows: dict[str, list[Row]] = {}
    for cells in raw.rows:
        step = number(cells.get(axis))
        for header, curve in curves.items():
            value = number(cells[header])
            if step is not None and value is not None and not header.endswith(("__MIN", "__MAX")):
                rows.setdefault(curve["run"], []).append(Row(step, {plain(curve["metric"]): value}))
    return [History(raw.source, run, tuple(own)) for run, own in rows.items()]


def _long(raw: RawTable) -> list[History]:
    """Step and value beside the name of a metric; [] where it is no such table."""
    keys = {normalise(header): header for header in raw.headers}
    metric = next((keys[name] for name in ("key", "metric", "tag") if name in keys), None)
    if metric is None or not {"step", "value"} <= set(keys):
        return []
    by = next((keys[name] for name in _RUNS if name in keys), None)
    steps: dict[str, dict[float, dict[str, float]]] = {}
    for cells in raw.rows:
        step, value = number(cells[keys["step"]]), number(cells[keys["value"]])
        if step is not None and value is not None:
            own = steps.setdefault(cells[by] if by else raw.source, {})
            own.setdefault(step, {})[plain(cells[metric])] = value
    return [
        History(raw.source, run, as_lightning([Row(step, own[step]) for step in sorted(own)]))
        for run, own in steps.items()
    ]


def homes(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file with what to call its run: its folder, where that is named for a run, else the file."""
    return [(file, file.resolve().parent.name or file.stem) for file in files]
