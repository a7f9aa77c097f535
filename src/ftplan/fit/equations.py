"""Sums over rows that a step of least squares is made of, for many fits at once.

The derivatives of a prediction are few arrays (B, n) times columns that all fits share, (n, k): their weighted sums are
matrix products, and the derivatives by each parameter are never written down. What the amplitudes could take over is
removed (Kaufman 1975): explicitly from the derivatives by the curve and by model size, which can look very much like a
floor; by sums alone from those by terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.fit.linear import solve
from ftplan.fit.problem import Bools, Index
from ftplan.laws.design import Design
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Rows

#: numbers that products of two matrices of columns may take, over all rows
MOST_PRODUCTS = 4_000_000
#: share of a derivative's own sum of squares that is added to what is left of it: far above what rounding leaves of one
#: that the amplitudes take over entirely, far below what the damping of a step adds
ROUNDING = 1e-14


@dataclass(frozen=True)
class Block:
    """Derivatives factor (B, n) x columns (n, k): k of them; either may be left out, for ones."""

    factor: Floats | None
    columns: Floats | None = None

    @property
    def width(self) -> int:
        return 1 if self.columns is None else self.columns.shape[1]

    def times(self, values: Floats) -> Floats:
        """(B, n) values times the factor."""
        return values if self.factor is None else values * self.factor

    def sums(self, weighted: Floats) -> Floats:
        """(B, k) sums over rows of weighted values (B, n) times each derivative."""
        if self.columns is not None:
            return np.asarray(self.times(weighted) @ self.columns)
        if self.factor is None:
            return np.asarray(weighted.sum(axis=1, keepdims=True))
        return np.asarray(np.einsum("bn,bn->b", weighted, self.factor)[:, None])

    def each_sum(self, weights: Floats) -> Floats:
        """(V, S, k) sums over rows of each derivative at S points times each of V weights (V, n)."""
        if self.columns is None:
            found = weights.sum(axis=1)[:, None] if self.factor is None else weights @ self.factor.T
            return np.asarray(found[:, :, None])
        if self.factor is None:
            return np.asarray((weights @ self.columns)[:, None, :])
        return np.stack([self.factor @ (self.columns * v[:, None]) for v in weights])

    def combine(self, coefficients: Floats) -> Floats:
        """(B, n), or (B, 1) for ones, sum of the derivatives times coefficients (B, k)."""
        return self.times(coefficients if self.columns is None else coefficients @ self.columns.T)


class Products:
    """Products of the columns of two matrices, those that are not zero in every row."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[Floats, Floats, Index, Index] | None] = {}

    def sums(self, a: Floats, b: Floats, weights: Floats) -> Floats:
        """(B, ka, kb) sums over rows of weights (B, n) times a (n, ka) times b (n, kb)."""
        key = (id(a), id(b))
        if key not in self._kept:
            self._kept[key] = self._of(a, b)
        kept = self._kept[key]
        if kept is None:
            return np.stack([a.T @ (b * w[:, None]) for w in weights])
        products, _, i, j = kept
        out = np.zeros((len(weights), a.shape[1], b.shape[1]))
        found = weights @ products
        out[:, i, j] = found
        if a is b:
            out[:, j, i] = found
        return out

    @staticmethod
    def _of(a: Floats, b: Floats) -> tuple[Floats, Floats, Index, Index] | None:
        i, j = np.triu_indices(a.shape[1]) if a is b else np.indices((a.shape[1], b.shape[1])).reshape(2, -1)
        seen = ((a != 0.0).T.astype(np.float64) @ (b != 0.0))[i, j] > 0.0
        i, j = i[seen], j[seen]
        if len(i) * len(a) > MOST_PRODUCTS:
            return None
        # both matrices are kept so that no other gets their ids
        return a[:, i] * b[:, j], a, i, j


def gram(blocks: Sequence[Block], others: Sequence[Block], w: Floats, products: Products) -> Floats:
    """(B, k, q) weighted sums of products of derivatives; the same blocks twice: their Gram matrix."""
    same = blocks is others
    out = np.empty((len(w), sum(b.width for b in blocks), sum(o.width for o in others)))
    row = 0
    for i, a in enumerate(blocks):
        weighted = a.times(w)
        column = 0
        for j, b in enumerate(others):
            places = (slice(None), slice(row, row + a.width), slice(column, column + b.width))
            if same and j < i:
                out[places] = out[:, places[2], places[1]].transpose(0, 2, 1)
            elif a.columns is None:
                out[places] = b.sums(weighted)[:, None, :]
            elif b.columns is None:
                out[places] = (b.times(weighted) @ a.columns)[:, :, None]
            else:
                out[places] = products.sums(a.columns, b.columns, b.times(weighted))
            column += b.width
        row += a.width
    return out


def each_sums(blocks: Sequence[Block], weights: Floats, count: int) -> Floats:
    """(V, S, k) sums over rows of the derivatives of all blocks at `count` points S times each of V weights (V, n)."""
    out = np.empty((len(weights), count, sum(b.width for b in blocks)))
    at = 0
    for b in blocks:
        out[:, :, at : at + b.width] = b.each_sum(weights)
        at += b.width
    return out


def grams(blocks: Sequence[Block], w: Floats, products: Products) -> Floats:
    """(V, S, k, k) Gram matrices of derivatives at S points under each of V weights (V, n) that all points share."""
    count = max([len(b.factor) for b in blocks if b.factor is not None], default=1)
    k = sum(b.width for b in blocks)
    out = np.empty((len(w), count, k, k))
    row = 0
    for i, a in enumerate(blocks):
        column = row
        for b in blocks[i:]:
            both = a.factor if b.factor is None else b.times(a.factor) if a.factor is not None else b.factor
            if a.columns is None or b.columns is None:
                columns = a.columns if b.columns is None else b.columns
                found = Block(both, columns).each_sum(w)
                found = found[:, :, :, None] if b.columns is None else found[:, :, None, :]
            elif both is None:
                found = np.stack([a.columns.T @ (b.columns * v[:, None]) for v in w])[:, None]
            else:
                found = np.stack([products.sums(a.columns, b.columns, both * v) for v in w])
            rows, columns_ = slice(row, row + a.width), slice(column, column + b.width)
            out[:, :, rows, columns_] = found
            out[:, :, columns_, rows] = found.transpose(0, 1, 3, 2)
            column += b.width
        row += a.width
    return out


@dataclass(frozen=True)
class Shapes:
    """A law at B parameter vectors: z, shape, g (B, n); the factor by model size; floors and blocks of the amplitudes;
    the offset of an anchored curve, (B, n) or 0.
    """

    z: Floats
    shape: Floats
    factor: Floats | None
    g: Floats
    floors: tuple[Block, ...]
    blocks: tuple[Block, ...]
    offset: Floats | float

    def take(self, keep: Bools) -> Shapes:
        """Some of the fits."""

        def cut(v: Floats | None) -> Floats | None:
            return None if v is None else v[keep]

        # g is among the blocks, or makes them: the same array stays the same array
        g = self.g[keep]
        shape = g if self.shape is self.g else self.shape[keep]
        blocks = tuple(Block(g if b.factor is self.g else cut(b.factor), b.columns) for b in self.blocks)
        floors = tuple(Block(cut(b.factor), b.columns) for b in self.floors)
        return Shapes(self.z[keep], shape, cut(self.factor), g, floors, blocks, 0.0)


def total(blocks: Sequence[Block], coefficients: Floats) -> Floats:
    """(B, n) sum of the derivatives of all blocks times coefficients (B, k)."""
    at, out = 0, 0.0  # type: int, Floats | float
    for b in blocks:
        out = out + b.combine(coefficients[:, at : at + b.width])
        at += b.width
    return np.asarray(out)


def shapes(design: Design, theta: Floats, rows: Rows) -> Shapes:
    """Everything that is linear in the amplitudes."""
    law = design.law
    curve, size = theta[:, : len(law.curve.params)], _size(law, theta)
    z = design.log_data(theta, rows)
    shape = law.curve.shape(z, curve)
    factor = law.size.factor(rows, size) if law.size and law.size.factor else None
    g = shape if factor is None else shape * factor
    floors = _floors(design, rows, size)
    if not law.curve.anchored:
        return Shapes(z, shape, factor, g, floors, (*floors, Block(g)), 0.0)
    rest = 1.0 - g
    return Shapes(z, shape, factor, g, floors, tuple(Block(b.times(rest), b.columns) for b in floors), rows.anchor * g)


def _size(law: Law, theta: Floats) -> Floats:
    return theta[:, theta.shape[1] - (len(law.size.params) if law.size else 0) :]


def _floors(design: Design, rows: Rows, theta: Floats) -> tuple[Block, ...]:
    """The floors, without what an anchored curve makes of them."""
    if design.floors is None:
        assert design.law.size is not None
        floors = design.law.size.floors(rows, theta, design.refs)
        return tuple(Block(floors[:, :, k]) for k in range(floors.shape[2]))
    return (Block(None),) if design.floors.shape[1] == 1 else (Block(None, design.floors),)


def slopes(
    design: Design, theta: Floats, rows: Rows, amplitudes: Floats, at: Shapes
) -> tuple[list[Floats], list[int], Floats]:
    """Derivatives of the prediction by parameters that have arrays (B, n) of their own, the places of these in theta,
    and the derivative by z.
    """
    law = design.law
    dz, dcurve = law.curve.slopes(at.z, theta[:, : len(law.curve.params)], at.shape)
    lift = rows.anchor - total(at.floors, amplitudes) if law.curve.anchored else amplitudes[:, -1:]
    scale = lift if at.factor is None else lift * at.factor
    own = [dcurve[:, :, i] * scale for i in range(dcurve.shape[2])]
    places = list(range(len(own)))
    by_z = dz * scale
    for p in design.loose:
        gradient = p.term.gradient(rows, theta[:, p.own], design.refs)
        own += [by_z * gradient[:, :, i] for i in range(gradient.shape[2])]
        places += range(p.own.start, p.own.stop)
    if law.size and law.size.params:
        own.append(law.size_slope(rows, _size(law, theta), amplitudes, at.shape, at.g, lift, design.refs))
        places.append(theta.shape[1] - 1)
    return own, places, by_z


def normal(
    design: Design,
    products: Products,
    theta: Floats,
    rows: Rows,
    w: Floats,
    amplitudes: Floats,
    at: Shapes,
    residual: Floats,
    taken_up: Floats,
    free: Floats,
) -> tuple[Floats, Floats]:
    """H (B, P, P) and gradient (B, P) of the projected sum of squares (Gauss-Newton).

    taken_up: (B, K, K) Gram matrix of the amplitudes' derivatives; free: (B, K) 1 for amplitudes off their bounds.
    """
    own, places, by_z = slopes(design, theta, rows, amplitudes, at)
    ks = free[:, :, None]
    inner = taken_up * ks * free[:, None, :]
    diagonal = np.einsum("bkk->bk", inner)
    ridged = inner + np.eye(inner.shape[1]) * (1e-12 * diagonal + 1e-300 + 1.0 * (diagonal == 0.0))[:, :, None]
    weighted = w * residual
    blocks = [Block(f) for f in own]
    explained = gram(at.blocks, blocks, w, products) * ks
    taken = solve(ridged, explained)
    # what the ridge leaves of them
    kept = explained - inner @ taken
    reduced = [Block(f - total(at.blocks, taken[:, :, i])) for i, f in enumerate(own)]
    count = theta.shape[1]
    hessian, gradient = np.zeros((len(theta), count, count)), np.zeros((len(theta), count))
    place = np.array(places, dtype=np.intp)
    hessian[:, place[:, None], place[None, :]] = gram(reduced, reduced, w, products)
    whole = np.zeros_like(gradient)
    whole[:, place] = np.stack([np.einsum("bn,bn->b", w * f, f) for f in own], axis=1)
    gradient[:, place] = np.concatenate([b.sums(weighted) for b in reduced], axis=1)
    if design.matrix.shape[1]:
        terms = (Block(by_z, design.matrix),)
        turn = design.slopes(theta)
        both = gram(at.blocks, terms, w, products) * ks
        outer = gram(terms, terms, w, products)
        cross = gram(reduced, terms, w, products)
        slope = terms[0].sums(weighted)
        if turn is not None:
            both, cross = both @ turn, cross @ turn
            outer = turn.transpose(0, 2, 1) @ outer @ turn
            slope = (slope[:, None, :] @ turn)[:, 0]
        taken, before = solve(ridged, both), np.einsum("bqq->bq", outer)
        cross = cross - kept.transpose(0, 2, 1) @ taken
        mixed = taken.transpose(0, 2, 1) @ both
        outer = outer - mixed - mixed.transpose(0, 2, 1) + taken.transpose(0, 2, 1) @ inner @ taken
        slope = slope - np.einsum("bkq,bk->bq", taken, np.concatenate([b.sums(weighted) for b in at.blocks], 1) * free)
        inside = np.array([i for p in design.parts if p.columns for i in range(p.own.start, p.own.stop)], dtype=np.intp)
        hessian[:, inside[:, None], inside[None, :]] = outer
        hessian[:, place[:, None], inside[None, :]] = cross
        hessian[:, inside[:, None], place[None, :]] = cross.transpose(0, 2, 1)
        gradient[:, inside], whole[:, inside] = slope, before
    return hessian + np.eye(count) * (ROUNDING * whole)[:, :, None], gradient
