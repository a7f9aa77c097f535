"""`ftplan profile`: how long the examples of a pool are."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ftplan.cli import complete, options

HELP = """Examples:

\b
  ftplan profile pool.jsonl -o pool.yaml
  ftplan profile pool.jsonl --tokenizer tokenizer.json -o pool.yaml
  ftplan plan quickstart --pool pool.yaml -o plan.yaml
  ftplan profile pool.parquet --max-length 2048
  ftplan profile pool.csv --map frage=prompt --map antwort=completion

How long the examples of POOL are, in tokens, and how many repeat another, are empty, or are longer than a limit. Reads
JSONL, JSON, CSV, TSV, Parquet or Arrow of any size, compressed too, several files or a folder of them: OpenAI messages,
ShareGPT, Alpaca and its kin (query and response, question and answer, Dolly), prompt and completion, preference pairs,
or text. What a row holds beside that is named, and not counted. Without a tokenizer lengths are estimated from their
bytes, within about 20 %, and plans say what that does to them.
"""

Tokenizer = Annotated[
    str | None,
    typer.Option("--tokenizer", metavar="FILE", help="The model's tokenizer.json: exact lengths. [default: estimated]"),
]
Jobs = Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes. [default: one per core]")]


def profile(
    pool: Annotated[
        list[str],
        typer.Argument(
            metavar="POOL...", help="Training examples: JSONL, JSON, CSV, Parquet, compressed too; folders."
        ),
    ],
    tokenizer: Tokenizer = None,
    column_map: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="THEIRS=OURS", help="Read column THEIRS as prompt, completion, ...; repeatable."),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            "--shape",
            metavar="FORM",
            autocompletion=complete.shapes,
            help="Which form to count, where rows have several.",
        ),
    ] = None,
    turn_tokens: Annotated[
        int | None,
        typer.Option(
            "--turn-tokens",
            metavar="N",
            min=0,
            help="Tokens the chat template adds per turn. [default: 5, as ChatML and Llama 3]",
        ),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option("--max-length", metavar="S", min=1, help="Count the examples of more tokens.")
    ] = None,
    jobs: Jobs = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, count, render, write."""
    from ftplan.cli.files import protect
    from ftplan.cli.output import check_target, deliver, reading_progress
    from ftplan.formats.documents.profile import document
    from ftplan.readers.examples.pool import PoolRows, open_pool, profiled

    check_target(output)
    rows = PoolRows(shape or "", options.parse_map(column_map or [], "--map query=prompt"))
    opened = open_pool(*pool, tokenizer=tokenizer, turn_tokens=turn_tokens, rows=rows)
    protect(*(file.path for file in opened.source.files))
    with reading_progress(opened.source.path, opened.source.size, quiet=quiet) as show:
        found = profiled(opened, jobs or cores(), show)
    if tokenizer is not None:
        found = replace(found, measure=replace(found.measure, tokenizer=beside(tokenizer, output)))
    files = tuple(beside(part.path, output) for part in opened.source.files)
    shown = document(found, beside(pool[0], output), opened.source.size, max_length, files if len(files) > 1 else ())
    deliver(shown, form, output, quiet=quiet)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def beside(path: str, output: str | None) -> str:
    """How a file written to `output` names another: relative to the folder that it lies in."""
    folder = Path(output).parent if output not in (None, "-") else Path()
    return Path(os.path.relpath(path, folder)).as_posix()
