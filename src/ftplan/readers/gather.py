"""Sources as a user names them, one or several, files or folders -> one table as written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ftplan.errors import InputError
from ftplan.readers import delimited, jsonlines, metrics, parquet, source
from ftplan.readers.folders import read_folder, read_log
from ftplan.readers.histories import HEAD
from ftplan.readers.histories.ends import ends, store_of
from ftplan.readers.joined import NAMES, join, names_run
from ftplan.readers.logs import Evaluation, Found, Run, tool_of
from ftplan.readers.progress import progress
from ftplan.readers.raw import RawTable, listed, normalise
from ftplan.readers.states import unfinished


@dataclass
class _Gathered:
    """What the sources hold; tables: those that no tool wrote; left: runs that did not finish."""

    runs: list[Run] = field(default_factory=list)
    left: list[Run] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    tables: list[RawTable] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def add(self, found: Found | RawTable) -> None:
        if isinstance(found, RawTable):
            self.tables.append(found)
            return
        self.runs += found.runs
        self.left += found.left
        self.evaluations += found.evaluations
        self.told += found.told


def read_table(*paths: str, mapped: Mapping[str, str] | None = None, metric: str | None = None) -> RawTable:
    """Every cell of a table as text; what each source is, its content tells. Raises InputError.

    A table that people wrote is returned as it is. Logs of tools become one row per finished run, evaluations are
    joined to the runs they are of, and so is a table that names those runs; other tables add their rows.
    mapped: what --map says of columns, about which a log then needs to say nothing. metric: what --metric says.
    """
    all_ = _Gathered()
    for path in paths:
        if path != "-" and Path(path).is_dir():
            _add_folder(path, all_)
        else:
            all_.add(_read_file(path))
    if len(all_.tables) == 1 and not all_.runs and not all_.evaluations:
        return all_.tables[0]
    all_.told += [text for table in all_.tables for text in table.remarks]
    beside = [table for table in all_.tables if names_run(table, [*all_.runs, *all_.left])]
    own = [table for table in all_.tables if table not in beside]
    if all_.runs and not all_.evaluations:  # without a result a row is no run; an evaluation may bring one
        strays = [table for table in own if not _has_results(table, mapped or {}, metric)]
        own = [table for table in own if table not in strays]
        all_.told += [_not_joined(table, all_.runs) for table in strays]
    headers = frozenset(header for table in own for header in table.headers)
    runs = [*all_.runs, *(run for table in own for run in _as_runs(table))]
    name = ", ".join(map(source.source_name, paths))
    return join(name, runs, all_.evaluations, beside, headers, all_.told, mapped, all_.left)


def _has_results(table: RawTable, mapped: Mapping[str, str], metric: str | None) -> bool:
    """Whether a column may judge runs: by its name, by --map, or by --metric."""
    asked = normalise(metric) if metric else None
    names = [*table.headers, *(ours for theirs, ours in mapped.items() if theirs in table.headers)]
    return any(metrics.known(name) is not None or normalise(name) == asked for name in names)


def _not_joined(table: RawTable, runs: list[Run]) -> str:
    return (
        f"{table.source}: not used, since none of its columns names the runs: give it a column run, where runs are "
        f"called {listed([run.name for run in runs], 3)}"
    )


def is_log(path: str) -> bool:
    """Whether a path is a folder, or a JSON file that a tool wrote."""
    file = Path(path)
    if not file.is_file():
        return file.is_dir()
    with file.open("rb") as opened:
        if store_of(opened.read(HEAD), file) is not None:
            return True
    return file.suffix.lower() == ".json" and read_log(source.read_bytes(path), path) is not None


def _add_folder(path: str, all_: _Gathered) -> None:
    """Logs of a folder, and the tables that lie beside them: facts of its runs, or, without logs, the runs."""
    folder = read_folder(path)
    all_.add(Found(folder.runs, folder.evaluations, folder.told))
    tables = [(name, _open(name)) for name in folder.tables]
    steps = {name: said for name, found in tables if isinstance(found, RawTable) and (said := progress(found))}
    if folder.runs:
        facts = [
            _finished(found)
            for name, found in tables
            if isinstance(found, RawTable) and name not in steps and names_run(found, folder.runs)
        ]
        all_.tables += facts
        used = {table.source for table in facts}
        if rest := [name for name, _ in tables if name not in used]:
            all_.told.append(f"not read: {listed(rest, 3)}; name a file to read it by itself")
        return
    if len(tables) > 1 and len(steps) == len(tables):
        raise InputError(
            f"{path}: each of its tables is the progress of one run, a row per step: {listed(list(steps), 4)}",
            hint=next(iter(steps.values())).instead,
        )
    rows = [(name, found) for name, found in tables if name not in steps or len(tables) == 1]
    if len(rows) > 1:
        names = [name for name, _ in rows]
        many = (
            f"name the ones to read together: {' '.join(names[:2])}"
            if folder.below
            else f"name the one to read: {names[0]}"
        )
        raise InputError(
            f"{path}: several tables in {'sub-folders of ' * folder.below}this folder: {listed(names, 4)}", hint=many
        )
    kept = {name for name, _ in rows}
    passed = [name for name, _ in tables if name not in kept]
    for name, found in rows:
        read = _checked(found, name)
        if passed and isinstance(read, RawTable):
            unread = f"not read, since each row is a step of one run: {listed(passed, 3)}"
            read = replace(read, remarks=(*read.remarks, unread))
        all_.add(read)


def _read_file(path: str) -> Found | RawTable:
    return _checked(_open(path), source.source_name(path))


def _checked(found: Found | RawTable, name: str) -> Found | RawTable:
    """What a file holds, if it holds runs. Raises InputError for the progress of a run."""
    if not isinstance(found, RawTable):
        return found
    if (steps := progress(found)) is not None:
        raise steps.refused(name)
    return _finished(found)


def _open(path: str) -> Found | RawTable:
    """What a tool wrote, or a table as written."""
    name = source.source_name(path)
    data = source.read_bytes(path)
    if path != "-" and (store := store_of(data[:HEAD], Path(path))) is not None:
        return ends(store, [Path(path)])
    if data.startswith(parquet.MAGIC):
        table = parquet.read_parquet(data, name)
    else:
        if (found := read_log(data, name)) is not None:
            return found
        text, encoding = source.decode_table(data, name)
        first = text.lstrip()[:1]
        read: Callable[[str, str], RawTable] = jsonlines.read_jsonlines if first in "{[" else delimited.read_delimited
        table = read(text, name)
        table = replace(table, mended=(*[encoding] * bool(encoding), *table.mended))
    tool = tool_of(table)
    return table if tool is None else tool.read(table, name, Path(name).stem)


def _finished(table: RawTable) -> RawTable:
    """A table without the rows of runs that did not finish, by a column of states. Raises InputError where none did."""
    left = unfinished(table)
    if left is None:
        return table
    out = set(left.rows)
    kept = [i for i in range(len(table.rows)) if i not in out]
    if not kept:
        raise InputError(
            f"{table.source}: none of its {len(table.rows)} runs finished: its column {left.header!r} says "
            f"{listed(left.states, 4)}",
            hint="a run table has one row per finished run",
        )
    return replace(
        table,
        rows=tuple(table.rows[i] for i in kept),
        places=tuple(table.places[i] for i in kept),
        remarks=(*table.remarks, left.said()),
    )


def _as_runs(table: RawTable) -> list[Run]:
    """The rows of a table that people wrote, each a run of its own."""
    by = [header for header in table.headers if normalise(header) in NAMES]
    return [
        Run(place, next((row[h] for h in by if row[h]), place), {}, tuple(row[h] for h in by), aside=row)
        for row, place in zip(table.rows, table.places, strict=True)
    ]
