"""Run tables without a metric."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.fit.result import Fit
from ftplan.readers.planned import Planned, read_planned


@pytest.fixture
def two(fit: Fit) -> Fit:
    """A fit of series s and m."""
    return dataclasses.replace(fit, series=(fit.series[0], dataclasses.replace(fit.series[0], key="m")))


def read(tmp_path: Path, text: str, fit: Fit, **column_map: str) -> Planned:
    path = tmp_path / "planned.csv"
    path.write_text(text)
    return read_planned(str(path), fit, column_map)


def test_cells_stay_as_written_and_numbers_are_completed(tmp_path: Path, fit: Fit) -> None:
    planned = read(tmp_path, "note,n_samples,avg_tokens\n007,1k,120\n,20,100\n", fit)
    assert planned.headers == ("note", "n_samples", "avg_tokens")
    assert planned.cells == (("007", "1k", "120"), ("", "20", "100"))
    assert planned.table.tokens.tolist() == [120_000.0, 2_000.0]
    assert planned.table.group == ("s", "s")
    assert np.isnan(planned.table.value).all()


def test_a_series_is_found_in_column_group_or_where_all_keys_are(tmp_path: Path, two: Fit) -> None:
    assert read(tmp_path, "group,tokens\nm,100\ns,100\n", two).table.group == ("m", "s")
    assert read(tmp_path, "size,tokens\nm,100\ns,100\n", two).table.group == ("m", "s")
    assert read(tmp_path, "which,n\nm,100\n", two, which="group", n="tokens").table.group == ("m",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group,tokens\nxl,100\n", "planned.csv:2: column 'group': 'xl' is no series of the fit"),
        ("tokens\n100\n", "several series"),
        ("group,avg_tokens\ns,100\n", "no column for the number of examples or tokens"),
        ("group,tokens\ns,lots\n", "planned.csv:2: column 'tokens': 'lots'"),
    ],
)
def test_rows_that_cannot_be_predicted(text: str, message: str, tmp_path: Path, two: Fit) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, two)
    assert message in caught.value.message
