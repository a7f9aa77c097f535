"""A law: a curve, terms of ln D and a size part put together, with its prediction and derivatives.

loss = sum over floors f_k·F_k(rows) + amplitude·G, G = shape(z)·factor(M)
anchored:                                   = sum over floors f_k·F_k·(1 - G) + base·G
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module

import numpy as np

from ftplan.errors import InputError
from ftplan.laws import ALIASES, part_names, prior
from ftplan.laws.parts import Curve, Floats, Named, Nonlinear, Refs, Rows, Size, Term, side_by_side


@dataclass(frozen=True)
class Law:
    """Parameters are theta (B, P), nonlinear, in the order of `nonlinear`, and amplitudes (B, K) as in `linear`."""

    curve: Curve
    terms: tuple[Term, ...] = ()
    size: Size | None = None

    @property
    def name(self) -> str:
        parts = [self.curve.name, *(t.name for t in self.terms)]
        if self.size is not None:
            if (self.curve.name, self.size.name) == ("power", "added"):
                parts[0] = "additive"
            else:
                parts.append(self.size.name)
        return "+".join(parts)

    @property
    def formula(self) -> str:
        inside = " + ".join(["ln T", *(t.formula for t in self.terms)])
        size = f"; {self.size.formula}" if self.size else ""
        return f"{self.curve.formula}{size}; ln D = {inside}"

    def has(self, term: str) -> bool:
        """Whether a term is part of the law, by itself or inside a larger one."""
        return any(t.name == term or term in t.contains for t in self.terms)

    def nonlinear(self, refs: Refs) -> tuple[Nonlinear, ...]:
        size = self.size.params if self.size else ()
        curve = (replace(p, high=min(p.high, refs.reach)) if p.in_ln_data else p for p in self.curve.params)
        return (*curve, *(p for t in self.terms for p in t.params(refs)), *size)

    def linear(self, refs: Refs) -> tuple[str, ...]:
        floors = self.size.floor_names(refs) if self.size else ("E",)
        return floors if self.curve.anchored else (*floors, "A")

    def held(self, refs: Refs) -> tuple[bool, ...]:
        """Which amplitudes stay at their lower bound: floors, where the curve says so."""
        return tuple(self.curve.floor_held and (k == "E" or k.startswith("E[")) for k in self.linear(refs))

    def n_params(self, refs: Refs) -> int:
        return len(self.nonlinear(refs)) + len(self.linear(refs)) - sum(self.held(refs))

    def _split(self, theta: Floats, refs: Refs) -> tuple[Floats, list[Floats], Floats]:
        at = len(self.curve.params)
        curve, pieces = theta[:, :at], []
        for term in self.terms:
            width = len(term.params(refs))
            pieces.append(theta[:, at : at + width])
            at += width
        return curve, pieces, theta[:, at:]

    def log_data(self, rows: Rows, theta: Floats, refs: Refs, ranged: bool = True) -> Floats:
        """(B, n) z = ln(D/T_ref); ranged: with the terms that have a `Term.range` of their own."""
        _, terms, _ = self._split(theta, refs)
        z: Floats = np.broadcast_to(rows.t, (len(theta), rows.t.shape[-1]))
        for term, own in zip(self.terms, terms, strict=True):
            if ranged or not term.range:
                z = z + term.value(rows, own, refs)
        return z

    def evaluate(self, rows: Rows, theta: Floats, refs: Refs) -> LawValues:
        """All that is linear in the amplitudes at theta, and what the Jacobian needs again."""
        curve_theta, _, size_theta = self._split(theta, refs)
        z = self.log_data(rows, theta, refs)
        shape = self.curve.shape(z, curve_theta)
        factor = self.size.factor(rows, size_theta) if self.size and self.size.factor else None
        g = shape if factor is None else shape * factor
        floors = self.size.floors(rows, size_theta, refs) if self.size else np.ones((*g.shape, 1))
        if self.curve.anchored:
            return LawValues(z, shape, factor, g, floors, floors * (1.0 - g)[:, :, None], rows.anchor * g)
        columns = side_by_side([floors, g[:, :, None]])
        return LawValues(z, shape, factor, g, floors, columns, np.zeros(1))

    def jacobian(self, rows: Rows, theta: Floats, amplitudes: Floats, at: LawValues, refs: Refs) -> Floats:
        """(B, n, P): d prediction / d theta; the derivatives by the amplitudes are `at.columns`."""
        curve_theta, terms, size_theta = self._split(theta, refs)
        dz, dcurve = self.curve.slopes(at.z, curve_theta, at.shape)
        if self.curve.anchored:
            lift = rows.anchor - np.einsum("bnk,bk->bn", at.floors, amplitudes)
        else:
            lift = amplitudes[:, -1:]
        scale = lift if at.factor is None else lift * at.factor
        pieces = [dcurve * scale[:, :, None]]
        by_z = (dz * scale)[:, :, None]
        for term, own in zip(self.terms, terms, strict=True):
            pieces.append(by_z * term.gradient(rows, own, refs))
        if self.size and self.size.params:
            pieces.append(self.size_slope(rows, size_theta, amplitudes, at.shape, at.g, lift, refs)[:, :, None])
        return side_by_side(pieces)

    def size_slope(
        self, rows: Rows, theta: Floats, amplitudes: Floats, shape: Floats, g: Floats, lift: Floats, refs: Refs
    ) -> Floats:
        """(B, n): d prediction / d (the one parameter of the size part), from the shape, g and lift of `jacobian`."""
        assert self.size is not None
        if self.size.factor_gradient is not None:
            return lift * shape * self.size.factor_gradient(rows, theta)
        assert self.size.floors_gradient is not None
        by_floor = self.size.floors_gradient(rows, theta, refs)
        slope: Floats = np.einsum("bnk,bk->bn", by_floor, amplitudes[:, : by_floor.shape[-1]])
        return slope * (1.0 - g) if self.curve.anchored else slope

    def natural(self, theta: Floats, amplitudes: Floats, refs: Refs) -> Named:
        """Reported parameters of B fits, by name, in the formula's own units (sign as fitted)."""
        names = [p.name for p in self.nonlinear(refs)]
        out: Named = {name: theta[:, i] for i, name in enumerate(names)}
        out |= {name: amplitudes[:, k] for k, name in enumerate(self.linear(refs))}
        out = self.curve.natural(out, refs)
        for term in self.terms:
            out = term.natural(out, refs)
        if self.size and self.size.natural:
            out = self.size.natural(out, refs)
        return out


@dataclass(frozen=True)
class LawValues:
    """z, shape, g: (B, n); floors: (B, n, F); prediction = columns·a + offset: (B, n, K)·(B, K) + (B or 1, n)."""

    z: Floats
    shape: Floats
    factor: Floats | None
    g: Floats
    floors: Floats
    columns: Floats
    offset: Floats

    def predict(self, amplitudes: Floats) -> Floats:
        """(B, n)."""
        out: Floats = np.matmul(self.columns, amplitudes[:, :, None])[:, :, 0] + self.offset
        return out


def _load(kind: str, name: str) -> object:
    return getattr(
        import_module(f"ftplan.laws.{kind}.{name}"), {"curves": "CURVE", "terms": "TERM", "sizes": "SIZE"}[kind]
    )


def terms() -> tuple[Term, ...]:
    """Every term there is, by name."""
    found = (_load("terms", name) for name in part_names("terms"))
    return tuple(t for t in found if isinstance(t, Term))


def family(name: str) -> tuple[Term, ...]:
    """The terms of a family, the smaller ones first."""
    return tuple(sorted((t for t in terms() if t.family == name), key=lambda t: len(t.contains)))


@cache
def parse(name: str) -> Law:
    """`rectified+length`, `power+selection+added`, `additive` -> a Law. Parts may come in any order after the curve.

    Raises InputError naming the unknown part or the two terms that contain each other.
    """
    first, *rest = name.strip().lower().split("+")
    head, *more = ALIASES.get(first, first).split("+")
    rest = [*more, *rest]
    hint = (
        f"a law is a curve ({', '.join((*part_names('curves'), *ALIASES))}), then any of "
        f"+{', +'.join(part_names('terms'))}, then one of +{', +'.join(part_names('sizes'))}"
    )
    if head not in (*part_names("curves"), prior.CURVE.name):
        raise InputError(f"law {name!r}: no curve is called {head!r}", hint=hint)
    curve = prior.CURVE if head == prior.CURVE.name else _load("curves", head)
    assert isinstance(curve, Curve)
    terms: list[Term] = []
    sizes: list[Size] = []
    for part in rest:
        if part in part_names("terms"):
            term = _load("terms", part)
            assert isinstance(term, Term)
            terms.append(term)
        elif part in part_names("sizes"):
            size = _load("sizes", part)
            assert isinstance(size, Size)
            sizes.append(size)
        else:
            raise InputError(f"law {name!r}: no term or size part is called {part!r}", hint=hint)
    others = [(t, u) for i, t in enumerate(terms) for j, u in enumerate(terms) if i != j]
    clash = [t.name for t, u in others if t.name in (u.name, *u.contains)]
    clash = clash or [t.name for t, u in others if t.family and t.family == u.family]
    if clash or len(sizes) > 1:
        raise InputError(f"law {name!r}: {clash[0] if clash else 'model size'} is in it twice", hint=hint)
    terms.sort(key=lambda t: t.name)
    return Law(curve, tuple(terms), sizes[0] if sizes else None)
