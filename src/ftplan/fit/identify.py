"""What the runs can tell apart, in words: a plan varies only that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.result import Identified
from ftplan.laws.parts import Floats, Rows
from ftplan.laws.terms import selection

#: lengths closer than this factor are one length: seeds of one design point differ by up to 15 %
LENGTH_STEP = 1.5
LENGTHS_NEEDED = 3
#: |correlation| of ln N and ln L above which their effects cannot be told apart (variance inflation above 10)
COLLINEAR = 0.95
SIZES_NEEDED = 3


def spread_levels(values: Floats, step: float) -> int:
    """How many values can be picked that are each at least `step` times the one before."""
    count, last = 0, 0.0
    for value in np.sort(values[np.isfinite(values) & (values > 0.0)]):
        if value >= step * last * (1.0 - 1e-9):
            count, last = count + 1, float(value)
    return count


def varies_length(data: Data) -> tuple[bool, str]:
    """Whether the design, whatever the outcome, lets N and L be told apart; and the reason."""
    lengths = data.table.avg_tokens
    if not np.isfinite(lengths).any():
        return False, "the table gives no lengths"
    levels = spread_levels(lengths, LENGTH_STEP)
    if levels < LENGTHS_NEEDED:
        return False, f"{levels} distinct length{'s' if levels != 1 else ''} (at least {LENGTH_STEP:g}x apart); needs 3"
    n, length = np.log(data.table.examples), np.log(lengths)
    if np.ptp(n) == 0.0:
        return False, "every run has the same number of examples"
    together = float(np.corrcoef(n, length)[0, 1])
    if abs(together) > COLLINEAR:
        return False, f"examples and length move together (correlation {together:.2f})"
    return True, f"{levels} distinct lengths"


def identify(data: Data, length_supported: bool, length_why: str) -> Identified:
    """The record for one series. `length_supported`: the outcome of the nested tests on length terms."""
    table = data.table
    designed, why_length = varies_length(data)
    sizes = len(set(table.model_params[np.isfinite(table.model_params)].tolist()))
    epochs = sorted(set(table.epochs[np.isfinite(table.epochs)].tolist()))
    what = {
        "avg_tokens": designed and length_supported,
        "model_params": sizes >= SIZES_NEEDED,
        "epochs": len(epochs) > 1,
        "selector_params": bool(data.refs.varied_selectors),
    }
    why = {
        "avg_tokens": why_length if not designed else length_why,
        "model_params": f"{sizes} model size{'s' if sizes != 1 else ''}" + ("" if sizes >= 3 else "; needs 3"),
        "epochs": f"epochs {', '.join(f'{e:g}' for e in epochs)}" + ("" if len(epochs) > 1 else " only"),
        "selector_params": f"selector size varies for {', '.join(data.refs.varied_selectors)}"
        if data.refs.varied_selectors
        else "no method was run with two selector sizes",
    }
    for name in data.refs.methods[1:]:
        what[f"method:{name}"], why[f"method:{name}"] = tells_method(data, name)
    return Identified(what, why)


def tells_method(data: Data, name: str) -> tuple[bool, str]:
    """Whether kap can be told, and why: it needs rows of the method and of random at several fractions of the pool."""
    rows, index = stated(data), data.refs.methods.index(name)
    for kind, which in ((name, index), ("random", 0)):
        count = len(selection.fractions(rows, which))
        if count < 2:
            return False, f"{kind} was run at {count} fraction{'s' if count != 1 else ''} of the pool"
    return True, "run beside random at several fractions"


def stated(data: Data) -> Rows:
    """Features of the rows, NaN where the table does not say."""
    rows, table = data.rows, data.table

    def known(values: Floats, column: Floats) -> Floats:
        return np.where(np.isfinite(column), values, np.nan)

    return replace(
        rows,
        x=known(rows.x, table.avg_tokens),
        m=known(rows.m, table.model_params),
        s=known(rows.s, table.selector_params),
        ln_pool=known(rows.ln_pool, table.pool_examples),
        repeats=known(rows.repeats, table.epochs),
    )
