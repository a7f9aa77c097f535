"""The runs to simulate: a CSV of planned runs, or lists of values on the command line, every combination one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.errors import InputError
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit
from ftplan.readers.planned import read_planned
from ftplan.runs import RunTable
from ftplan.simulate.synthetic import RunGrid, grid
from ftplan.units import parse_count

#: amounts of data and lengths where none are given, evenly over what the law was measured on; without lengths, the
#: amounts alone
AMOUNTS, LENGTHS, AMOUNTS_ALONE = 4, 3, 8


@dataclass(frozen=True)
class Wanted:
    """What the command line says, '' or () where it says nothing. design: a file; seeds: runs of each kind."""

    design: str = ""
    tokens: tuple[str, ...] = ()
    lengths: tuple[str, ...] = ()
    fractions: tuple[str, ...] = ()
    pool_examples: str = ""
    model_params: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    seeds: int = 1


def designs(wanted: Wanted, fit: Fit, models: Sequence[Predictor]) -> Iterator[tuple[Predictor, RunTable]]:
    """Each model (one a series) with the runs to simulate for it. Raises InputError."""
    if wanted.design:
        lists = (wanted.tokens, wanted.lengths, wanted.fractions, wanted.model_params, wanted.methods)
        if any(lists) or wanted.pool_examples:
            raise InputError(
                "--design says which runs to simulate, and so does a list of values", hint="give one of them"
            )
        planned = read_planned(wanted.design, fit, {}).table
        for model in models:
            own = np.array([key == model.key for key in planned.group])
            if own.any():
                yield model, planned.subset(own)
        return
    for model in models:
        for group, sizes in _groups(fit, model):
            yield model, grid(replace(_grid(wanted, model, sizes), groups=(group,)), fit.metric)


def _groups(fit: Fit, model: Predictor) -> list[tuple[str, tuple[float, ...]]]:
    """The groups of a series, each with the model sizes it was measured with."""
    if fit.runs is None:
        low, high = model.ranges.get("model_params", (np.nan, np.nan))
        return [("", (low,) if low == high else ())]
    out = []
    for group in model.refs.levels:
        own = fit.runs.model_params[np.array([g == group for g in fit.runs.group])]
        out.append((group, tuple(sorted(set(own[np.isfinite(own)].tolist())))))
    return out


def _grid(wanted: Wanted, model: Predictor, sizes: tuple[float, ...]) -> RunGrid:
    """The values asked for, and where nothing is said those that spread over what the law was measured on."""
    tokens, fractions = _numbers("--tokens", wanted.tokens), _numbers("--fractions", wanted.fractions)
    lengths = _numbers("--lengths", wanted.lengths)
    if tokens and fractions:
        raise InputError("--tokens and --fractions both say how much data a run sees", hint="give one of them")
    if any(fraction > 1.0 for fraction in fractions):
        raise InputError(f"--fractions {max(fractions):g} is above 1, the whole pool")
    if wanted.model_params and "model_params" not in model.ranges:
        raise InputError("--model-params: the law was measured without model sizes, and says nothing of them")
    asked_sizes = _numbers("--model-params", wanted.model_params)
    lowest, highest = model.ranges.get("avg_tokens", (np.nan, np.nan))
    known = bool(np.isfinite(lowest))
    if lengths and not known:
        raise InputError("--lengths: the law was measured without lengths, and says nothing of them")
    if known and not lengths:
        lengths = _spread(lowest, highest, LENGTHS) if model.inside.law.has("composition") else (model.refs.L,)
        # a borrowed law without a length term has its reference at 1 token
        lengths = lengths if lengths[0] > 1.0 else (float(f"{np.sqrt(lowest * highest):.3g}"),)
    if not tokens and not fractions:
        amounts = _spread(*model.ranges["tokens"], AMOUNTS if len(lengths) > 1 else AMOUNTS_ALONE)
        tokens = amounts if model.refs.counts == "tokens" else ()
        fractions = () if tokens else tuple(a / model.ranges["tokens"][1] for a in amounts)
    pool = _pool(wanted, model) if fractions or wanted.methods else np.nan
    return RunGrid(
        tokens=tokens,
        fractions=fractions,
        pool_examples=pool,
        lengths=lengths if known else (),
        model_params=asked_sizes or sizes,
        methods=wanted.methods,
        seeds=wanted.seeds,
    )


def _pool(wanted: Wanted, model: Predictor) -> float:
    """P_e: the one given, else the largest run that the law was measured on."""
    if wanted.pool_examples:
        return _numbers("--pool-examples", (wanted.pool_examples,))[0]
    if "examples" not in model.ranges:
        raise InputError("nothing says how many examples there are to choose from", hint="--pool-examples 100k")
    return model.ranges["examples"][1]


def _spread(low: float, high: float, count: int) -> tuple[float, ...]:
    """Three significant digits each, evenly in the logarithm."""
    return tuple(dict.fromkeys(float(f"{v:.3g}") for v in np.geomspace(low, high, count)))


def _numbers(option: str, words: Sequence[str]) -> tuple[float, ...]:
    try:
        out = tuple(parse_count(word) for word in words)
    except ValueError:
        out = (0.0,)
    if any(not value > 0.0 for value in out):
        raise InputError(f"{option} {','.join(words)!r} is not a list of numbers above 0", hint=f"{option} 4k,16k,64k")
    return out
