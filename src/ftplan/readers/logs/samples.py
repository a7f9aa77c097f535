"""How many examples a run of Hugging Face's Trainer had, from the speed in its closing row.

Read in `Trainer.set_initial_training_values` and `_finalize_training` (transformers 5.24), and checked on its runs:
the samples behind the speed are those that were planned, N x the epochs asked for (1.5), while `epoch` is what was
reached (1.8: epochs are rounded up to whole steps, and an incomplete accumulation is a step). The one does not divide
the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ftplan.readers.logs.values import number

#: the speeds are written with three decimals, and the runtime with four
_ROUNDED = 0.0006
#: from this error on nothing tells whether a number of examples is whole
_TELLS = 0.3
#: a count of examples this near to a whole number is one, where the speed is exact enough
_WHOLE = 0.02
#: what the rounding of `epoch` may hide: to two decimals in old logs, else as exact as a float
_EPOCH_ERROR, _EPOCH_EXACT = 0.006, 1e-6
#: no counter of a real run is larger
_LARGEST = 1e12
#: epochs are asked for with so many decimals at most
_DECIMALS = (1, 2, 10, 4, 100)
#: an epoch counter this near to a whole number means it: old trainers leave out the last, incomplete step
NEAR_WHOLE = 0.05


@dataclass(frozen=True)
class _Speed:
    """per_step: samples a step, as planned; error: relative; done, planned: steps; epoch: what was reached."""

    per_step: float
    error: float
    done: float
    planned: float
    epoch: float


def examples(facts: Mapping[str, str], passed: float) -> float | None:
    """N, all examples of the data, of which a run of less than one epoch saw a part; None where nothing tells.

    passed: epochs, by which what was seen is divided where the counters alone do not tell.
    """
    speed, seen = _speed(facts), samples_seen(facts)
    if speed is not None and abs(speed.epoch - passed) <= NEAR_WHOLE:
        exact = len(facts.get("epoch", "").partition(".")[2]) > 2
        for slack in (_EPOCH_EXACT,) if exact else (_EPOCH_EXACT, _EPOCH_ERROR):
            steps = _steps_per_epoch(speed, slack)
            found = steps and _solved(speed, steps, _asked(facts), number(facts, "train_batch_size"))
            if found is not None:
                return found
    return None if seen is None or not math.isfinite(seen / passed) else seen / passed


def samples_seen(facts: Mapping[str, str]) -> float | None:
    """Samples over all epochs, as planned up to the last step: exact to the three decimals of the speed.

    Old trainers divide the samples and steps that were planned by the runtime, new ones those of the last call (after
    a resume, not all). Samples per step are right in both, so the steps behind the speed are found first.
    """
    seconds, speed = number(facts, "train_runtime"), number(facts, "train_samples_per_second")
    if seconds is None or speed is None:
        return None
    samples, rate = speed * seconds, number(facts, "train_steps_per_second")
    done, planned = number(facts, "global_step"), number(facts, "max_steps")
    if done is None or rate is None:
        # MLflow keeps no count of steps; a run that stopped early may have logged what it planned
        asked, passed = number(facts, "num_train_epochs"), number(facts, "epoch")
        stopped = asked is not None and passed is not None and passed < (1.0 - NEAR_WHOLE) * asked and planned is None
        return None if stopped else samples
    return samples * done / _behind(rate * seconds, seconds, done, planned)


def _behind(counted: float, seconds: float, *known: float | None) -> float:
    """The steps that a speed was divided by: a known count that fits, else the rate times the time."""
    slack = _ROUNDED * seconds + 0.5
    return next((steps for steps in known if steps and abs(steps - counted) <= slack), counted)


def _speed(facts: Mapping[str, str]) -> _Speed | None:
    names = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "epoch")
    seconds, speed, rate, epoch = (number(facts, name) for name in names)
    if not (seconds and speed and rate and epoch) or max(seconds, speed, rate, epoch) > _LARGEST:
        return None
    counted, planned = rate * seconds, number(facts, "max_steps")
    done = number(facts, "global_step")
    if done is None and abs(counted - round(counted)) < _TELLS > _ROUNDED * seconds:
        done = float(max(round(counted), 1))  # MLflow keeps no count of steps
    if done is None or max(done, planned or done) > _LARGEST:
        return None
    behind = _behind(counted, seconds, done, planned)
    error = _ROUNDED / speed + (_ROUNDED / rate if behind == counted else 0.0) + 0.1 * _ROUNDED / seconds
    return _Speed(speed * seconds / behind, error, done, planned or done, epoch)


def _asked(facts: Mapping[str, str]) -> float | None:
    """Epochs as they were asked for: of the arguments, which a tracker keeps; a trainer's state rounds them up."""
    if not facts.get("per_device_train_batch_size") or number(facts, "max_steps"):
        return None
    return number(facts, "num_train_epochs")


def _steps_per_epoch(speed: _Speed, slack: float) -> tuple[int, float] | None:
    """Steps of a whole epoch and the share of one in a full step, from where the counters ended: 3 steps, epoch 1.8."""
    steps, epoch = speed.done, speed.epoch
    whole = math.floor(epoch + slack)
    if whole and abs(epoch - whole) <= slack:
        each = steps / whole
        return (round(each), 1.0 / each) if each.is_integer() else None
    if not whole:
        return math.ceil(steps / epoch * (1.0 - slack / epoch)), epoch / steps
    for each in range(max(math.floor(steps / (whole + 1)), 1), math.ceil(steps / whole) + 1):
        rest = steps - whole * each
        if rest >= 1.0:
            share = (epoch - whole) / rest
            if share > slack and math.ceil((1.0 - slack / (epoch - whole)) / share) == each:
                return each, share
    return None


def _solved(speed: _Speed, steps: tuple[int, float], asked: float | None, batch: float | None) -> float | None:
    """N for which all counters of the closing row agree, with the roundest number of epochs asked for."""
    each, share = steps
    if asked is not None:
        return speed.per_step * math.ceil(asked * each - 1e-9) / asked
    total = speed.per_step * speed.planned
    per_step = speed.per_step / batch if batch else math.nan
    error = speed.error * per_step
    by_steps = error < _TELLS and round(per_step) >= 1 and abs(per_step - round(per_step)) <= error + 1e-9
    for decimals in _DECIMALS:
        # max_steps was given: whole batches a step, of which an epoch has 1 / share
        if decimals > 2 and by_steps:
            return speed.per_step / share
        for epochs in _between((speed.planned - 1.0) / each, speed.planned / each, decimals):
            N = total / epochs
            if _is_whole(N, speed.error * N) and _fits(N, each, share, batch):
                return N
    return None


def _between(low: float, high: float, parts: int) -> Iterator[float]:
    """Multiples of 1/parts in (low, high], the largest first."""
    for count in range(math.floor(high * parts + 1e-9), math.floor(low * parts + 1e-9), -1):
        yield count / parts


def _is_whole(value: float, error: float) -> bool:
    return value >= 0.5 and (error >= _TELLS or abs(value - round(value)) <= max(error, _WHOLE))


def _fits(N: float, each: int, share: float, batch: float | None) -> bool:
    """Whether N examples make batches of which a full step takes `share` of an epoch in `each` steps.

    A full step takes `taken` of all batches, on any number of devices; their number follows from N.
    """
    if batch is None or share >= 1.0 - _EPOCH_ERROR:
        return True
    batches = math.ceil(round(N) / batch)
    for devices in range(1, 65):
        count = math.ceil(batches / devices)
        taken = share * count
        if taken < 0.5:
            break
        if (
            abs(taken - round(taken)) <= max(_EPOCH_ERROR * count * share, 0.01)
            and math.ceil(count / round(taken)) == each
        ):
            return True
    return False
