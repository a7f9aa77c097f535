"""Sums over rows, against derivatives written down one by one (`Law.jacobian`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.fit.equations import Products, gram, normal, shapes, total
from ftplan.laws import part_names
from ftplan.laws.design import Design
from ftplan.laws.law import parse
from ftplan.laws.parts import Refs, Rows

B, N = 4, 60
LAWS = [
    "+".join(p for p in (curve, term, size) if p)
    for curve in part_names("curves")
    for term in ("", *part_names("terms"), "drift+repetition+selection")
    for size in ("", *part_names("sizes"))
]


@pytest.fixture(scope="module", params=["two selectors", "one selector", "many epochs"])
def case(request: pytest.FixtureRequest) -> tuple[Refs, Rows]:
    rng = np.random.default_rng(4)
    varied = ("bm25",) if request.param == "two selectors" else ()
    refs = Refs(
        T=1.0, S={"bm25": 1.0}, methods=("random", "bm25", "top"), levels=("a", "b", "c"), varied_selectors=varied
    )
    epochs = np.asarray(np.arange(N) / 9.0 if request.param == "many epochs" else rng.integers(1, 4, N) - 1.0)
    rows = Rows(
        t=rng.uniform(-2.0, 2.0, N),
        x=rng.uniform(-1.0, 1.0, N),
        m=rng.choice([-0.5, 0.1, 0.6], N),
        s=rng.choice([-0.7, 0.4], N),
        ln_pool=rng.uniform(0.0, 3.0, N),
        repeats=epochs,
        method=rng.integers(0, 3, N),
        level=rng.integers(0, 3, N),
        anchor=rng.uniform(4.0, 5.0, N),
    )
    return refs, rows


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("apart", [False, True], ids=["shared rows", "own rows"])
def test_normal_equations(name: str, case: tuple[Refs, Rows], apart: bool) -> None:
    law, (refs, rows), rng = parse(name), case, np.random.default_rng(7)
    if apart:
        rows = replace(rows, **{k: np.stack([np.roll(v, b) for b in range(B)]) for k, v in vars(rows).items()})
    scan = np.array([p.scan for p in law.nonlinear(refs)])
    theta = scan[:, 0] + rng.uniform(0.1, 0.9, (B, len(scan))) * (scan[:, 1] - scan[:, 0])
    amplitudes = rng.uniform(0.5, 3.0, (B, len(law.linear(refs))))
    w, residual = rng.uniform(0.0, 2.0, (B, N)), rng.standard_normal((B, N))
    free = np.ones_like(amplitudes)
    free[0, 0] = 0.0
    design, products = Design.of(law, rows, refs), Products()
    at = shapes(design, theta, rows)
    plain = law.evaluate(rows, theta, refs)
    np.testing.assert_allclose(total(at.blocks, amplitudes) + at.offset, plain.predict(amplitudes), rtol=1e-12)
    columns = np.broadcast_to(plain.columns, (B, N, amplitudes.shape[1])) * free[:, None, :]
    taken_up = gram(at.blocks, at.blocks, w, products)
    hessian, gradient = normal(design, products, theta, rows, w, amplitudes, at, residual, taken_up, free)
    slope = law.jacobian(rows, theta, amplitudes, plain, refs)
    for b in range(B):
        root = np.sqrt(w[b])[:, None]
        own, held = slope[b] * root, columns[b] * root
        reduced = own - held @ np.linalg.lstsq(held, own, rcond=None)[0]
        scale = float(np.abs(own.T @ own).max())
        np.testing.assert_allclose(hessian[b], reduced.T @ reduced, atol=1e-9 * scale, err_msg=name)
        expected = reduced.T @ (residual[b] * root[:, 0])
        np.testing.assert_allclose(
            gradient[b], expected, atol=1e-9 * np.sqrt(scale) * float(np.abs(residual).max()) * N
        )


def test_what_the_amplitudes_take_over_leaves_a_system_that_can_be_solved(case: tuple[Refs, Rows]) -> None:
    """A bend so far out that the curve is a second floor: nothing of its derivative is left but rounding."""
    law, (refs, rows), rng = parse("saturating+length"), case, np.random.default_rng(1)
    theta = np.column_stack([np.full(20, 12.0), rng.uniform(-1.0, 1.0, (20, 2))])
    amplitudes, w = np.tile([3.0, 1e3], (20, 1)), np.ones((20, N))
    design, products = Design.of(law, rows, refs), Products()
    at = shapes(design, theta, rows)
    taken_up = gram(at.blocks, at.blocks, w, products)
    residual, free = rng.standard_normal((20, N)), np.ones((20, 2))
    hessian, _ = normal(design, products, theta, rows, w, amplitudes, at, residual, taken_up, free)
    scale = np.sqrt(np.einsum("bpp->bp", hessian))
    assert (np.linalg.eigvalsh(hessian / scale[:, :, None] / scale[:, None, :]) > -1e-6).all()
