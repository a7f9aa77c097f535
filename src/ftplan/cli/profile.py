"""`ftplan profile`: how long the examples of a pool are."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ftplan.cli import options

HELP = """Examples:

\b
  ftplan profile pool.jsonl -o pool.yaml
  ftplan profile pool.jsonl --tokenizer tokenizer.json -o pool.yaml
  ftplan plan quickstart --pool pool.yaml -o plan.yaml
  ftplan profile pool.parquet --max-length 2048

How long the examples of POOL are, in tokens, and how many repeat another, are empty, or are longer than a limit. Reads
JSONL, a JSON array or Parquet, .gz too, of any size: OpenAI messages, ShareGPT, Alpaca, prompt and completion, or text.
Without a tokenizer lengths are estimated from their bytes, within about 20 %, and plans say what that does to them.
"""

Tokenizer = Annotated[
    str | None,
    typer.Option("--tokenizer", metavar="FILE", help="The model's tokenizer.json: exact lengths. [default: estimated]"),
]
Jobs = Annotated[int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes. [default: one per core]")]


def profile(
    pool: Annotated[str, typer.Argument(metavar="POOL", help="Training examples: JSONL, JSON or Parquet, .gz too.")],
    tokenizer: Tokenizer = None,
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
    from ftplan.cli.output import check_target, deliver
    from ftplan.cli.reading import reading_bar
    from ftplan.formats.documents.profile import document
    from ftplan.readers.examples.pool import open_pool, profiled

    check_target(output)
    opened = open_pool(pool, tokenizer, turn_tokens)
    with reading_bar(pool, opened.source.size, quiet=quiet) as show:
        found = profiled(opened, jobs or cores(), show)
    if tokenizer is not None:
        found = replace(found, measure=replace(found.measure, tokenizer=beside(tokenizer, output)))
    shown = document(found, beside(pool, output), opened.source.size, max_length)
    deliver(shown, form, output, quiet=quiet)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def beside(path: str, output: str | None) -> str:
    """How a file written to `output` names another: relative to the folder that it lies in."""
    folder = Path(output).parent if output not in (None, "-") else Path()
    return Path(os.path.relpath(path, folder)).as_posix()
