"""Sources as a user names them, files or folders -> one table with a row an evaluation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ftplan.errors import InputError
from ftplan.histories import HistoryTable
from ftplan.readers.columns import CANONICAL
from ftplan.readers.histories import HEAD, History, Logger, Row, lines, logger_of, loggers
from ftplan.readers.histories import trainer as first
from ftplan.readers.histories.steps import CountedEvaluations, HistoryOptions, evaluations
from ftplan.readers.joined import counted, nearness
from ftplan.readers.logs import Run
from ftplan.readers.progress import progress
from ftplan.readers.raw import RawTable, listed, normalise, plain
from ftplan.readers.source import read_bytes

#: what a log lacks: what to say, and what to do
_LACKS = {
    "metric": (
        "has no evaluation on the way",
        "evaluate while training: eval_strategy steps, eval_steps, an evaluation set; or --metric COLUMN",
    ),
    "tokens": (
        "does not say how many tokens it has seen",
        "train with include_num_input_tokens_seen: non_padding, or name a table run,examples,avg_tokens beside it; "
        "where a column counts them: --map COLUMN=tokens_seen",
    ),
    "rate": (
        "has no learning rate",
        "name its schedule: --schedule cosine --warmup 0.03",
    ),
}


def read_histories(
    *paths: str, asked: HistoryOptions | None = None, column_map: Mapping[str, str] | None = None
) -> HistoryTable:
    """Every evaluation in the logs at `paths`, files or folders of them; tables beside them that name runs add facts.

    column_map: {name in the log: canonical column}. Raises InputError where no log has one, with what it lacks.
    """
    asked = asked or HistoryOptions()
    histories: list[History] = []
    tables: list[RawTable] = []
    told: list[str] = []
    for path in paths:
        found, said = _found(path)
        histories += found
        told += said
        if not found and Path(path).is_file() and logger_of(_head(Path(path)), Path(path)) is None:
            raw = lines.table(Path(path))
            if progress(raw) is None:
                tables.append(raw)
            histories += lines.runs(raw, Path(path).stem) if progress(raw) is not None else ()
    source = ", ".join(paths)
    if not histories:
        raise InputError(
            f"{source}: no log with the history of a run",
            hint="name a trainer's or tracker's log, or its folder: docs/runs-in-wandb.md lists them",
        )
    histories = _named_apart(histories)
    read = [
        (history, evaluations(_mapped(history, column_map or {}), asked, _facts(history, tables)))
        for history in histories
    ]
    told += _left_out(read, source)
    kept = [found for _, found in read if found.rows]
    told += counted([found.told for found in kept])
    metrics = tuple(dict.fromkeys(name for found in kept for name in found.metrics))
    return HistoryTable(source, tuple(row for found in kept for row in found.rows), metrics, tuple(told))


def _left_out(read: Sequence[tuple[History, CountedEvaluations]], source: str) -> list[str]:
    """What to say of runs without a row. Raises InputError where no run has one."""
    told = []
    lacking = [(history, found.lacks) for history, found in read if not found.rows]
    for lack, (what, how) in _LACKS.items():
        names = [history.name for history, lacks in lacking if lacks == lack]
        if names and len(lacking) == len(read):
            one = f"{lacking[0][0].place}: the log" if len(read) == 1 else f"{source}: the log of {listed(names, 3)}"
            raise InputError(f"{one} {what}", hint=how)
        told += [f"{len(names)} of {len(read)} runs left out ({listed(names, 3)}): its log {what}; {how}"] * bool(names)
    return told


def _found(path: str) -> tuple[list[History], list[str]]:
    """The runs in a file or folder; where several loggers kept the same runs, those of one of them."""
    root = Path(path)
    files: dict[Logger, list[Path]] = {}
    for file in _files(root) if root.is_dir() else [root]:
        if not root.is_dir():
            read_bytes(path)  # says what is wrong with a file that was named
        if (logger := logger_of(_head(file), file)) is not None:
            files.setdefault(logger, []).append(file)
    found = {logger: [_called(run, root) for run in logger.read(own)] for logger, own in files.items()}
    found = {logger: runs for logger, runs in found.items() if any(run.rows for run in runs)}
    if not found:
        return [], []
    order = sorted(found, key=lambda logger: (logger.TOOL != first.TOOL, loggers().index(logger)))
    others = " and ".join(logger.TOOL for logger in order[1:])
    said = [f"{others} logs in {path} are not read: trackers log the same runs again"] * bool(others)
    return found[order[0]], said


def _files(root: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (file for name in sorted(names) if (file := Path(folder, name)).is_file())


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD)
    except OSError:
        return b""


def _called(history: History, root: Path) -> History:
    """A run that is named by its folder is called by where that lies below the source."""
    home = next((Path(key) for key in history.keys if Path(key).name == history.name), None)
    if home is None or not root.is_dir() or not home.resolve().is_relative_to(root.resolve()):
        return history
    below = home.resolve().relative_to(root.resolve())
    return replace(history, name=str(below)) if below.parts else history


def _named_apart(histories: Sequence[History]) -> list[History]:
    """Two runs of one name are called by their place, or by a number."""
    names = [history.name for history in histories]
    seen: dict[str, int] = {}
    out = []
    for history in histories:
        seen[history.name] = seen.get(history.name, 0) + 1
        again = names.count(history.name) > 1
        out.append(replace(history, name=f"{history.name}#{seen[history.name]}") if again else history)
    return out


def _mapped(history: History, column_map: Mapping[str, str]) -> History:
    """With values under the names that --map gives them."""
    if not column_map:
        return history
    names = {plain(theirs): CANONICAL.get(normalise(ours), normalise(ours)) for theirs, ours in column_map.items()}
    rows = tuple(
        Row(row.step, {**row.values, **{ours: row.values[old] for old, ours in names.items() if old in row.values}})
        for row in history.rows
    )
    facts = {**history.facts, **{ours: history.facts[old] for old, ours in names.items() if old in history.facts}}
    return replace(history, rows=rows, facts=facts)


def _facts(history: History, tables: Sequence[RawTable]) -> dict[str, str]:
    """What tables say of a run, in the row that names it."""
    run = Run(history.place, history.name, {}, history.keys)
    facts: dict[str, str] = {}
    for table in tables:
        by = next((header for header in table.headers if normalise(header) in ("run", "run_name", "name")), None)
        for row in table.rows if by else ():
            if by and nearness(row[by], [run]):
                facts |= {CANONICAL.get(plain(h), plain(h)): text for h, text in row.items() if h != by and text}
    return facts
