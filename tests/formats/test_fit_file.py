"""Write then read is identity."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.fit.result import Fit, LawFit, Param
from ftplan.formats import render
from ftplan.formats.documents.fit import document
from ftplan.formats.documents.fit_file import fit_from_dict, fit_to_dict
from ftplan.readers.fits import read_fit
from ftplan.runs import RunTable


def same(left: Fit, right: Fit) -> bool:
    """Equality of fits; the arrays of a run table are compared with NaN equal to NaN."""
    if (left.runs is None) != (right.runs is None):
        return False
    if left.runs is not None and right.runs is not None and not same_table(left.runs, right.runs):
        return False
    return dataclasses.replace(left, runs=None) == dataclasses.replace(right, runs=None)


def same_table(left: RunTable, right: RunTable) -> bool:
    pairs = [(getattr(left, f.name), getattr(right, f.name)) for f in dataclasses.fields(RunTable)]
    return all(bool(np.array_equal(a, b, equal_nan=True)) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_reads_back_as_the_same_fit(suffix: str, fit: Fit, tmp_path: Path) -> None:
    path = tmp_path / f"fit.{suffix}"
    path.write_text(render(document(fit), suffix), encoding="utf-8")
    assert same(read_fit(str(path)), fit)


def test_a_borrowed_law_has_no_runs(fit: Fit) -> None:
    borrowed = dataclasses.replace(fit, runs=None, borrowed="a paper", runs_sha256="")
    assert same(fit_from_dict(fit_to_dict(borrowed)), borrowed)


numbers = st.floats(allow_nan=False, allow_infinity=False)
params = st.builds(
    Param,
    estimate=st.none() | numbers,
    low=st.none() | numbers,
    high=st.none() | numbers,
    status=st.sampled_from(["ok", "at_bound", "not_identified", "fixed", "borrowed"]),
    unit=st.text(max_size=8),
)
laws = st.builds(
    LawFit,
    name=st.text(min_size=1, max_size=20),
    params=st.dictionaries(st.text(min_size=1, max_size=8), params, max_size=4),
    n_params=st.integers(1, 9),
    rmse=numbers,
    aicc=st.none() | numbers,
    cv_rmse=st.none() | numbers,
    extrapolation_error=st.none() | numbers,
    extrapolation_se=st.none() | numbers,
    warnings=st.tuples(st.text()),
)


@hypothesis.given(law=laws)
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=60,
    derandomize=True,
)
def test_any_law_survives_json(law: LawFit, fit: Fit) -> None:
    changed = dataclasses.replace(fit, series=(dataclasses.replace(fit.series[0], laws=(law,)),))
    plain = json.loads(json.dumps(fit_to_dict(changed), allow_nan=False))
    assert same(fit_from_dict(plain), changed)


def test_what_is_not_finite_becomes_unknown(fit: Fit) -> None:
    law = dataclasses.replace(fit.series[0].laws[0], aicc=float("inf"), cv_rmse=float("nan"))
    series = dataclasses.replace(
        fit.series[0], laws=(law,), ranges={"epochs": (1.0, 1.0), "model_params": (float("nan"), float("nan"))}
    )
    plain = fit_to_dict(dataclasses.replace(fit, series=(series,)))
    json.dumps(plain, allow_nan=False)
    back = fit_from_dict(plain).series[0]
    assert (back.laws[0].aicc, back.laws[0].cv_rmse, back.ranges) == (None, None, {"epochs": (1.0, 1.0)})


def without(plain: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name != key}


def test_a_wrong_value_is_named_by_its_path(fit: Fit) -> None:
    plain = fit_to_dict(fit)
    plain["series"][0]["selected"][1]["weight"] = "x"
    with pytest.raises(InputError) as caught:
        fit_from_dict(plain, source="fit.yaml")
    assert caught.value.message == "fit.yaml: series[0].selected[1].weight: 'x' is not a number"
    assert caught.value.hint == "write it again with: ftplan fit RUNS -o FILE"


def test_rows_that_make_no_table_are_a_damaged_file(fit: Fit) -> None:
    plain = fit_to_dict(fit)
    del plain["runs"]["source"]
    with pytest.raises(InputError, match=r"fit\.yaml: damaged fit file: 'source' is missing"):
        fit_from_dict(plain, source="fit.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not YAML"),
        ("{\n 1}", "2: not JSON"),
        ("[]", "not a fit file"),
        ("kind: plan", "kind: 'plan'"),
        ("kind: fit\nschema_version: 99", "schema_version 99"),
        ("kind: fit\nschema_version: 1", "'metric' is missing"),
        ("kind: fit\nschema_version: 1\nmetric: {name: x}", "key 'objective' is missing"),
        ("just words", "not a fit file"),
    ],
)
def test_a_file_that_is_no_fit_is_one_message(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "fit.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_fit(str(path))
    assert message in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize("key", ["objective", "bootstrap", "series", "runs", "borrowed", "seed", "warnings"])
def test_every_key_is_needed(key: str, fit: Fit) -> None:
    with pytest.raises(InputError, match=f"'{key}' is missing"):
        fit_from_dict(without(fit_to_dict(fit), key))
