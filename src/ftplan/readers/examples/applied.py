"""A recipe and a pool: the rows drawn, with the scores they are chosen by."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ftplan.apply import DrawnRows, Order, draw, eligible_rows
from ftplan.errors import InputError
from ftplan.measure import Measure
from ftplan.profile import Content
from ftplan.readers.examples import shapes
from ftplan.readers.examples.bm25 import similarity
from ftplan.readers.examples.pool import Opened, PoolRows, file_sha256, open_pool
from ftplan.readers.examples.rows import read_scores, texts_of
from ftplan.readers.examples.scan import Progress, scan

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scoring:
    """Where scores come from, as the command line says: a file or a column; target: examples to be like, for bm25."""

    scores: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Applied:
    """drawn: which rows; warnings: what is not as it was when the plan was made."""

    opened: Opened
    drawn: DrawnRows
    warnings: tuple[str, ...]


def opened_for(order: Order, paths: Sequence[str], tokenizer: str | None) -> Opened:
    """The pool, its lengths counted as the plan's pool was. Raises InputError."""
    measure = order.measure
    if measure is None:
        return open_pool(*paths, tokenizer=tokenizer)
    if measure.estimated:
        if tokenizer is not None:
            raise InputError(
                f"the plan was made from estimated lengths, so --tokenizer {tokenizer} would draw other examples",
                hint="profile the pool with the tokenizer and plan again",
            )
        return _opened(paths, measure, None)
    used = tokenizer or order.tokenizer
    if tokenizer is None and not Path(used).is_file():
        raise InputError(f"{used}: the tokenizer of the plan's pool is not there", hint="--tokenizer tokenizer.json")
    if file_sha256(used) != measure.tokenizer_sha256:
        raise InputError(f"{used} is not the tokenizer that the plan's pool was profiled with", hint="--tokenizer FILE")
    return _opened(paths, measure, used)


def _opened(paths: Sequence[str], measure: Measure, tokenizer: str | None) -> Opened:
    """The pool in the form and columns that the plan's pool was counted in; in its own where it has others."""
    if measure.columns and measure.shape in shapes.names():
        rows = PoolRows(measure.shape, {theirs: ours for ours, theirs in measure.columns.items()})
        with contextlib.suppress(InputError):
            return open_pool(*paths, tokenizer=tokenizer, turn_tokens=measure.turn_tokens, rows=rows)
    return open_pool(*paths, tokenizer=tokenizer, turn_tokens=measure.turn_tokens)


def applied(order: Order, opened: Opened, scoring: Scoring, jobs: int, progress: Progress) -> Applied:
    """The rows to train on. Raises InputError, and Infeasible where the pool has too few."""
    column = _column(order, scoring)
    content, lengths, scores = Content(), [], []
    for block in scan(opened.source, opened.reading(column), jobs, progress):
        content.add(block.sizes)
        lengths.append(block.lengths)
        scores.append(block.scores)
    every = np.concatenate(lengths)
    given = np.concatenate(scores) if column else _scores(order, opened, scoring, every, progress)
    return Applied(opened, draw(every, order.data, given), _changes(order, opened, content))


def _column(order: Order, scoring: Scoring) -> str:
    """The column that holds the scores, '' where they come from elsewhere. Raises InputError where they are needed."""
    wanted, method = order.data, order.method
    if wanted.recipe.sampling == "uniform":
        if scoring.scores is not None or scoring.target is not None:
            raise InputError(
                f"the plan draws at random: scores would change it ({method} selection)", hint="leave them out"
            )
        return ""
    if scoring.scores is not None and scoring.target is not None:
        raise InputError("--scores and --target are two answers to one question", hint="give one of them")
    if scoring.target is not None and method != "bm25":
        raise InputError(f"--target is for bm25, the plan selects by {method}", hint="--scores FILE|COLUMN")
    if scoring.scores is not None:
        return "" if Path(scoring.scores).is_file() else scoring.scores
    if method not in ("length", "bm25") or (method == "bm25" and scoring.target is None):
        also = "--target examples.jsonl, or " if method == "bm25" else ""
        raise InputError(
            f"the plan selects by {method}, which needs a score per row",
            hint=f"{also}--scores FILE|COLUMN: a number a line, or a column of the pool; more is better",
        )
    return ""


def _scores(
    order: Order, opened: Opened, scoring: Scoring, lengths: npt.NDArray[np.int32], progress: Progress
) -> Floats | None:
    """(n,) scores that are no column of the pool; None where the draw is random."""
    if order.data.recipe.sampling == "uniform":
        return None
    if scoring.scores is not None:
        return read_scores(scoring.scores, len(lengths))
    if scoring.target is None:  # longest first
        return np.minimum(lengths, order.data.recipe.cut_tokens).astype(np.float64)
    target = open_pool(scoring.target)
    rows = eligible_rows(lengths, order.data)
    out = np.full(len(lengths), -np.inf)
    out[rows] = similarity(
        texts_of(opened.source, opened.reading(), rows, progress),
        texts_of(target.source, target.reading(), None, lambda _: None),
    )
    return out


def _changes(order: Order, opened: Opened, content: Content) -> tuple[str, ...]:
    """What is no longer as it was when the plan was made."""
    measure = order.measure
    if measure is None:
        how = replace(opened.measure, shape="").how
        return (f"the plan's pool was a bare histogram, so nothing tells whether this is it; lengths: {how}",)
    out = []
    if measure.shape != opened.measure.shape:
        out.append(f"rows are {opened.measure.shape}, the plan's pool had {measure.shape}")
    if measure.content_sha256 and measure.content_sha256 != content.sha256:
        rows = (
            f"{content.rows:,} rows"
            if content.rows == measure.rows
            else f"{content.rows:,} rows, then {measure.rows:,}"
        )
        out.append(f"{opened.source.path} is not the pool that the plan was made from ({rows}; other texts)")
    return tuple(out)
