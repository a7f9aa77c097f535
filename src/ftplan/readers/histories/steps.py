"""A history -> its evaluations, each with what the run had seen by then, counted step by step.

S, the rate-weighted tokens, is the sum over the steps so far of their tokens times their learning rate over the run's
peak (laws.annealed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, isfinite

import numpy as np

from ftplan.histories import Cell
from ftplan.readers.histories import History, Row
from ftplan.readers.histories.logged import EPOCHS, MAY_BE_PADDED, RATES, last_attempts, series, tokens
from ftplan.readers.histories.rates import NAMES, Floats, Rates, logged, named
from ftplan.readers.logs import facts as found_in
from ftplan.readers.logs.facts import is_metric
from ftplan.readers.logs.trainer import is_of
from ftplan.readers.logs.values import number

#: a step counter beyond this is no counter of steps
_MOST_STEPS = 10_000_000
#: of a step, where epochs are written with some digits
_ROUNDED = 0.01
#: what is said of examples that were found in the end of a log
_OF_EXAMPLES = {found_in.SPEED, found_in.PACKED, found_in.BLOCKS, found_in.MAYBE_PACKS, found_in.STREAM}

PADDED = (
    "tokens are num_input_tokens_seen, which counts padding too where the trainer was not told to leave it out "
    "(include_num_input_tokens_seen: non_padding)"
)
NO_EPOCHS = "no epochs in the log: counted as 1 epoch"
GIVEN_LENGTH = "tokens are examples x avg_tokens, as given"
AS_ASKED = "no learning rates in the log, or too few: those of its {} schedule with a warm-up of {:.3g} of the run"
NOT_ASKED = "--schedule is not used where the log has learning rates of its own"
OPEN = (
    "no learning rate was logged in the first steps, so a warm-up was not seen: taken as none; --warmup SHARE says it"
)
NOT_NUMBERS = "an evaluation that is not a number was left out"


@dataclass(frozen=True)
class HistoryOptions:
    """What a person says where the log does not. schedule: a name of `laws.schedules`; warmup: share of the run."""

    schedule: str = ""
    warmup: float | None = None
    metric: str | None = None


@dataclass(frozen=True)
class CountedEvaluations:
    """rows: {column: cell} in canonical columns and metrics; lacks: what the log does not say, '' where nothing."""

    rows: tuple[dict[str, Cell], ...]
    metrics: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    lacks: str = ""


@dataclass
class _Seen:
    """Of every step up to the last: tokens so far, epochs so far, rates."""

    tokens: Floats
    epochs: Floats
    examples: float | None
    rates: Rates | None
    told: list[str] = field(default_factory=list)


def evaluations(history: History, asked: HistoryOptions, facts: Mapping[str, str] | None = None) -> CountedEvaluations:
    """Every evaluation of a run, in order. facts: what a person says of it beside the log."""
    known = {**history.facts, **(facts or {})}
    rows = [row for row in last_attempts(history.rows) if 0.0 <= row.step <= _MOST_STEPS]
    judged, told = _judged(rows, asked.metric)
    if not judged:
        return CountedEvaluations((), told=(*history.told, *told), lacks="metric")
    seen = _seen(rows, known, asked, ahead=history.ahead)
    if seen is None:
        return CountedEvaluations((), told=history.told, lacks="tokens")
    if seen.rates is None:
        return CountedEvaluations((), told=history.told, lacks="rate")
    shares = seen.rates.shares
    weighted = np.concatenate([[0.0], np.cumsum(np.diff(seen.tokens) * shares[:-1])])
    settings = _settings(seen, known, history)
    out: list[dict[str, Cell]] = []
    for step, values in judged.items():
        passed = float(_at(seen.epochs, step))
        line: dict[str, Cell] = {"run": history.name}
        if seen.examples is not None or step == 0.0:
            line["examples"] = round((seen.examples or 0.0) * min(passed, 1.0))
        line["tokens_seen"] = _round(float(_at(seen.tokens, step)))
        line["epochs"] = round(max(passed, 1.0), 4)
        line["rate"] = round(float(_at(shares, step)), 6) if step else 0
        line["rate_tokens"] = round(float(_at(weighted, step)), 1)
        out.append({**line, **settings, **values})
    metrics = tuple(dict.fromkeys(name for values in judged.values() for name in values))
    return CountedEvaluations(tuple(out), metrics, (*history.told, *told, *seen.told))


def _judged(rows: list[Row], metric: str | None) -> tuple[dict[float, dict[str, float]], list[str]]:
    """{step: {metric: value}}; of several evaluations at a step the last, but for that of an earlier checkpoint."""
    found: dict[float, dict[str, float]] = {}
    told: list[str] = []
    ended = False
    for row in rows:
        ended |= "train_loss" in row.values
        values = {n: v for n, v in row.values.items() if (is_metric(n) and n[:6] != "train_") or n == metric}
        judged = {n: v for n, v in values.items() if isfinite(v) and metric in (None, n)}
        told += [NOT_NUMBERS] * (len(values) > len(judged) == 0 and metric is None and NOT_NUMBERS not in told)
        last = found.get(row.step, {})
        again = ended and last and any(is_of(judged, old, last) for at, old in found.items() if at < row.step)
        if judged and not again:
            found[row.step] = last | judged
    return dict(sorted(found.items())), told


def _seen(rows: list[Row], facts: Mapping[str, str], asked: HistoryOptions, *, ahead: bool) -> _Seen | None:
    """None where nothing tells how many tokens were seen."""
    last = max(row.step for row in rows)
    steps = max(ceil(last), 1)
    grid = np.arange(steps + 1.0)
    told: list[str] = []
    passed = series(rows, *EPOCHS)
    epochs = _line(passed, grid)
    ended = {**_at_the_end(rows), **facts, **({"epoch": repr(passed[-1][1])} if passed else {})}
    planned = {} if number(ended, "max_steps") else {"max_steps": ended["global_step"]}
    cells, said = found_in.cells({**ended, **planned} if ended.get("train_runtime") else ended)
    examples = number(facts, "examples") or number(cells, "examples")
    told += [text for text in said if text in _OF_EXAMPLES and not number(facts, "examples")]
    if not passed:
        told.append(NO_EPOCHS)
        epochs = grid / max(number(facts, "max_steps") or 0.0, steps)
    count, name = tokens(rows)
    padded = name == MAY_BE_PADDED and facts.get("include_num_input_tokens_seen") != "non_padding"
    told += [PADDED] * padded
    so_far = _line(count, grid)
    if not count:
        each = number(facts, "avg_tokens")
        if each is None or examples is None:
            return None
        told.append(GIVEN_LENGTH)
        so_far = examples * each * epochs
    rates = _rates(rows, facts, asked, steps, told, ahead=ahead)
    return _Seen(so_far, epochs, examples, rates, told)


def _at_the_end(rows: list[Row]) -> dict[str, str]:
    """What the row that ends a training says, under the names of a run's facts."""
    found = {name: repr(v[-1][1]) for name in found_in.CLOSING if (v := series(rows, name))}
    return found | {"global_step": f"{max(row.step for row in rows):g}"}


def _rates(
    rows: list[Row], facts: Mapping[str, str], asked: HistoryOptions, steps: int, told: list[str], *, ahead: bool
) -> Rates | None:
    total = number(facts, "max_steps", "total_steps") or _planned(rows, facts)
    total = total if total >= steps else float(steps)
    peak = number(facts, *RATES)
    name = NAMES.get(facts.get("lr_scheduler_type", "") or facts.get("schedule", ""), "")
    own = [(step, rate) for step, rate in series(rows, *RATES) if step > 0.0]
    if own:
        said = (name, _warm_up(facts, total)) if name else None
        at, rates = zip(*own, strict=True)
        if (found := logged(at, rates, total, steps, peak=peak, said=said, ahead=ahead)) is not None:
            if found.open and asked.warmup is not None:
                return named(found.schedule, asked.warmup, total, steps, found.peak)
            told += [NOT_ASKED] * bool(asked.schedule) + [OPEN] * found.open
            return found
    name = asked.schedule or name
    if not name:
        return None
    warm = asked.warmup if asked.warmup is not None else _warm_up(facts, total)
    told.append(AS_ASKED.format(name, warm))
    return named(name, warm, total, steps, peak)


def _planned(rows: list[Row], facts: Mapping[str, str]) -> float:
    """Steps of a run that was told its epochs, by how many it took for those behind it; 0 where nothing tells."""
    passed = [(step, epoch) for step, epoch in series(rows, *EPOCHS) if epoch > 0.0]
    asked = number(facts, "num_train_epochs")
    return float(ceil(passed[-1][0] / passed[-1][1] * asked - _ROUNDED)) if passed and asked else 0.0


def _warm_up(facts: Mapping[str, str], total: float) -> float:
    """Share of the run, from the settings: a number of steps, or a share."""
    found = number(facts, "warmup_steps") or number(facts, "warmup_ratio", "warmup") or 0.0
    return min(found if found < 1.0 else found / total, 1.0 - 1.0 / max(total, 1.0))


def _settings(seen: _Seen, facts: Mapping[str, str], history: History) -> dict[str, Cell]:
    """What stays through a run and bends its curve, as far as the log tells."""
    rates = seen.rates
    out: dict[str, Cell] = {}
    if rates is not None and rates.schedule and rates.warmup is not None:
        out |= {"schedule": rates.schedule, "warmup": round(rates.warmup, 6)}
    if rates is not None and rates.peak:
        out["peak_rate"] = float(f"{rates.peak:.6g}")
    steps = max((row.step for row in history.rows), default=0.0)
    if steps >= 1.0:
        out["batch_tokens"] = round(float(_at(seen.tokens, steps)) / steps)
    if size := number(facts, "model_num_parameters", "model_params"):
        out["model_params"] = _round(size)
    if facts.get("seed", "").isdecimal():
        out["seed"] = int(facts["seed"])
    return out


def _line(points: list[tuple[float, float]], grid: Floats) -> Floats:
    """A running count at every step: from 0, straight between what was logged, and on at the mean pace beyond it."""
    ends: dict[float, float] = {0.0: 0.0}
    for step, value in points:
        ends[step] = max(value, ends.get(step, 0.0))
    x, y = np.array(sorted(ends)), np.array([ends[step] for step in sorted(ends)])
    y = np.maximum.accumulate(y)
    pace = y[-1] / x[-1] if x[-1] else 0.0
    return np.asarray(np.interp(grid, x, y) + pace * np.maximum(grid - x[-1], 0.0))


def _at(values: Floats, step: float) -> float:
    return float(np.interp(step, np.arange(len(values)), values))


def _round(value: float) -> Cell:
    return int(value) if float(value).is_integer() else round(value, 1)
