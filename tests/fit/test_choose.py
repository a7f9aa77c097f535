"""Ranking, the nested tests of length, and what is used inside the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.fit.choose import LengthTest, length_tests, rank
from ftplan.fit.features import Data, prepare
from ftplan.fit.problem import Solution
from ftplan.fit.score import Scored, f_test, folds, score
from ftplan.fit.series import best_inside
from ftplan.fit.tables import Tables
from ftplan.laws.law import parse
from ftplan.readers.tables import read_runs
from tests.fit.conftest import PYFUNC


def scored(law: str, params: int, ahead: float | None, cv: float = 0.1, sse: float = 1.0) -> Scored:
    none = Solution(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.ones(1, dtype=bool))
    return Scored(parse(law), none, params, sse, 0.1, -params * 1.0, cv, ahead, None if ahead is None else 0.01)


def names(ranked: list[Scored]) -> list[str]:
    return [s.law.name for s in ranked]


def test_within_one_standard_error_of_the_best_fewer_parameters_win() -> None:
    laws = [scored("rectified+drift", 7, 0.050), scored("power", 3, 0.059), scored("rectified", 4, 0.061)]
    assert names(rank(laws)) == ["power", "rectified+drift", "rectified"]


def test_laws_without_a_held_out_error_come_last_by_aicc() -> None:
    laws = [scored("rectified", 4, None), scored("rectified+drift", 7, None), scored("power", 3, 0.5)]
    assert names(rank(laws)) == ["power", "rectified+drift", "rectified"]


def test_f_test_by_hand() -> None:
    # F = ((2 - 1) / 1) / (1 / 20) = 20 with 1 and 20 degrees of freedom: p = 0.00023 (tables)
    assert f_test(
        scored("power", 3, None, sse=2.0), scored("power+composition", 4, None, sse=1.0), 24
    ) == pytest.approx(0.000234, rel=0.02)
    assert f_test(scored("power", 3, None, sse=1.0), scored("power+composition", 4, None, sse=1.0), 24) == 1.0


@pytest.mark.parametrize(
    ("composition", "length", "expected"), [(0.05, 0.9, True), (0.2, 0.005, True), (0.2, 0.02, False)]
)
def test_length_counts_when_either_test_says_so(composition: float, length: float, expected: bool) -> None:
    assert LengthTest("power", composition, length, 1.0).supported is expected


def test_inside_the_data_the_least_aicc_wins_where_length_is_supported() -> None:
    laws = [scored("rectified", 4, 0.1), scored("rectified+length", 6, 0.1)]
    assert best_inside(laws, True).law.name == "rectified+length"
    assert best_inside(laws, False).law.name == "rectified"


def test_without_aicc_a_parameter_must_earn_its_place() -> None:
    few = [scored("rectified", 4, None, cv=0.0500), scored("rectified+length", 6, None, cv=0.0495)]
    few = [replace(s, aicc=None) for s in few]
    assert best_inside(few, True).law.name == "rectified"
    assert best_inside([few[0], replace(few[1], cv_rmse=0.03)], True).law.name == "rectified+length"


@pytest.fixture(scope="module")
def small() -> Data:
    return prepare(dict(read_runs(str(PYFUNC)).series())["s"])


def test_folds_leave_every_cell_out_once_with_its_replicates(small: Data) -> None:
    left_out = folds(small)
    assert (left_out.sum(axis=0) == 1).all()
    for fold in left_out:
        assert len(set(small.cell[fold].tolist())) == 1
        assert fold.sum() == 2


def test_cross_validation_is_leave_one_cell_out(small: Data) -> None:
    from ftplan.fit.solve import predict, solve

    law = parse("rectified+length")
    squares = []
    for cell in range(small.n_cells):
        out = small.cell == cell
        alone = solve(small, law, (~out).astype(float), "squares").take(np.array([0]))
        squares += list((small.y - predict(small, law, alone)[0])[out] ** 2)
    assert score(Tables.of([small]), law, "squares")[0].cv_rmse == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-3)


def test_length_is_told_from_tokens_on_the_shipped_runs(small: Data) -> None:
    laws = [
        score(Tables.of([small]), parse(name), "squares")[0]
        for name in ("rectified", "rectified+composition", "rectified+length")
    ]
    tests = length_tests(small, laws)
    assert tests is not None
    assert tests.curve == "rectified"
    assert tests.length < 1e-10
    assert length_tests(small, laws[:1]) is None
