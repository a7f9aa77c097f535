"""Options that several commands share, each written once."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated

import typer

from ftplan.cli import complete
from ftplan.errors import InputError


def _known_format(name: str) -> str:
    names = complete.formats()
    if name not in names:
        raise InputError(f"unknown format {name!r}", hint=f"one of: {', '.join(names)}")
    return name


def _one_of(*words: str) -> Callable[[str | None], str | None]:
    """A check that an option is one of `words`, or was not given."""

    def check(word: str | None) -> str | None:
        if word is not None and word not in words:
            raise InputError(f"{word!r} is not one of {', '.join(words)}", hint=_nearest(word, words))
        return word

    return check


def _nearest(word: str, words: tuple[str, ...]) -> str | None:
    close = get_close_matches(word, words, n=1)
    return f"did you mean {close[0]}?" if close else None


def parse_map(pairs: list[str]) -> dict[str, str]:
    """`theirs=ours` pairs -> {theirs: ours}. Raises InputError for anything else."""
    columns = {}
    for pair in pairs:
        # a foreign header may hold '=' itself, a canonical column never does
        theirs, equals, ours = pair.rpartition("=")
        if not (theirs and equals and ours):
            raise InputError(f"--map {pair!r} is not theirs=ours", hint="for example: --map n_docs=examples")
        columns[theirs] = ours
    return columns


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
