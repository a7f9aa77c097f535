"""`ftplan runs`: what ftplan reads from logs, as a run table."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import complete, options
from ftplan.errors import InputError

HELP = """Examples:

\b
  ftplan runs outputs/                 a row per run, from trainer_state.json
  ftplan runs wandb.csv -o runs.csv    W&B's runs as a table to edit and fit
  ftplan runs outputs/ evals/ --metric acc   lm-eval results joined by model
  ftplan runs outputs/ sizes.csv       add what logs lack, by a column run
  ftplan runs outputs/ --histories -o h.csv  a row per evaluation on the way

The finished runs in run tables and logs, as `fit` and `plan --runs` read them. Told by content: trainer_state.json and
all_results.json of Hugging Face trainers, W&B (table of runs, wandb-summary.json), MLflow (experiments csv), results
of lm-evaluation-harness, and CSV, TSV, JSONL, Parquet. A SOURCE is a file or a folder, searched to the bottom; several
are one table. How a log was read is said on stderr; --map, --metric and --by reach every column that was logged.
"""


def runs(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Logs, folders of logs, run tables.", autocompletion=complete.runs),
    ],
    metric: options.MetricName = None,
    direction: options.Direction = None,
    by: options.By = None,
    column_map: options.Map = None,
    form: options.Format = "table",
    histories: Annotated[
        bool, typer.Option("--histories", help="A row per evaluation, with the tokens and learning rates up to it.")
    ] = False,
    schedule: options.Schedule = None,
    warmup: options.WarmUp = None,
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, render, write."""
    from ftplan.cli.inputs import TableOptions, load_runs
    from ftplan.cli.output import check_target, deliver
    from ftplan.formats.documents.runs import document

    check_target(output)
    if histories:
        _histories(sources, metric, schedule, warmup, column_map, form, output, quiet=quiet)
        return
    if schedule is not None or warmup is not None:
        raise InputError("--schedule and --warmup are of runs on the way", hint="ftplan runs LOGS --histories")
    reading = TableOptions(metric, direction, by, options.parse_map(column_map or []))
    table = load_runs(*sources, reading=reading, quiet=quiet)
    deliver(document(table), form, output, quiet=quiet, artefact="csv")


def _histories(
    sources: list[str],
    metric: str | None,
    schedule: str | None,
    warmup: float | None,
    column_map: list[str] | None,
    form: str,
    output: str | None,
    *,
    quiet: bool,
) -> None:
    from ftplan.cli.output import deliver, remark
    from ftplan.formats.documents.histories import document
    from ftplan.readers.histories.steps import HistoryOptions
    from ftplan.readers.histories.table import read_histories

    asked = HistoryOptions(schedule or "", warmup, metric)
    table = read_histories(*sources, asked=asked, column_map=options.parse_map(column_map or []))
    for text in table.remarks:
        remark(f"note: {text}", quiet=quiet)
    deliver(document(table), form, output, quiet=quiet, artefact="csv")
