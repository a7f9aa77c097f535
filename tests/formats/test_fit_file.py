"""Write then read is identity."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
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
    unknown = (float("nan"), float("nan"))
    ranges = {"tokens": (1.0, 9.0), "epochs": (1.0, 1.0), "model_params": unknown}
    series = dataclasses.replace(fit.series[0], laws=(law,), ranges=ranges)
    plain = fit_to_dict(dataclasses.replace(fit, series=(series,)))
    json.dumps(plain, allow_nan=False)
    back = fit_from_dict(plain).series[0]
    assert (back.laws[0].aicc, back.laws[0].cv_rmse) == (None, None)
    assert back.ranges == {"tokens": (1.0, 9.0), "epochs": (1.0, 1.0)}


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


def _rows(plain: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = plain["runs"]["rows"]
    return rows


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda plain: _rows(plain).clear(), "it holds no runs"),
        (lambda plain: _rows(plain).insert(0, {}), "row 1 of its runs has no "),
        (lambda plain: _rows(plain)[0].update({plain["metric"]["name"]: 1e300}), "that was measured"),
        (lambda plain: plain["metric"].update(name="other"), "has no other"),
        (lambda plain: _rows(plain)[0].update(examples=-5), "row 1"),
        (lambda plain: _rows(plain)[0].update(avg_tokens=0), "avg_tokens that no run can have"),
        (lambda plain: plain["series"][0].update(key="zzz"), "none of its runs is of the series 'zzz'"),
        (lambda plain: plain["series"].append(plain["series"][0]), "two of its series have one key"),
        (lambda plain: plain["series"][0]["ranges"].pop("tokens"), "range of its tokens"),
    ],
)
def test_rows_and_series_that_fit_the_schema_and_nothing_else_are_refused(
    fit: Fit, damage: Callable[[dict[str, Any]], object], said: str
) -> None:
    plain = json.loads(json.dumps(fit_to_dict(fit)))
    damage(plain)
    with pytest.raises(InputError, match=said):
        fit_from_dict(plain, source="fit.yaml")


def test_whole_numbers_may_be_written_with_a_point(fit: Fit) -> None:
    plain = json.loads(json.dumps(fit_to_dict(fit)))
    plain["seed"], plain["bootstrap"]["draws"] = 3.0, 20.0
    read = fit_from_dict(plain)
    assert [repr(number) for number in (read.seed, read.draws)] == ["3", "20"]


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
