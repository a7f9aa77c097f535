"""`ftplan simulate runs`: a synthetic run table from a law."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import complete, options

HELP = """Examples:

\b
  ftplan simulate runs pyfunc-s     over the range it was measured on
  ftplan simulate runs fit.yaml --series s --tokens 4k,16k --lengths 64,256
  ftplan simulate runs fit.yaml --design planned.csv --noise 0.01 -o runs.csv
  ftplan simulate runs ccds-mmlu-7b --methods random,bm25 --fractions 0.1,1

The runs of a design as a law has them, with noise: to try a fit or a design on. `ftplan fit` reads the table as it
is. Nothing in it was measured.
"""

Source = Annotated[
    str,
    typer.Argument(
        metavar="LAW", help="Fit file, shipped law, or a run table to fit first.", autocompletion=complete.borrowed
    ),
]
Series = Annotated[str | None, typer.Option("--series", metavar="KEY", help="One series of the fit. [default: all]")]
Design = Annotated[
    str | None, typer.Option("--design", metavar="FILE", help="The runs to simulate: a run table without a metric.")
]
Tokens = Annotated[
    list[str] | None, typer.Option("--tokens", metavar="T,...", help="Tokens of a run, in whole examples.")
]
Lengths = Annotated[list[str] | None, typer.Option("--lengths", metavar="L,...", help="Average tokens per example.")]
Fractions = Annotated[
    list[str] | None,
    typer.Option("--fractions", metavar="F,...", help="Shares of the pool, in place of tokens."),
]
PoolExamples = Annotated[
    str, typer.Option("--pool-examples", metavar="P", help="What is chosen from. [default: the law's largest run]")
]
Sizes = Annotated[
    list[str] | None, typer.Option("--model-params", metavar="M,...", help="Model sizes. [default: the law's own]")
]
Methods = Annotated[
    list[str] | None, typer.Option("--methods", metavar="NAME,...", help="Selection methods that the law knows.")
]
Seeds = Annotated[int, typer.Option("--seeds", metavar="K", min=1, max=1000, help="Runs of each kind.")]
Noise = Annotated[
    float | None,
    typer.Option(
        "--noise",
        metavar="SD",
        min=0.0,
        help="Of one run: a share of a positive loss (0.02 is 2 %), else in the metric's unit. [default: as the "
        "law missed its own runs]",
    ),
]


def runs(
    source: Source,
    series: Series = None,
    design: Design = None,
    tokens: Tokens = None,
    lengths: Lengths = None,
    fractions: Fractions = None,
    pool_examples: PoolExamples = "",
    sizes: Sizes = None,
    methods: Methods = None,
    seeds: Seeds = 1,
    noise: Noise = None,
    seed: options.Seed = 0,
    form: options.Format = "csv",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read the law and the design, simulate, render, write."""
    from ftplan.cli.inputs import law_named
    from ftplan.cli.output import check_target, deliver, remark
    from ftplan.fit import predictor
    from ftplan.formats.documents.runs import document
    from ftplan.plan import series_of
    from ftplan.readers.designs import Wanted, designs
    from ftplan.simulate.synthetic import measured, truth_of

    check_target(output)
    fit = law_named(source, quiet=quiet)
    chosen = fit.series if series is None else (series_of(fit, series),)
    split = options.words
    wanted = Wanted(
        design or "",
        split(tokens),
        split(lengths),
        split(fractions),
        pool_examples,
        split(sizes),
        split(methods),
        seeds,
    )
    truths = [truth_of(predictor(fit, one.key)) for one in chosen]
    scatters = {one.key: one.residual_sd for one in chosen}
    table = measured(designs(wanted, fit, truths), scatters, noise, seed)
    deliver(document(table), form, output, quiet=quiet, artefact="csv")
    # the screen has them itself
    for text in () if form == "table" else table.notes:
        remark(f"note: {text}", quiet=quiet)
