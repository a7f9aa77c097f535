"""`ftplan apply`: the examples that a plan asks for, as a file to train on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftplan.cli import complete, options
from ftplan.cli.profile import Jobs, cores
from ftplan.errors import InputError

if TYPE_CHECKING:
    from ftplan.measure import Measure

HELP = """Examples:

\b
  ftplan apply plan.yaml pool.jsonl -o train.jsonl
  ftplan apply plan.yaml pool.jsonl --scores perplexity.txt -o train.jsonl
  ftplan apply plan.yaml pool.jsonl --target wanted.jsonl -o train.jsonl
  ftplan apply plan.yaml pool.jsonl --for llama_factory -o train.jsonl

Writes exactly the planned number of examples of POOL, of the planned length, chosen as the plan says: JSONL in random
order, the rows as they stand in POOL, or as --for says. The same plan and pool give the same file. A plan that selects
by a score needs one: --scores, or --target for bm25. Exit code 1 says that the pool does not hold what was planned.
"""


def apply(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Plan file, from: ftplan plan -o plan.yaml.")],
    pool: Annotated[
        list[str],
        typer.Argument(metavar="POOL...", help="The examples that the plan's pool was profiled from."),
    ],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where the examples go, all or none; '-' is stdout."),
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option(
            "--scores",
            metavar="FILE|COLUMN",
            help="A number per row, more is better: a line each, or a column of POOL.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="FILE", help="Examples of the task, for a plan that selects by bm25."),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", metavar="FILE", help="tokenizer.json. [default: that of the plan's pool]"),
    ] = None,
    trainer: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TRAINER",
            autocompletion=complete.trainers,
            help="Write rows so that this trainer's converter reads all their text, as its --export expects them.",
        ),
    ] = None,
    jobs: Jobs = None,
    form: options.Format = "table",
    quiet: options.Quiet = False,
) -> None:
    """Read, draw, write, and say what was planned and what was drawn."""
    from ftplan.cli.files import protect, write_set
    from ftplan.cli.gate import NO
    from ftplan.cli.output import deliver, reading_progress, remark
    from ftplan.formats.documents.applied import document
    from ftplan.readers.examples.applied import Scoring, applied, opened_for
    from ftplan.readers.examples.conversations import rewritten_lines
    from ftplan.readers.examples.rows import picked
    from ftplan.readers.plans import order_of, read_plan

    if output is None:
        raise InputError("nothing says where the examples should go", hint="-o train.jsonl")
    order = order_of(read_plan(plan), plan)
    protect(order.tokenizer)
    opened = opened_for(order, pool, tokenizer)
    change = _change(trainer, order.measure, opened.measure)
    protect(*(file.path for file in opened.source.files))
    with reading_progress(opened.source.path, opened.source.size, quiet=quiet) as show:
        found = applied(order, opened, Scoring(scores, target), jobs or cores(), show)
        folder = Path() if output == "-" else Path(output).parent
        lines = picked(opened.source, found.drawn.rows, folder, show)
        lines = lines if change is None else rewritten_lines(lines, change)
        if output == "-":
            sys.stdout.buffer.writelines(lines)
        else:
            write_set({output: lines})
    shown = document(order, found.drawn, opened.source.path, output, found.warnings)
    if output == "-":
        for text in shown.warnings:
            remark(f"warning: {text}", quiet=quiet)
        return
    deliver(shown, form, None, quiet=quiet)
    remark(f"wrote {output}", quiet=quiet)
    if not all(check.passed for check in shown.checks):
        raise typer.Exit(NO)


def _change(trainer: str | None, planned: Measure | None, opened: Measure) -> Callable[[Any], Any] | None:
    """What is done to each row for a trainer; None where rows stay as they are. Raises InputError.

    planned: how the plan's pool was counted; opened: this pool.
    """
    from ftplan.exports import DataRows, given, load
    from ftplan.readers.examples.conversations import rewriter

    if trainer is None:
        return None
    # the columns are known for certain where all rows have been read
    columns = planned.columns if planned is not None and planned.shape == opened.shape else opened.columns
    to, pool = load(trainer), DataRows(shape=opened.shape, columns=columns)
    target = given(to, pool)
    return rewriter(pool.shape, columns, target.shape, lambda said: to.write(said, target)) if target.written else None
