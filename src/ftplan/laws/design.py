"""What the terms of a law make of fixed rows, worked out once for the many parameters that are tried on them.

A term that is linear in its parameters is a matrix product, and one whose value depends on a few levels only (methods,
numbers of epochs) is looked up: both are columns of one matrix X (n, U) with ln D = t + V(theta)·X.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Refs, Rows, Term

#: a term is looked up by level where its features take at most this many values
LEVELS = 24


@dataclass(frozen=True)
class DesignTerm:
    """One term on fixed rows. own: columns of theta; columns: of X, none where the term is worked out row by row;
    levels: one row for each column of X, None for a term that is linear in its parameters.
    """

    term: Term
    own: slice
    columns: slice | None
    levels: Rows | None


@dataclass(frozen=True)
class Design:
    """All terms of a law on rows (n,), or (B, n), which are worked out row by row.

    matrix: (n, U); floors: (n, F) floors that depend on no parameter, None where they do.
    """

    law: Law
    refs: Refs
    rows: Rows
    matrix: Floats
    parts: tuple[DesignTerm, ...]
    floors: Floats | None

    @staticmethod
    def of(law: Law, rows: Rows, refs: Refs) -> Design:
        at, u = len(law.curve.params), 0
        parts, pieces = [], [np.empty((rows.t.shape[-1], 0))]
        for term in law.terms:
            width = len(term.params(refs))
            columns, levels = _columns(term, rows, refs, width)
            place = None if columns is None else slice(u, u + columns.shape[1])
            parts.append(DesignTerm(term, slice(at, at + width), place, levels))
            at += width
            if columns is not None:
                u += columns.shape[1]
                pieces.append(columns)
        return Design(law, refs, rows, np.concatenate(pieces, axis=1), tuple(parts), _floors(law, rows, refs))

    @cached_property
    def loose(self) -> tuple[DesignTerm, ...]:
        """Terms that are worked out row by row."""
        return tuple(p for p in self.parts if p.columns is None)

    @cached_property
    def linear(self) -> bool:
        """Whether V is theta itself."""
        return all(p.columns is None or p.levels is None for p in self.parts)

    @cached_property
    def transposed(self) -> Floats:
        return np.ascontiguousarray(self.matrix.T)

    def log_data(self, theta: Floats, rows: Rows) -> Floats:
        """(B, n) z = ln(D/T_ref); rows: those of the design, or where they differ from fit to fit those of these."""
        if self.matrix.shape[1]:
            values = np.empty((len(theta), self.matrix.shape[1]))
            for p in self.parts:
                if p.columns is not None:
                    own = theta[:, p.own]
                    values[:, p.columns] = own if p.levels is None else p.term.value(p.levels, own, self.refs)
            z: Floats = values @ self.transposed
            z += rows.t
        else:
            z = np.broadcast_to(rows.t, (len(theta), rows.t.shape[-1]))
        for p in self.loose:
            z = z + p.term.value(rows, theta[:, p.own], self.refs)
        return z

    def slopes(self, theta: Floats) -> Floats | None:
        """(B, U, q) d V / d theta of the q parameters of terms that are in X; None where V is theta."""
        if self.linear:
            return None
        inside = [p for p in self.parts if p.columns is not None]
        out = np.zeros((len(theta), self.matrix.shape[1], sum(p.own.stop - p.own.start for p in inside)))
        at = 0
        for p in inside:
            width = p.own.stop - p.own.start
            own = slice(at, at + width)
            if p.levels is None:
                out[:, p.columns, own] = np.eye(width)
            else:
                out[:, p.columns, own] = p.term.gradient(p.levels, theta[:, p.own], self.refs)
            at += width
        return out


def _floors(law: Law, rows: Rows, refs: Refs) -> Floats | None:
    if law.size is None:
        return np.ones((rows.t.shape[-1], 1))
    if law.size.floors_gradient is not None or rows.t.ndim == 2:
        return None
    return np.array(law.size.floors(rows, np.zeros((1, len(law.size.params))), refs)[0])


def _columns(term: Term, rows: Rows, refs: Refs, width: int) -> tuple[Floats | None, Rows | None]:
    """Columns of X (n, u) for one term, and the levels they stand for; None where it has too many."""
    if rows.t.ndim == 2:
        return None, None
    if term.linear(refs):
        return np.array(term.gradient(rows, np.zeros((1, width)), refs)[0]), None
    if not term.reads:
        return None, None
    key = np.stack([np.asarray(getattr(rows, name), dtype=np.float64) for name in term.reads], axis=1)
    _, first, which = np.unique(key, axis=0, return_index=True, return_inverse=True)
    if len(first) > LEVELS:
        return None, None
    levels = Rows(*(values[first] for values in vars(rows).values()))
    scale = np.ones(len(key))
    if term.times:
        ones: dict[str, Any] = {term.times: np.ones(len(first))}
        levels, scale = replace(levels, **ones), getattr(rows, term.times)
    one_hot = which.reshape(-1)[:, None] == np.arange(len(first))
    return one_hot * scale[:, None], levels
