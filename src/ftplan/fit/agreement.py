"""Whether loss tells score: how two metrics of the same runs rank them.

What is planned on is what gets better. On 20 tables of 3B to 7B fine-tunes the rank correlation of -loss and score had
a median of 0.27 and reached from -0.85 to 0.81 (`benchmarks/targeted.py`): it has to be looked at, table by table.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from ftplan.fit.result import Agreement
from ftplan.laws.parts import Floats
from ftplan.runs import RunTable

#: one metric tells the other where the whole interval of their rank correlation is above this: from there on the better
#: of two kinds of runs by one is the better by the other in two of three pairs
TELLS = 0.5
#: below this many kinds of runs in common no interval means anything
LEAST = 6
Z90 = 1.6448536269514722

#: what makes two runs one kind: series, method, examples, tokens, epochs, model size
_Kind = tuple[str, str, float, float, float, float]


def agreement(table: RunTable, other: RunTable) -> Agreement | None:
    """How the runs of `table` rank by its metric and by that of `other`, seeds averaged, series by series. None where
    they have too few kinds of runs in common, or one of the metrics is the same in all.
    """
    ours, theirs = _means(table), _means(other)
    kinds = [kind for kind in ours if kind in theirs]
    if len(kinds) < LEAST:
        return None
    a = np.array([ours[kind] for kind in kinds])
    b = np.array([theirs[kind] for kind in kinds])
    group = np.array([kind[0] for kind in kinds])
    ranks = [np.concatenate([_ranks(v[group == g]) for g in dict.fromkeys(group.tolist())]) for v in (a, b)]
    if min(float(r.std()) for r in ranks) == 0.0:
        return None
    rho = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
    # Fisher's z of a rank correlation: Fieller, Hartley and Pearson 1957
    z, wide = np.arctanh(np.clip(rho, -0.999, 0.999)), Z90 * 1.03 / np.sqrt(len(kinds) - 3.0)
    size = np.array([kind[2] if np.isfinite(kind[2]) else kind[3] for kind in kinds])
    return Agreement(
        metric=other.metric.name,
        direction=other.metric.direction,
        rank_correlation=rho,
        low=float(np.tanh(z - wide)),
        high=float(np.tanh(z + wide)),
        kinds=len(kinds),
        best_size=float(size[np.argmax(a)]),
        best_size_other=float(size[np.argmax(b)]),
    )


def tells(found: Agreement) -> bool | None:
    """Whether one metric tells the other; None where these runs leave it open."""
    if found.low >= TELLS:
        return True
    return False if found.high < TELLS else None


def said(metric: str, found: Agreement) -> str:
    """What the two metrics say of each other, in a sentence."""
    how = {True: "tells", False: "does not tell", None: "is not shown to tell"}[tells(found)]
    text = (
        f"{metric} {how} {found.metric} here: rank correlation {found.rank_correlation:.2f} "
        f"({found.low:.2f} to {found.high:.2f}) over {found.kinds} kinds of runs"
    )
    if found.best_size == found.best_size_other:
        return f"{text}; both are best at {found.best_size:,.0f}."
    return f"{text}; {metric} is best at {found.best_size:,.0f}, {found.metric} at {found.best_size_other:,.0f}."


def doubt(table: RunTable, found: Agreement) -> str | None:
    """What to warn of where a plan on this table's metric need not serve the other: a loss that tells no score."""
    if table.metric.direction != "min" or found.direction != "max" or tells(found):
        return None
    how = "does not tell" if tells(found) is False else "is not shown to tell"
    interval = f"{found.low:.2f} to {found.high:.2f}"
    return (
        f"judged by {table.metric.name}, which {how} {found.metric} here (rank correlation "
        f"{found.rank_correlation:.2f}, {interval}): a plan on it need not raise {found.metric}; "
        f"--metric {found.metric} plans on that"
    )


def _means(table: RunTable) -> dict[_Kind, float]:
    """Kind of run -> its mean metric, larger is better; runs before tuning left out."""
    sign = 1.0 if table.metric.direction == "max" else -1.0
    values: dict[_Kind, list[float]] = {}
    columns = (table.examples, table.volume, table.epochs, table.model_params)
    for i in np.flatnonzero(table.examples != 0.0).tolist():
        # NaN is not equal to itself
        numbers = [float(np.nan_to_num(c[i], nan=-1.0)) for c in columns]
        kind = (table.group[i], table.method[i], numbers[0], numbers[1], numbers[2], numbers[3])
        values.setdefault(kind, []).append(sign * float(table.value[i]))
    return {kind: float(np.mean(v)) for kind, v in values.items()}


def _ranks(values: Floats) -> Floats:
    """Ranks around 0, over the number of values: series of any size count alike."""
    return np.asarray((rankdata(values) - (len(values) + 1.0) / 2.0) / len(values))
