"""The run table as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ftplan.runs import Metric, RunTable, from_rows

LOSS = Metric("loss", "min", "nats")
ROWS: list[dict[str, Any]] = [
    {"group": "large", "examples": 0, "tokens": 0, "model_params": 20, "epochs": 1, "loss": 5.0},
    {"group": "large", "examples": 10, "avg_tokens": 2.5, "tokens": 25, "model_params": 20, "epochs": 1, "loss": 4.0},
    {"group": "small", "examples": 30, "avg_tokens": 2, "tokens": 60, "model_params": 10, "epochs": 2, "loss": 3.0},
]


def table(*changes: dict[str, Any]) -> RunTable:
    """ROWS with the given changes, one dict per row; None removes a value."""
    rows = [dict(row) for row in ROWS]
    for row, change in zip(rows, changes, strict=False):
        row.update(change)
    return from_rows([{k: v for k, v in row.items() if v is not None} for row in rows], LOSS)


def test_rows_are_what_went_in() -> None:
    assert table().rows() == ROWS


def test_whole_numbers_stay_whole() -> None:
    assert isinstance(table().rows()[0]["model_params"], int)
    assert isinstance(table().rows()[0]["loss"], float)


def test_absent_values() -> None:
    plain = from_rows([{"tokens": 5, "loss": 1}], LOSS)
    assert np.isnan(plain.examples[0])
    assert (plain.group, plain.method, plain.source, plain.notes) == (("",), ("",), "-", ())
    assert plain.rows() == [{"tokens": 5, "loss": 1.0}]


def test_volume_counts_tokens_where_every_trained_row_has_them() -> None:
    assert table().data_unit == "tokens"
    assert table().volume.tolist() == [0.0, 25.0, 60.0]
    # the base model needs no token count
    assert table({"tokens": None}).data_unit == "tokens"


def test_volume_counts_examples_otherwise() -> None:
    mixed = table({}, {"tokens": None, "avg_tokens": None})
    assert mixed.data_unit == "examples"
    assert mixed.volume.tolist() == [0.0, 10.0, 30.0]


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ((), ("small", "large")),  # by model size
        (({"model_params": None},) * 3, ("large", "small")),  # no size: as they come
        (({}, {}, {"model_params": 20}), ("large", "small")),  # one size: as they come
    ],
)
def test_order_of_groups(changes: tuple[dict[str, Any], ...], groups: tuple[str, ...]) -> None:
    assert table(*changes).groups == groups


def test_series_are_the_rows_of_each_group() -> None:
    series = dict(table().series())
    assert list(series) == ["small", "large"]
    assert series["large"].rows() == ROWS[:2]
    assert series["small"].rows() == ROWS[2:]


def test_subset_by_mask_and_by_index() -> None:
    assert table().subset(np.array([False, True, True])).rows() == ROWS[1:]
    picked = table().subset(np.array([2, 0, 2]))
    assert picked.rows() == [ROWS[2], ROWS[0], ROWS[2]]
    assert (len(picked), picked.metric) == (3, LOSS)
