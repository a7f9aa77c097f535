"""Options that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from ftplan.cli import complete
from ftplan.errors import InputError, did_you_mean


def _known_format(name: str) -> str:
    names = complete.formats()
    if name not in names:
        raise InputError(f"unknown format {name!r}", hint=f"one of: {', '.join(names)}")
    return name


def _one_of(*words: str) -> Callable[[str | None], str | None]:
    """A check that an option is one of `words`, or was not given."""

    def check(word: str | None) -> str | None:
        if word is not None and word not in words:
            raise InputError(f"{word!r} is not one of {', '.join(words)}", hint=did_you_mean(word, words))
        return word

    return check


def parse_map(pairs: list[str], example: str = "--map n_docs=examples") -> dict[str, str]:
    """`theirs=ours` pairs -> {theirs: ours}. Raises InputError for anything else."""
    columns = {}
    for pair in pairs:
        # a foreign header may hold '=' itself, a canonical column never does
        theirs, equals, ours = pair.rpartition("=")
        if not (theirs and equals and ours):
            raise InputError(f"--map {pair!r} is not theirs=ours", hint=f"for example: {example}")
        columns[theirs] = ours
    return columns


def words(items: list[str] | None) -> tuple[str, ...]:
    """`--methods a,b --methods c` -> (a, b, c)."""
    return tuple(word.strip() for item in items or () for word in item.split(",") if word.strip())


def numbers(option: str, items: list[str] | None) -> tuple[float, ...]:
    """`--epochs 1,2 --epochs 3` -> (1.0, 2.0, 3.0). Raises InputError for anything but numbers above 0."""
    given = words(items)
    try:
        read = tuple(float(word) for word in given)
    except ValueError:
        read = (0.0,)
    if any(not number > 0.0 for number in read):
        raise InputError(f"{option} {','.join(given)!r} is not a list of numbers above 0", hint=f"{option} 1,2,3")
    return read


Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="|".join(complete.formats()),
        callback=_known_format,
        autocompletion=complete.formats,
        help="What to print on stdout.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help="Write the result here, complete or not at all; '-' is stdout."
    ),
]
PlotFile = Annotated[
    str | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw it into FILE.png or FILE.svg (extra ftplan[plot]); FILE.csv has the numbers.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No remarks on stderr; errors are still printed.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Same seed, same bytes.")]
Level = Annotated[
    float, typer.Option("--level", metavar="P", min=0.01, max=0.999, help="Probability of the intervals, 0 to 1.")
]
Laws = Annotated[
    list[str] | None,
    typer.Option(
        "--law",
        metavar="NAME",
        autocompletion=complete.laws,
        help="Law to fit, or auto for all that the runs allow; repeat for several. [default: auto]",
    ),
]
MetricName = Annotated[
    str | None, typer.Option("--metric", metavar="COLUMN", help="What runs are judged by, where there are several.")
]
Direction = Annotated[
    str | None,
    typer.Option(
        "--direction",
        metavar="min|max",
        callback=_one_of("min", "max"),
        autocompletion=lambda: ["min", "max"],
        help="Which way is better, where the name does not say.",
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="COLUMN", help="One fit per value of this column. [default: group, if any]"),
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="THEIRS=OURS", help="Read column THEIRS as the canonical column OURS; repeatable."),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        metavar="NAME",
        callback=_one_of("cosine", "linear", "constant", "warmup_stable_decay"),
        autocompletion=lambda: ["cosine", "linear", "constant", "warmup_stable_decay"],
        help="With --histories: the learning rate's schedule, where the log has no learning rates.",
    ),
]
WarmUp = Annotated[
    float | None,
    typer.Option("--warmup", metavar="SHARE", min=0.0, max=0.99, help="And its warm-up, as a share of the run."),
]
Objective = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="squares|huber",
        callback=_one_of("squares", "huber"),
        autocompletion=lambda: ["squares", "huber"],
        help="Squared errors, relative ones for a loss; or Huber on its logarithm.",
    ),
]
Draws = Annotated[int, typer.Option("--bootstrap", metavar="N", min=0, help="Bootstrap draws behind the intervals.")]
Share = Annotated[
    str | None,
    typer.Option(
        "--share", metavar="shape", callback=_one_of("shape"), help="One shape for all series, a level for each."
    ),
]

# what describes a planning problem, over what its file says
Problem = Annotated[
    str | None,
    typer.Argument(metavar="[PROBLEM]", help="TOML file, or a shipped problem.", autocompletion=complete.problems),
]
FitFile = Annotated[
    str | None,
    typer.Option(
        "--fit", metavar="FILE|LAW", autocompletion=complete.borrowed, help="Fit file, or a shipped law to borrow."
    ),
]
Runs = Annotated[
    str | None,
    typer.Option(
        "--runs", metavar="RUNS", autocompletion=complete.runs, help="Run table to fit on the spot, instead of --fit."
    ),
]
Series = Annotated[str | None, typer.Option("--series", metavar="KEY", help="Which series of the fit to plan for.")]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget", metavar="LIMIT", help="1e18flops, 64gpuh, 500usd, 8h (wall-clock), 20000examples; repeatable."
    ),
]
GpuName = Annotated[
    str | None,
    typer.Option("--gpu", metavar="NAME[:COUNT]", autocompletion=complete.gpus, help="GPU preset and count."),
]
Price = Annotated[
    float | None, typer.Option("--price", metavar="USD", min=0.0, help="USD per GPU-hour; shipped prices are dated.")
]
Mfu = Annotated[
    float | None, typer.Option("--mfu", metavar="X", min=0.001, max=1.0, help="Share of the GPU's peak that is used.")
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME|FILE",
        autocompletion=complete.models,
        help="Model to fine-tune: a preset, or a TOML file with the same keys.",
    ),
]
Tuning = Annotated[
    str | None,
    typer.Option(
        "--tuning", metavar="full|lora|qlora", autocompletion=lambda: ["full", "lora", "qlora"], help="What is trained."
    ),
]
LoraR = Annotated[int | None, typer.Option("--lora-r", metavar="R", min=1, help="Rank of the adapters.")]
PoolFile = Annotated[
    str | None,
    typer.Option(
        "--pool", metavar="POOL", help="File from: ftplan profile ROWS -o; a histogram CSV: tokens,examples; a problem."
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--methods", metavar="NAME,...", autocompletion=complete.methods, help="Selection methods to consider."
    ),
]
Epochs = Annotated[list[str] | None, typer.Option("--epochs", metavar="E,...", help="Epochs to consider.")]
AvgTokens = Annotated[
    float | None, typer.Option("--avg-tokens", metavar="L", min=1.0, help="Mean tokens per example, held fixed.")
]
MaxLength = Annotated[
    int | None, typer.Option("--max-length", metavar="S", min=1, help="Longer examples are cut to this many tokens.")
]
Packing = Annotated[
    bool | None, typer.Option("--packing/--no-packing", help="Several examples per sequence, or padding.")
]
Batch = Annotated[
    int | None,
    typer.Option("--batch", metavar="B", min=1, help="Examples (packed: sequences) per GPU and forward pass."),
]
Assume = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="NAME",
        autocompletion=complete.assumptions,
        help="Allow an assumption the runs do not back; repeatable.",
    ),
]
PlanSeed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Same seed, same bytes.")]

# where a law comes from that is planned with
LawOrProblem = Annotated[
    str,
    typer.Argument(
        metavar="FIT|LAW|PROBLEM",
        help="A fit file, a shipped law, or a problem with the law it names.",
        autocompletion=complete.laws_and_problems,
    ),
]
OtherProblem = Annotated[
    str | None,
    typer.Option(
        "--problem",
        metavar="PROBLEM",
        autocompletion=complete.problems,
        help="What to plan with a FIT or LAW: pool, model, costs.",
    ),
]

# a sweep of budgets
From = Annotated[
    str | None, typer.Option("--from", metavar="LIMIT", help="Lowest budget. [default: a tenth of the problem's]")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="LIMIT", help="Highest budget. [default: ten times the problem's]")
]
Steps = Annotated[int, typer.Option("--steps", metavar="K", min=2, max=200, help="Budgets, evenly spaced in log.")]
