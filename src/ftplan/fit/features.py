"""From a run table to the arrays a law is fitted on: references, features, cells of replicates, what is held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ftplan.fit.problem import Batch, Bools, Index
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Refs, Rows
from ftplan.runs import RunTable

#: replicates drawn with another seed land within 15 % of each other's T and L; design points are further apart
REPLICATE_LN = 0.15
#: the held-out largest runs: the top level of data, widened until it holds this share of the cells
HELD_OUT_SHARE = 0.1
#: a bend beyond this many times the largest run cannot be told from none; any of 30 to 1,000 gives the same forecasts
REACH = 100.0


@dataclass(frozen=True)
class Data:
    """One series ready to fit: n trained rows (N > 0) of a table, with the score before tuning apart.

    y: (n,) the loss, the metric with its sign changed where more is better; cell: (n,) index of the row's design point;
    base: (n,) score before tuning, as a loss, of the row's group, NaN where the table has no N = 0 row.
    untuned: whether no run was trained, and the rows are the model before tuning, as after one example.
    """

    table: RunTable
    refs: Refs
    rows: Rows
    y: Floats
    cell: Index
    sign: float
    floor_low: float
    untuned: bool = False

    def __len__(self) -> int:
        return len(self.y)

    @property
    def has_base(self) -> bool:
        return bool(np.isfinite(self.rows.anchor).all())

    @cached_property
    def n_cells(self) -> int:
        return int(self.cell.max()) + 1

    @cached_property
    def precision(self) -> Floats:
        """(n,) what a squared residual counts for, on average 1: errors of a positive loss are relative, as its noise
        is; a bounded score has no such scale.
        """
        if self.sign < 0.0 or not bool((self.y > 0.0).all()):
            return np.ones(len(self))
        relative = self.y**-2.0
        return np.asarray(relative / relative.mean())

    @cached_property
    def size_key(self) -> Floats:
        """(n,) ln T, plus ln M where model size varies: what "largest" means when runs are held out."""
        return self.rows.t + self.rows.m

    def batch(self, law: Law, weights: Floats, y: Floats | None = None) -> Batch:
        """Fits with weights (B, n) of the same rows; y (B, n) or the measured values."""
        targets = np.broadcast_to(self.y, weights.shape) if y is None else y
        return Batch(law, self.refs, self.rows, targets, weights, self.floor_low)


def geometric_mean(values: Floats) -> float:
    known = values[np.isfinite(values) & (values > 0.0)]
    return float(np.exp(np.log(known).mean())) if len(known) else 1.0


def references(table: RunTable) -> Refs:
    """Geometric means of the trained rows; methods in alphabetical order after random."""
    t = table.subset(~(table.examples == 0.0))
    others = sorted({m for m in t.method if m and m != "random"})
    method = np.array([m or "random" for m in t.method])
    sizes = {m: t.selector_params[(method == m) & np.isfinite(t.selector_params)] for m in others}
    return Refs(
        T=geometric_mean(t.volume),
        L=geometric_mean(t.avg_tokens),
        M=geometric_mean(t.model_params),
        S={m: geometric_mean(v) for m, v in sizes.items() if len(v)},
        methods=("random", *others),
        levels=tuple(dict.fromkeys(t.group)) or ("",),
        varied_selectors=tuple(m for m, v in sizes.items() if len(set(v.tolist())) > 1),
        counts=t.data_unit,
        reach=float(np.log(REACH * np.max(t.volume) / geometric_mean(t.volume))),
        most_epochs=float(np.nanmax(t.epochs, initial=1.0)),
    )


def features(table: RunTable, refs: Refs, base: Floats) -> Rows:
    """Rows of a table seen from `refs`; unknown lengths, sizes and pools count as the reference (0 in logs).

    T counts what the fitted table counted, whatever other columns this one has; NaN where a row does not give it.
    """

    def log_ratio(values: Floats, ref: Floats | float) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(np.log(values / ref), nan=0.0, posinf=0.0, neginf=-np.inf)

    counted = table.tokens if refs.counts == "tokens" else table.examples
    volume = np.where(table.examples == 0.0, 0.0, counted)
    methods = {m: i for i, m in enumerate(refs.methods)}
    method = np.array([methods[m or "random"] for m in table.method], dtype=np.intp)
    selector_refs = np.array([refs.S.get(m, 1.0) for m in refs.methods])
    levels = {g: i for i, g in enumerate(refs.levels)}
    return Rows(
        t=np.where(np.isfinite(volume), log_ratio(volume, refs.T), np.nan),
        x=np.where(table.avg_tokens > 0.0, log_ratio(table.avg_tokens, refs.L), 0.0),
        m=log_ratio(table.model_params, refs.M),
        s=log_ratio(table.selector_params, selector_refs[method]),
        ln_pool=np.where(table.examples > 0.0, np.maximum(log_ratio(table.pool_examples, table.examples), 0.0), 0.0),
        repeats=np.nan_to_num(table.epochs, nan=1.0) - 1.0,
        method=method,
        level=np.array([levels.get(g, 0) for g in table.group], dtype=np.intp),
        anchor=base,
    )


def base_scores(table: RunTable, groups: tuple[str, ...]) -> dict[str, float]:
    """Mean metric of the N = 0 rows of each group."""
    zero = table.examples == 0.0
    own = np.array(table.group)
    return {g: float(table.value[zero & (own == g)].mean()) for g in groups if bool((zero & (own == g)).any())}


def prepare(table: RunTable) -> Data:
    """The trained rows of one series (one or more groups), ready to fit; without any, the model before tuning."""
    untuned = bool((table.examples == 0.0).all())
    if untuned:
        table = replace(table, examples=np.ones(len(table)), tokens=table.avg_tokens)
    sign = 1.0 if table.metric.direction == "min" else -1.0
    base = base_scores(table, table.groups)
    trained = merge_full_data(table.subset(~(table.examples == 0.0)))
    anchor = sign * np.array([base.get(g, np.nan) for g in trained.group])
    refs = references(trained)
    top = {"percent": 100.0, "fraction": 1.0}.get(table.metric.unit, np.inf)
    low = -top if sign < 0 else (0.0 if bool((table.value >= 0.0).all()) else -np.inf)
    return Data(
        table=trained,
        refs=refs,
        rows=features(trained, refs, anchor),
        y=sign * trained.value,
        cell=cells(trained),
        sign=sign,
        floor_low=low,
        untuned=untuned,
    )


def merge_full_data(table: RunTable) -> RunTable:
    """One full-data result counts once: where N = P_e every method is the same run, listed again for each."""
    full = (table.examples >= 0.9999 * table.pool_examples) & np.array([m != "" for m in table.method], dtype=bool)
    if int(full.sum()) < 2:
        return table
    keep = np.ones(len(table), dtype=bool)
    seen: set[tuple[object, ...]] = set()
    # a random row comes first where there is one, so that the row kept has no selection in it
    for i in sorted(np.flatnonzero(full), key=lambda i: (table.method[i] != "random", i)):
        numbers = (table.model_params[i], table.epochs[i], table.examples[i], table.value[i], table.seed[i])
        # NaN is not equal to itself, and would make every row its own
        key = (table.group[i], *np.nan_to_num(numbers, nan=-1.0).tolist())
        keep[i] = key not in seen
        seen.add(key)
    return table.subset(keep)


def _clusters(values: Floats, gap: float, within: Index | None = None) -> Index:
    """Labels 0.. of runs of sorted values with no gap above `gap`, in each group of `within`; NaN is a cluster of its
    own (-1).
    """
    out = np.full(len(values), -1, dtype=np.intp)
    group = np.zeros(len(values), dtype=np.intp) if within is None else within
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.lexsort((values[known], group[known]))]
    if len(order):
        apart = (np.diff(values[order]) > gap) | (np.diff(group[order]) > 0)
        out[order] = np.concatenate([[0], np.cumsum(apart)])
    return out


def cells(table: RunTable) -> Index:
    """(n,) index of the design point each row replicates: same T, L, M, epochs, method, selector and group.

    With several seeds T and L may differ a little between replicates; a cell that then holds one seed twice was
    no cell, and only equal rows are taken together.
    """
    seeds = table.seed[np.isfinite(table.seed)]
    replicated = len(set(seeds.tolist())) > 1
    for gap in (REPLICATE_LN, 1e-9) if replicated else (1e-9,):
        exact = [
            np.unique(np.nan_to_num(column, nan=-1.0), return_inverse=True)[1]
            for column in (table.model_params, table.epochs, table.selector_params)
        ]
        names = [np.unique(np.array(column), return_inverse=True)[1] for column in (table.group, table.method)]
        with np.errstate(divide="ignore"):
            near = _clusters(np.log(table.volume), gap)
            lengths = _clusters(np.log(table.avg_tokens), gap, near)
        key = np.stack([*exact, *names, near, lengths], axis=1)
        label = np.unique(key, axis=0, return_inverse=True)[1].reshape(-1).astype(np.intp)
        twice = replicated and len({(c, s) for c, s in zip(label, table.seed.tolist(), strict=True)}) < len(table)
        if not twice:
            break
    return label


def held_out_largest(data: Data, share: float = HELD_OUT_SHARE) -> Bools:
    """(n,) True for the largest runs: the top level of size, then further levels until `share` of the cells is out."""
    level = _clusters(data.size_key, REPLICATE_LN if len(data) > data.n_cells else 1e-9)
    highest = np.full(data.n_cells, -1, dtype=np.intp)
    np.maximum.at(highest, data.cell, level)
    # cells that reach a level are out with it
    levels = np.unique(level)[::-1]
    count = data.n_cells - np.searchsorted(np.sort(highest), levels)
    return np.asarray(level >= levels[np.argmax(count >= share * data.n_cells)])
