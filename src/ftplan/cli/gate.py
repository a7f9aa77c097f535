"""`ftplan plan --check`, `--require` and `--calibrate`: what turns a plan into a yes or no for a build."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ftplan.cli.config import typed
from ftplan.cli.export import NOTHING, Exports
from ftplan.cli.files import protect
from ftplan.cli.output import deliver, remark
from ftplan.errors import InputError

if TYPE_CHECKING:
    from ftplan.formats.documents import Document
    from ftplan.origin import Sourced
    from ftplan.plan.check import Committed
    from ftplan.plan.result import Plan
    from ftplan.pool import Pool
    from ftplan.readers.problems import ProblemInput

NO = 1
#: options of `plan` that mean something beside `--check`
_WITH_CHECK = {
    "check", "budget", "gpu", "price", "mfu", "calibrate", "pool", "require", "export", "get", "form", "output",
    "quiet",
}  # fmt: skip


@dataclass(frozen=True)
class CheckOptions:
    """What the command line says beside `--check PLAN`."""

    budgets: tuple[str, ...] = ()
    gpu: str | None = None
    price: Sourced | None = None
    mfu: Sourced | None = None
    calibrate: str | None = None
    pool: str | None = None
    require: tuple[str, ...] = ()
    exports: Exports = NOTHING


def run_check(
    ctx: typer.Context, path: str, options: CheckOptions, *, form: str, output: str | None, quiet: bool, get: str | None
) -> None:
    """Hold a committed plan against today; exit 1 where it does not hold."""
    from ftplan.formats.documents.check import document
    from ftplan.plan.check import check
    from ftplan.readers.plans import Today, committed, pool_file, pool_of_plan, read_plan, todays

    for param in ctx.command.params:
        if param.name is not None and param.name not in _WITH_CHECK and typed(ctx, param.name):
            shown = param.opts[0] if param.opts[0].startswith("-") else "a problem"
            raise InputError(
                f"--check counts a plan as it stands again: {shown} has no place beside it", hint="ftplan plan --help"
            )
    today = Today(options.budgets, options.gpu, options.price, options.mfu, options.require)
    planned = read_plan(path)
    plan, notes = todays(committed(planned), today)
    protect(pool_file(plan, path))
    pool = pool_of_plan(plan, path, options.pool)
    if options.calibrate is not None:
        plan = _calibrated_plan(plan, pool, options.calibrate)
    report = check(plan, pool)
    shown = "the plan" if path == "-" else path
    exports = options.exports.of(planned, pool, path)
    answer(document(report, shown, notes), form, output, quiet=quiet, get=get, exports=exports)


def answer(
    document: Document,
    form: str,
    output: str | None,
    *,
    quiet: bool,
    get: str | None,
    exports: Exports,
) -> None:
    """Deliver a document with constraints, and the exports; exit 1 where one of them fails, without exports."""
    failed = [check for check in document.checks if not check.passed]
    files, said = ({}, []) if failed else exports.files()
    deliver(document, form, output, quiet=quiet, only=get, beside=files)
    if get or form == "csv":
        # what was printed may not say why the answer is no
        for check in failed:
            remark(f"{check.name} fails: {check.detail}", quiet=quiet)
    if failed:
        exports.refuse(quiet=quiet)
        raise typer.Exit(NO)
    for text in said:
        remark(f"warning: {text}", quiet=quiet)


def with_constraints(plan: Plan, shown: Document, require: tuple[str, ...]) -> Document:
    """The document of a fresh plan with the constraints it is held to."""
    from ftplan.formats.documents.check import judged
    from ftplan.plan.check import plan_verdicts
    from ftplan.plan.require import parse_requirement

    return judged(shown, plan_verdicts(plan, [parse_requirement(text) for text in require]))


def pool_path(asked: ProblemInput, output: str | None) -> str | None:
    """How a plan file names its pool: relative to the folder that the file lies in, or a shipped name."""
    if not asked.pool_source:
        return None
    if not Path(asked.pool_source).exists():
        return asked.pool_source
    folder = Path(output).parent if output not in (None, "-") else Path()
    return Path(os.path.relpath(asked.pool_source, folder)).as_posix()


def calibrated(asked: ProblemInput, run: str | None) -> ProblemInput:
    """The problem with the MFU of a past run, taken to be batched as this problem batches its pool; without one named,
    of the runs that it is planned on, where they say how long they took on which GPUs and nobody gave an MFU.
    """
    from ftplan.costs.packing import batching
    from ftplan.costs.training import TUNINGS
    from ftplan.plan.jobs import job_of
    from ftplan.readers.past_runs import calibration, table_calibration

    if run is None and (asked.problem.mfu is not None or asked.problem.gpu is None or not asked.runs):
        return asked
    problem = asked.problem
    pool = problem.cut.pool
    job = job_of(problem, problem.model, next(t for t in TUNINGS if t == problem.tuning))
    rows = batching(pool, *problem.batched)
    of = (job, rows, pool.mean, problem.gpu.name if problem.gpu else "")
    found = table_calibration(asked.runs, *of) if run is None else calibration(run, *of)
    return asked if found is None else replace(asked, problem=replace(problem, mfu=found))


def _calibrated_plan(plan: Committed, pool: Pool, run: str) -> Committed:
    from ftplan.costs.packing import batching
    from ftplan.readers.past_runs import calibration

    cut = pool.cut(plan.max_length).pool
    rows = batching(cut, plan.max_length, plan.packing, plan.batch_examples)
    found = calibration(run, plan.job, rows, cut.mean, plan.gpu)
    return replace(plan, job=replace(plan.job, mfu=found.value, mfu_range=found.range), mfu_origin=found.origin)
