"""The contract of every law part: a new file in curves/, terms/ or sizes/ is tested from the day it is there."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ftplan.laws
from ftplan.laws.parts import Curve, Floats, Nonlinear, Refs, Rows, Size, Term

FOLDER = Path(ftplan.laws.__file__).parent


def load(kind: str, constant: str) -> dict[str, Any]:
    """The part in every file of a folder, by file stem."""
    stems = sorted(p.stem for p in (FOLDER / kind).glob("*.py") if p.stem != "__init__")
    return {s: getattr(import_module(f"ftplan.laws.{kind}.{s}"), constant) for s in stems}


CURVES, TERMS, SIZES = load("curves", "CURVE"), load("terms", "TERM"), load("sizes", "SIZE")
PARTS = {**CURVES, **TERMS, **SIZES}
each_curve = pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
each_term = pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
each_size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)
#: where in its bounds a parameter lies; the ends are left out so that a finite difference stays inside
PLACES = st.lists(st.floats(0.001, 0.999), min_size=8, max_size=8)


def within(params: tuple[Nonlinear, ...], places: list[float]) -> Floats:
    """(1, P) parameters at the given places of their bounds."""
    return np.array([[p.low + u * (p.high - p.low) for p, u in zip(params, places, strict=False)]])


def difference(function: Callable[[Floats], Floats], theta: Floats) -> Floats:
    """Central differences of (1, ...) with respect to each of P parameters: (1, ..., P)."""
    steps = 1e-6 * np.maximum(1.0, np.abs(theta[0]))
    sides = []
    for i, h in enumerate(steps):
        move = np.zeros_like(theta)
        move[0, i] = h
        sides.append((function(theta + move) - function(theta - move)) / (2.0 * h))
    return np.stack(sides, axis=-1)


def assert_slopes(analytic: Floats, numeric: Floats) -> None:
    np.testing.assert_allclose(analytic, numeric, rtol=2e-5, atol=1e-7 * max(1.0, float(np.abs(numeric).max())))


def test_no_two_parts_share_a_name() -> None:
    assert len(PARTS) == len(CURVES) + len(TERMS) + len(SIZES)


@pytest.mark.parametrize("stem", PARTS)
def test_says_what_it_is(stem: str) -> None:
    part = PARTS[stem]
    assert part.name == stem
    assert part.formula.strip()
    assert part.source.strip()


@pytest.mark.parametrize("stem", PARTS)
def test_bounds_are_ordered_and_hold_the_scan(stem: str, refs: Refs) -> None:
    part = PARTS[stem]
    params = part.params(refs) if isinstance(part, Term) else part.params
    for p in params:
        assert p.low <= p.scan[0] < p.scan[1] <= p.high, (stem, p.name)
        assert p.meaning
    assert len({p.name for p in params}) == len(params)


@each_curve
@PROPERTY
@given(places=PLACES)
def test_shape_falls_from_its_start_to_nothing(curve: Curve, places: list[float]) -> None:
    theta = within(curve.params, places)
    z = np.linspace(-20.0, 20.0, 201)
    start, end = curve.shape(np.array([-np.inf, np.inf]), theta)[0]
    shape = curve.shape(z[None], theta)[0]
    assert (np.diff(shape) <= 0.0).all()
    assert shape[0] > shape[-1]
    assert (shape >= end).all()
    assert (shape <= start).all()
    assert end == 0.0
    slopes = curve.slopes(z[None], theta, shape[None])
    assert (slopes[0] <= 0.0).all()
    assert np.isfinite(slopes[0]).all()
    assert np.isfinite(slopes[1]).all()


@each_curve
def test_no_data_is_where_a_bounded_curve_starts(curve: Curve) -> None:
    theta = within(curve.params, [0.4] * 8)
    none = np.array([[-np.inf]])
    start = curve.shape(none, theta)
    if np.isfinite(start).all():
        assert start[0, 0] == 1.0
        dz, dtheta = curve.slopes(none, theta, start)
        assert dz[0, 0] == 0.0
        assert (dtheta == 0.0).all()
    else:
        assert not curve.anchored


@each_curve
@PROPERTY
@given(places=PLACES, z=st.lists(st.floats(-6.0, 6.0), min_size=5, max_size=5))
def test_curve_slopes(curve: Curve, places: list[float], z: list[float]) -> None:
    theta, at = within(curve.params, places), np.array([z])
    dz, dtheta = curve.slopes(at, theta, curve.shape(at, theta))
    numeric_z = (curve.shape(at + 1e-6, theta) - curve.shape(at - 1e-6, theta)) / 2e-6
    assert_slopes(dz, numeric_z)
    assert_slopes(dtheta, difference(lambda p: curve.shape(at, p), theta))


@each_curve
@PROPERTY
@given(places=PLACES, floor=st.floats(0.0, 50.0), amplitude=st.floats(1e-3, 100.0))
def test_reported_parameters_are_the_fitted_ones(
    curve: Curve, places: list[float], floor: float, amplitude: float
) -> None:
    theta = within(curve.params, places)
    given_ones = {p.name: theta[:, i] for i, p in enumerate(curve.params)} | {"E": np.array([floor])}
    if not curve.anchored:
        given_ones["A"] = np.array([amplitude])
    reported = curve.natural({"A": np.array([amplitude]), **given_ones}, Refs(T=1.0))
    back = curve.fitted(reported)
    for name, value in given_ones.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-9, atol=1e-9 * (floor + amplitude), err_msg=name)


@each_term
@PROPERTY
@given(places=PLACES)
def test_term_gradient(term: Term, refs: Refs, rows: Rows, places: list[float]) -> None:
    theta = within(term.params(refs), places)
    numeric = difference(lambda p: term.value(rows, p, refs), theta)
    analytic = term.gradient(rows, theta, refs)
    assert analytic.shape == (1, len(rows.t), len(term.params(refs)))
    for k in range(numeric.shape[-1]):
        assert_slopes(analytic[..., k], numeric[..., k])


@each_term
@PROPERTY
@given(places=PLACES)
def test_term_is_nothing_where_there_is_nothing_to_say(term: Term, refs: Refs, rows: Rows, places: list[float]) -> None:
    """At the reference length and amount of data, with all eligible examples used once, ln D is ln T."""
    zero = np.zeros_like(rows.t)
    plain = replace(rows, t=zero, x=zero, ln_pool=zero, repeats=zero)
    assert (term.value(plain, within(term.params(refs), places), refs) == 0.0).all()


@each_term
def test_term_vanishes_at_its_null(term: Term, refs: Refs, rows: Rows) -> None:
    params = term.params(refs)
    # `kap` stands for the kap of every method; a parameter without a null may be anything
    null = [term.null.get(p.name.split("[")[0], 0.5) for p in params]
    known = {p.name.split("[")[0] for p in params}
    assert set(term.null) <= known
    if term.null:
        assert (term.value(rows, np.array([null]), refs) == 0.0).all()
    for p, value in zip(params, null, strict=True):
        assert p.low <= value <= p.high


@each_term
@PROPERTY
@given(places=PLACES)
def test_term_holds_the_ones_it_contains(term: Term, refs: Refs, rows: Rows, places: list[float]) -> None:
    """With its further parameters at their null it is the contained term."""
    for name in term.contains:
        inner = TERMS[name]
        own = within(inner.params(refs), places)
        held = {p.name: v for p, v in zip(inner.params(refs), own[0], strict=True)}
        theta = np.array([[held.get(p.name, term.null.get(p.name, 0.0)) for p in term.params(refs)]])
        np.testing.assert_allclose(term.value(rows, theta, refs), inner.value(rows, own, refs), rtol=1e-12)


@each_size
@PROPERTY
@given(places=PLACES)
def test_size_part(size: Size, refs: Refs, rows: Rows, places: list[float]) -> None:
    assert len(size.params) <= 1
    theta = within(size.params, places) if size.params else np.zeros((1, 0))
    floors = size.floors(rows, theta, refs)
    assert floors.shape == (1, len(rows.t), len(size.floor_names(refs)))
    if size.floors_gradient is not None:
        numeric = difference(lambda p: size.floors(rows, p, refs), theta)[..., 0]
        assert_slopes(size.floors_gradient(rows, theta, refs), numeric)
    if size.factor is not None:
        assert size.factor_gradient is not None
        factor = size.factor
        assert_slopes(size.factor_gradient(rows, theta), difference(lambda p: factor(rows, p), theta)[..., 0])
    assert bool(size.params) == (size.floors_gradient is not None or size.factor is not None)


@each_size
@PROPERTY
@given(places=PLACES)
def test_size_is_neutral_at_the_reference(size: Size, refs: Refs, rows: Rows, places: list[float]) -> None:
    """A model of the reference size keeps amplitude and floors as they are, and each row has a floor."""
    theta = within(size.params, places) if size.params else np.zeros((1, 0))
    at = replace(rows, m=np.zeros_like(rows.m))
    floors = size.floors(at, theta, refs)
    assert set(np.unique(floors).tolist()) <= {0.0, 1.0}
    assert (floors.sum(axis=2) >= 1.0).all()
    if size.factor is not None:
        assert (size.factor(at, theta) == 1.0).all()


@pytest.mark.parametrize("stem", PARTS)
def test_goes_from_process_to_process(stem: str) -> None:
    """Simulations hand laws to processes of their own: a lambda in one would not get there."""
    assert pickle.loads(pickle.dumps(PARTS[stem])).name == stem
