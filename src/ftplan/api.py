"""ftplan in Python: what the commands do, from files or values to typed records. `import ftplan` has all of it.

Everything that cannot be used raises `ftplan.errors.FtplanError`: InputError for a file or a value, NotIdentified where
runs cannot tell, Infeasible where the answer is no; `message` says what and where, `hint` what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ftplan.errors import InputError, did_you_mean
from ftplan.fit import DRAWS, Predicted
from ftplan.fit import fit_runs as _fit_runs
from ftplan.fit import predict_rows as _predict_rows
from ftplan.fit.result import Fit
from ftplan.fit.solve import Objective
from ftplan.formats.documents import Document
from ftplan.plan.result import Plan
from ftplan.profile import Profile
from ftplan.runs import Direction, RunTable, from_rows

if TYPE_CHECKING:
    import pandas

Source = str | PurePath


def read_runs(
    *sources: Source,
    metric: str | None = None,
    direction: Direction | None = None,
    by: str | None = None,
    column_map: Mapping[str, str] | None = None,
) -> RunTable:
    """The finished runs in tables, logs or folders of logs, or of a shipped table by its name.

    metric, direction, by, column_map: as `--metric`, `--direction`, `--by` and `--map theirs=ours`. What was assumed is
    in `notes` and `remarks` of the table. Raises InputError.
    """
    from ftplan.cli.inputs import runs_file
    from ftplan.readers import tables

    files = (runs_file(str(source)) for source in sources)
    return tables.read_runs(*files, metric=metric, direction=direction, by=by, column_map=column_map or {})


def fit_runs(
    runs: RunTable | Source,
    laws: Sequence[str] = ("auto",),
    *,
    objective: Objective = "squares",
    draws: int = DRAWS,
    seed: int = 0,
    share: str | None = None,
) -> Fit:
    """Laws fitted to every series of a table, ranked, one selected each: `ftplan fit`. draws: of the bootstrap.

    Raises InputError, and NotIdentified where a series cannot carry any law.
    """
    table = runs if isinstance(runs, RunTable) else read_runs(runs)
    return _fit_runs(table, laws, objective=objective, draws=draws, seed=seed, share=share)


def read_fit(file: Source) -> Fit:
    """A file from `ftplan fit -o` or `save`. Raises InputError."""
    from ftplan.readers import fits

    return fits.read_fit(str(file))


def predict_rows(
    fit: Fit,
    rows: Source | Sequence[Mapping[str, Any]],
    *,
    level: float = 0.9,
    column_map: Mapping[str, str] | None = None,
) -> list[Predicted]:
    """The metric to expect of runs not made yet, with the interval of probability `level`, in their order.

    rows: a table's file, or mappings of canonical columns (examples, avg_tokens, model_params, epochs, group...) to
    numbers. Raises InputError.
    """
    from ftplan.readers.planned import read_planned

    if isinstance(rows, str | PurePath):
        table = read_planned(str(rows), fit, column_map or {}).table
    else:
        table = from_rows([_with_tokens(row) for row in rows], fit.metric, source="rows")
    return _predict_rows(fit, table, level=level)


def _with_tokens(row: Mapping[str, Any]) -> dict[str, Any]:
    """T where N and L are given; one epoch and random selection where nothing is said."""
    whole = {"epochs": 1.0, **row}
    if "tokens" not in row and {"examples", "avg_tokens"} <= set(row):
        whole["tokens"] = float(row["examples"]) * float(row["avg_tokens"])
    return whole


def make_plan(
    problem: Source | None = None,
    fit: Fit | Source | None = None,
    *,
    pool: Profile | Source | None = None,
    **options: Any,
) -> Plan:
    """The best data plan: `ftplan plan`. problem: a TOML file or a shipped problem, None where options say it all.

    fit: a fit, its file, a shipped law or a run table; None: what the problem names. pool: a profile, its file, or a
    histogram. options: `readers.problems.Flags`, named as the flags are (budgets="500usd", gpu="h100-sxm:8", model=,
    tuning=, methods=, epochs=, max_length=, target=, risk=, seed=...); one value where several may stand will do.
    Raises InputError, and Infeasible where nothing fits.
    """
    from ftplan.cli.inputs import law_of
    from ftplan.plan import make_plan as plan
    from ftplan.plan.inputs import with_pool_path
    from ftplan.readers.problems import Flags, aimed_at, read_problem

    known = {field.name: field for field in fields(Flags)}
    for name in options:
        if name not in known:
            raise InputError(f"make_plan has no option {name!r}", hint=did_you_mean(name, known, "options: {}"))
    several = {name for name, field in known.items() if field.default == ()}
    given: dict[str, Any] = {}
    for name, value in options.items():
        one = isinstance(value, str | int | float)
        given[name] = (value,) if name in several and one else tuple(value) if name in several else value
    given |= {k: str(v) for k, v in (("fit", fit), ("pool", pool)) if isinstance(v, str | PurePath)}
    own = pool.pool if isinstance(pool, Profile) else None
    asked = read_problem(None if problem is None else str(problem), Flags(**given), own)
    law = fit if isinstance(fit, Fit) else law_of(asked, quiet=True)
    return with_pool_path(plan(aimed_at(asked, law.metric), law), asked.pool_source or None)


def read_plan(file: Source) -> Plan:
    """A file from `ftplan plan -o` or `save`. Raises InputError, and Infeasible where it says that there is no plan."""
    from ftplan.readers import plans

    return plans.read_plan(str(file))


def export_plan(plan: Plan, trainer: str, file: Source = "train.yaml", *, shape: str = "") -> str:
    """The text of a trainer's configuration called `file`: `--export TRAINER=FILE`. shape: of the pool's rows.

    Raises InputError.
    """
    from ftplan.exports import handover, load, render

    measure = plan.inputs.pool.measure
    rows = shape or (measure.shape if measure is not None else "")
    return render(load(trainer), handover(plan, rows), PurePath(file).name)


def profile_pool(
    *files: Source, tokenizer: Source | None = None, turn_tokens: int | None = None, jobs: int = 1
) -> Profile:
    """How long the examples of a pool are: `ftplan profile`. jobs: processes. Raises InputError."""
    from ftplan.readers.examples.pool import open_pool, profiled

    opened = open_pool(
        *map(str, files), tokenizer=None if tokenizer is None else str(tokenizer), turn_tokens=turn_tokens
    )
    return profiled(opened, jobs, lambda _: None)


def save(result: Plan | Fit | RunTable, file: Source) -> None:
    """Write a plan, a fit or a run table, complete or not at all, in the format of the suffix. Raises InputError."""
    from ftplan.cli.files import write_set
    from ftplan.formats import of_file, render

    form = of_file(str(file), "csv" if isinstance(result, RunTable) else "yaml")
    write_set({str(file): render(_document(result), form)})


def to_rows(result: Plan | Fit | RunTable | Sequence[Predicted]) -> list[dict[str, Any]]:
    """A result as the rows of its table, the same as `--format csv`."""
    if isinstance(result, Plan | Fit | RunTable):
        document = _document(result)
        return [dict(zip(document.header, record, strict=True)) for record in document.records]
    return [vars(item).copy() for item in result]


def to_pandas(result: Plan | Fit | RunTable | Sequence[Predicted]) -> pandas.DataFrame:
    """`to_rows` as a pandas table, where pandas is installed; notebooks show it."""
    import pandas

    return pandas.DataFrame(to_rows(result))


def _document(result: Plan | Fit | RunTable) -> Document:
    from ftplan.formats.documents import fit, plan, runs

    if isinstance(result, Plan):
        return plan.document(result)
    return fit.document(result) if isinstance(result, Fit) else runs.document(result)
