"""`ftplan simulate pilots`: which few runs to make first."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ftplan.cli import options
from ftplan.errors import InputError

#: fewer runs carry no law of length; more is no pilot
FEWEST, MOST = 6, 100
HELP = """Examples:

\b
  ftplan simulate pilots quickstart --pilots 1e12flops
  ftplan simulate pilots pyfunc-s --problem my.toml --pilots 20% --jobs 8
  ftplan simulate pilots fit.yaml --problem my.toml --pilots 50usd

Designs of pilot runs, all at the same cost, are simulated under what may be true (draws of a fit or of a shipped law),
fitted and planned from. What counts is by how much the plan they lead to misses the best plan for the problem's budget.
"""


Limit = Annotated[
    str | None,
    typer.Option(
        "--pilots",
        metavar="LIMIT",
        help="What all pilot runs together may cost: 1e12flops, 20usd, or a share of the problem's budget. "
        "[default: 10%, more where that buys no runs]",
    ),
]
Runs = Annotated[
    list[str] | None,
    typer.Option("--runs", metavar="K,...", help="Numbers of runs to consider. [default: 6,9,12,15,18,24]"),
]
Truths = Annotated[
    int | None,
    typer.Option("--truths", metavar="K", min=50, max=100_000, help="Truths to compare designs under. [default: 100]"),
]
Noise = Annotated[
    float | None,
    typer.Option("--noise", metavar="SD", min=0.0, help="Of one run, as in simulate runs. [default: the fit's]"),
]
Jobs = Annotated[int, typer.Option("--jobs", metavar="K", min=1, max=256, help="Processes; the result is the same.")]
Keep = Annotated[
    str | None,
    typer.Option("--keep", metavar="FILE", help="Keep simulations here, and go on from those kept before."),
]


def pilots(
    source: options.LawOrProblem,
    problem: options.OtherProblem = None,
    series: options.Series = None,
    limit: Limit = None,
    budget: options.Budgets = None,
    runs: Runs = None,
    truths: Truths = None,
    noise: Noise = None,
    jobs: Jobs = 1,
    keep: Keep = None,
    seed: options.Seed = 0,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, simulate every design, compare, render, write."""
    from ftplan.cli.inputs import law_and_problem, law_of
    from ftplan.cli.output import check_target, deliver, progress, remark
    from ftplan.cli.simulate.work import workers
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.pilots import document
    from ftplan.readers.problems import Flags, read_problem
    from ftplan.simulate.advice import RESOLUTION, advise
    from ftplan.simulate.studies import TRUTHS, study_of

    check_target(output)
    fit, named = law_and_problem(source, problem, quiet=quiet)
    asked = read_problem(named, Flags(fit=fit, series=series, budgets=tuple(budget or ())))
    law = law_of(asked, quiet=quiet, command="simulate pilots")
    setup = study_of(
        asked.problem,
        law,
        pilots=limit,
        runs=_counts(options.words(runs)),
        truths=truths or TRUTHS,
        noise=noise,
        seed=seed,
    )
    try:
        with (
            progress(quiet=quiet, doing="simulating") as show,
            workers(setup.study, jobs, keep, show, partial(remark, quiet=quiet)) as work,
        ):
            advice = advise(setup.study, work, setup.own_plan, RESOLUTION * setup.one_run)
    except KeyboardInterrupt as stop:
        remark(f"interrupted; {stop}", quiet=False)
        raise
    deliver(with_repairs(document(setup, advice), law.repairs), form, output, quiet=quiet)


def _counts(words: tuple[str, ...]) -> tuple[int, ...]:
    """Whole numbers of runs. Raises InputError."""
    for word in words:
        if not word.isdecimal() or not FEWEST <= int(word) <= MOST:
            raise InputError(f"--runs {word!r} is not a whole number from {FEWEST} to {MOST}", hint="--runs 9,12,18")
    return tuple(map(int, words))
