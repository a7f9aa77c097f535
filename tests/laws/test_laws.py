"""Whole laws: derivatives of every combination of parts, batches, and features that differ from fit to fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.laws import part_names
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats, Refs, Rows

TERMS = ("", *part_names("terms"), "length+selection", "drift+repetition+selection")
LAWS = [
    "+".join(p for p in (curve, term, size) if p)
    for curve in part_names("curves")
    for term in TERMS
    for size in ("", *part_names("sizes"))
]
B = 3


def some_fits(name: str, refs: Refs) -> tuple[Floats, Floats]:
    """(B, P) parameters within the scanned range and (B, K) amplitudes."""
    law, rng = parse(name), np.random.default_rng(3)
    scan = np.array([p.scan for p in law.nonlinear(refs)])
    theta = scan[:, 0] + rng.uniform(0.1, 0.9, (B, len(scan))) * (scan[:, 1] - scan[:, 0])
    return theta, rng.uniform(0.5, 3.0, (B, len(law.linear(refs))))


@pytest.mark.parametrize("name", LAWS)
def test_jacobian(name: str, refs: Refs, rows: Rows) -> None:
    law = parse(name)
    theta, amplitudes = some_fits(name, refs)
    at = law.evaluate(rows, theta, refs)
    analytic = law.jacobian(rows, theta, amplitudes, at, refs)
    assert analytic.shape == (B, len(rows.t), len(law.nonlinear(refs)))
    scale = np.abs(at.predict(amplitudes)).max()
    for i in range(theta.shape[1]):
        move = np.zeros_like(theta)
        move[:, i] = 1e-6
        up = law.evaluate(rows, theta + move, refs).predict(amplitudes)
        down = law.evaluate(rows, theta - move, refs).predict(amplitudes)
        np.testing.assert_allclose(
            analytic[..., i], (up - down) / 2e-6, rtol=2e-5, atol=1e-8 * scale, err_msg=law.nonlinear(refs)[i].name
        )


@pytest.mark.parametrize("name", LAWS)
def test_columns_are_the_derivatives_by_the_amplitudes(name: str, refs: Refs, rows: Rows) -> None:
    law = parse(name)
    theta, amplitudes = some_fits(name, refs)
    at = law.evaluate(rows, theta, refs)
    assert at.columns.shape[-1] == len(law.linear(refs))
    assert law.n_params(refs) == theta.shape[1] + amplitudes.shape[1] - sum(law.held(refs))
    for k in range(amplitudes.shape[1]):
        more = amplitudes.copy()
        more[:, k] += 1.0
        gain = at.predict(more) - at.predict(amplitudes)
        np.testing.assert_allclose(np.broadcast_to(at.columns[..., k], gain.shape), gain, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LAWS)
def test_a_batch_is_its_fits_one_by_one(name: str, refs: Refs, rows: Rows) -> None:
    """Also where every fit has rows of its own, (B, n) features."""
    law = parse(name)
    theta, amplitudes = some_fits(name, refs)
    own = {k: np.stack([np.roll(v, b) for b in range(B)]) for k, v in vars(rows).items()}
    at = law.evaluate(replace(rows, **own), theta, refs)
    slopes = law.jacobian(replace(rows, **own), theta, amplitudes, at, refs)
    for b in range(B):
        alone = replace(rows, **{k: v[b] for k, v in own.items()})
        one = law.evaluate(alone, theta[b : b + 1], refs)
        np.testing.assert_allclose(at.predict(amplitudes)[b], one.predict(amplitudes[b : b + 1])[0], rtol=1e-12)
        expected = law.jacobian(alone, theta[b : b + 1], amplitudes[b : b + 1], one, refs)[0]
        np.testing.assert_allclose(slopes[b], expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", LAWS)
def test_reported_names_are_distinct_and_finite(name: str, refs: Refs) -> None:
    law = parse(name)
    theta, amplitudes = some_fits(name, refs)
    named = law.natural(theta, amplitudes, refs)
    assert {k for k, v in named.items() if not np.isfinite(v).all()} <= {"Lstar"}
    assert all(v.shape == (B,) for v in named.values())
    # inside names are scaled by references and never reported
    assert not [k for k in named if k.startswith("ln_")]


def test_more_data_is_never_worse(refs: Refs, rows: Rows) -> None:
    for name in LAWS:
        law = parse(name)
        theta, amplitudes = some_fits(name, refs)
        # the amplitude is what lies between start and floor: an anchor must lie above the floors
        high = replace(rows, anchor=rows.anchor + 20.0)
        plenty = replace(high, t=high.t + 0.5)
        if "drift" in law.name:  # a length that is worth more with less data may lose by more
            continue
        now = law.evaluate(high, theta, refs).predict(amplitudes)
        assert (law.evaluate(plenty, theta, refs).predict(amplitudes) <= now + 1e-12).all(), name
