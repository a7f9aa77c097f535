"""The run table that ships with the project."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from ftplan.readers.tables import read_runs
from ftplan.runs import Metric

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RUNS = Path(__file__).parents[2] / "presets" / "runs"
TABLE = RUNS / "pyfunc.csv"


def test_what_it_holds() -> None:
    table = read_runs(str(TABLE))
    assert table.metric == Metric("loss", "min", "nats")
    assert table.groups == ("xs", "s", "m")
    assert table.notes == ("metric loss (lower is better); --metric chooses another: accuracy",)
    for _, series in table.series():
        base = series.examples == 0
        assert (len(series), int(base.sum())) == (41, 1)
        # every run beats the model it started from
        assert (series.value[~base] < series.value[base]).all()
        assert set(series.seed[~base].tolist()) == {0.0, 1.0}
    # the published bases, by hand from the measurement
    assert table.value[table.examples == 0].tolist() == [5.36429, 5.04127, 4.83501]
    assert sorted(set(table.model_params.tolist())) == [55_776, 333_120, 1_772_928]


def test_accuracy_too() -> None:
    table = read_runs(str(TABLE), metric="accuracy")
    assert table.metric == Metric("accuracy", "max", "fraction")
    assert table.value[table.examples == 0].tolist() == [0.08954, 0.11166, 0.12968]


def test_sizes_agree_and_lengths_vary_at_fixed_tokens() -> None:
    table = read_runs(str(TABLE))
    trained = table.subset(table.examples > 0)
    np.testing.assert_allclose(trained.tokens, trained.examples * trained.avg_tokens, rtol=0.01)
    assert np.log(trained.avg_tokens.max() / trained.avg_tokens.min()) > np.log(10)
    design = np.log(np.stack([trained.examples, trained.avg_tokens]))
    assert abs(np.corrcoef(design)[0, 1]) < 0.7


def test_columns_are_canonical_and_explained() -> None:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
    sidecar = tomllib.loads((RUNS / "pyfunc.toml").read_text(encoding="utf-8"))
    assert header == list(sidecar["columns"])
    assert read_runs(str(TABLE)).rows()[1].keys() == {*header, "epochs"} - {"accuracy"}
    assert sidecar["source"]
    assert sidecar["licence"]
    assert sidecar["date"].year == 2026
    assert sidecar["pool"]["pool_examples"] == 58_469
