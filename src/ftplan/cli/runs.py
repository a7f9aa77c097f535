"""`ftplan runs`: what ftplan reads from logs, as a run table."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import complete, options

HELP = """Examples:

\b
  ftplan runs outputs/                 a row per run, from trainer_state.json
  ftplan runs wandb.csv -o runs.csv    W&B's runs as a table to edit and fit
  ftplan runs outputs/ evals/ --metric acc   lm-eval results joined by model
  ftplan runs outputs/ sizes.csv       add what logs lack, by a column run

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
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, render, write."""
    from ftplan.cli.inputs import Reading, load_runs
    from ftplan.cli.output import check_target, deliver
    from ftplan.formats.documents.runs import document

    check_target(output)
    reading = Reading(metric, direction, by, options.parse_map(column_map or []))
    table = load_runs(*sources, reading=reading, quiet=quiet)
    deliver(document(table), form, output, quiet=quiet, artefact="csv")
