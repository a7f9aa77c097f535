"""What commands start from: run tables, fits and problems, by path or by preset name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ftplan.cli.files import protect
from ftplan.cli.output import progress, remark
from ftplan.errors import FtplanError, InputError, NotIdentified, did_you_mean

if TYPE_CHECKING:
    from ftplan.fit.result import Fit
    from ftplan.readers.problems import ProblemInput
    from ftplan.runs import Direction, RunTable

#: the law whose shape pilot runs are designed for: ours, the only public one with a length term
PILOT_LAW = "pyfunc-s"
_FIT_SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True)
class TableOptions:
    """How to read a run table: the options that `fit` and `compare laws` share."""

    metric: str | None = None
    direction: str | None = None
    by: str | None = None
    column_map: dict[str, str] | None = None


def load_runs(*sources: str, reading: TableOptions | None = None, quiet: bool = False) -> RunTable:
    """One run table from files, folders of logs, stdin ('-') or a preset name. What was assumed is in its notes.

    How logs were read is said here, so that it stands above an error about the runs too.
    """
    from ftplan.readers.tables import read_runs

    how = reading or TableOptions()
    table = read_runs(
        *map(runs_file, sources),
        metric=how.metric,
        direction=cast("Direction | None", how.direction),
        by=how.by,
        column_map=how.column_map or {},
    )
    for text in table.remarks:
        remark(f"note: {text}", quiet=quiet)
    return table


def with_other_metrics(fit: Fit, *sources: str, reading: TableOptions | None = None) -> Fit:
    """The fit of runs from these sources, with what the other metrics in them say of the one it is judged by."""
    from ftplan.fit import with_agreement
    from ftplan.readers.tables import read_other_metrics

    how = reading or TableOptions()
    if fit.runs is None:
        return fit
    others = read_other_metrics(fit.runs, *map(runs_file, sources), by=how.by, column_map=how.column_map or {})
    return with_agreement(fit, others)


def runs_file(source: str) -> str:
    """The path to read: a file as it is named, else the preset of that name."""
    from ftplan.presets import names, runs_path

    if source == "-" or Path(source).exists():
        return source
    shipped = names("runs")
    if source in shipped:
        return str(runs_path(source))
    if Path(source).suffix or "/" in source:
        return source  # meant as a file: the reader says what is wrong with it
    hint = did_you_mean(source, shipped, "shipped run tables: {}")
    raise InputError(f"{source}: no such file, and no run table of that name ships with ftplan", hint=hint)


def is_fit_file(source: str) -> bool:
    """Whether a path names a fit, by its suffix; a trainer's log may have the same one."""
    from ftplan.readers.gather import is_log

    return Path(source).suffix.lower() in _FIT_SUFFIXES and not is_log(source)


def load_fit(source: str, *, quiet: bool) -> Fit:
    """The fit in a fit file, or of a run table, fitted on the spot with the default settings."""
    if is_fit_file(source):
        from ftplan.readers.fits import read_fit

        return read_fit(source)
    from ftplan.fit import fit_runs

    table = load_runs(source, quiet=quiet)
    with progress(quiet=quiet) as show:
        return fit_runs(table, progress=show, extent="used")


def law_named(source: str, *, quiet: bool) -> Fit:
    """A shipped law by its name, else as `load_fit`."""
    from ftplan.presets import load_law, names

    if source in names("laws") and not Path(source).exists():
        from ftplan.fit import borrowed_fit

        return borrowed_fit(load_law(source))
    return load_fit(source, quiet=quiet)


def law_and_problem(source: str, problem: str | None, *, quiet: bool) -> tuple[str | None, str]:
    """What FIT|LAW|PROBLEM with `--problem` means: the law to plan with (None: the one the problem names), and the
    problem. Raises InputError where nothing names a problem.
    """
    from ftplan.presets import names

    if is_fit_file(source):
        return source, problem_behind(source, problem, quiet=quiet)
    if source not in names("laws") or Path(source).exists():
        return None, source
    if problem is None:
        raise InputError(
            f"the law {source} does not say which pool, model and costs to plan with", hint="--problem PROBLEM"
        )
    return source, problem


def law_of(asked: ProblemInput, *, quiet: bool, command: str = "") -> Fit:
    """The fit behind a problem: a fit file, runs fitted on the spot, or a borrowed law. Raises InputError.

    command: of those that take the law as FIT|LAW, for the hint; the others take `--fit`.
    """
    protect(asked.fit, asked.runs, asked.pool_source)
    if asked.fit:
        return load_fit(asked.fit, quiet=quiet)
    if asked.law:
        from ftplan.fit import borrowed_fit
        from ftplan.presets import load_law

        return borrowed_fit(load_law(asked.law))
    if not asked.runs:
        from ftplan.presets import names

        shipped = ", ".join(names("laws"))
        how = f"ftplan {command} LAW --problem PROBLEM, LAW" if command else "--runs RUNS, or --fit LAW: LAW is"
        raise InputError("no law to plan with", hint=f"{how} a fit.yaml, or borrowed: {shipped}")
    from ftplan.fit import fit_runs

    table = load_runs(asked.runs, reading=TableOptions(metric=asked.metric), quiet=quiet)
    with progress(quiet=quiet) as show:
        fitted = fit_runs(_only(table, asked.problem.series), seed=asked.problem.seed, progress=show, extent="used")
    return with_other_metrics(fitted, asked.runs)


def _only(table: RunTable, series: str) -> RunTable:
    """The rows of one series: fitting the others would cost time and change nothing."""
    if not series or set(table.groups) == {series}:
        return table
    if series not in table.groups:
        known = ", ".join(key for key in table.groups if key)
        raise InputError(
            f"{table.source}: no series {series!r}",
            hint=f"--series, one of: {known}" if known else "leave out --series",
        )
    import numpy as np

    return table.subset(np.array([key == series for key in table.group]))


def problem_behind(fit_file: str, named: str | None, *, quiet: bool) -> str:
    """The problem to plan with a fit: the one that was named, else the shipped one that is about the same runs."""
    if named is not None:
        return named
    from ftplan.presets import load_problem, names, runs_path
    from ftplan.readers.fits import read_fit
    from ftplan.readers.tables import read_runs

    fit = read_fit(fit_file)
    fitted = {tuple(sorted(row.items(), key=str)) for row in fit.runs.rows()} if fit.runs is not None else set()
    for name in names("problems"):
        runs = load_problem(name).tables.get("data", {}).get("runs")
        if fitted and runs in names("runs"):
            try:
                shipped = read_runs(str(runs_path(runs)), metric=fit.metric.name)
            except InputError:  # other runs: they have no such metric
                continue
            if fitted <= {tuple(sorted(row.items(), key=str)) for row in shipped.rows()}:
                remark(f"note: planning for the shipped problem {name}, which is about the same runs", quiet=quiet)
                return name
    raise InputError("a fit alone does not say which pool, model and costs to plan with", hint="--problem PROBLEM")


def pilots_for(error: FtplanError) -> str | None:
    """Runs worth making, as a hint, where the runs there are cannot carry a law."""
    if not isinstance(error, NotIdentified) or error.examples is None:
        return None
    from ftplan.fit.pilots import pilot_runs, said
    from ftplan.presets import load_law

    return f"make these four runs: {said(pilot_runs(error.examples, error.avg_tokens, load_law(PILOT_LAW)))}"
