"""Other people's tables, read as published. They lie beside the checkout and are left out where that is absent;
`LAYOUTS` keeps their headers, with made-up numbers, for everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, RunTable

Read = Callable[..., RunTable]

DATA = Path(__file__).parents[3] / "shared" / "data"

SELECTION = (
    "task,train_model,train_params,method,selection_model,selection_params,data_fraction,train_tokens,train_flops,"
    "selection_flops,total_flops,score,epochs,train_examples,shared_full_data_run,figure,note\n"
    "T,small,7000000000,random,,,0.5,,1e17,0,1e17,41.5,1,500,no,1,\n"
    "T,small,7000000000,less,scorer,110000000,0.25,,1e17,1e16,1e17,42.5,1,250,no,1,a remark\n"
    "T,large,13000000000,random,,,0.5,,1e17,0,1e17,51.5,2,500,no,1,\n"
    "T,large,13000000000,less,scorer,110000000,1.0,,1e17,1e16,1e17,52.5,2,1000,yes,1,\n"
)


def test_selection_runs(read: Read) -> None:
    table = read(SELECTION)
    assert table.metric == Metric("score", "max", "percent")
    assert table.groups == ("small", "large")
    assert table.data_unit == "examples"
    assert table.rows()[1] == {
        "group": "small",
        "method": "less",
        "examples": 250,
        "model_params": 7_000_000_000,
        "epochs": 1,
        "selector_params": 110_000_000,
        "pool_examples": 1000,
        "score": 42.5,
    }


def test_examples_only_with_base_rows(read: Read) -> None:
    rows = [f"{f}/{m},{f},{p},{n},{9 - n}" for f in "AB" for m, p in (("s", 10_000), ("l", 20_000)) for n in (0, 2, 4)]
    table = read("\n".join(["model,family,model_params,examples,loss", *rows]))
    assert len(table.groups) == 4
    assert table.data_unit == "examples"
    assert table.volume[:3].tolist() == [0.0, 2.0, 4.0]


def test_every_row_a_size_of_its_own(read: Read) -> None:
    rows = [f"{m / 3!r},1e18,{m * 7.5!r},3" for m in (10**9, 2 * 10**9, 10**9)]
    table = read("\n".join(["model_params,train_flops,tokens,loss", *rows]))
    assert table.groups == ("",)
    assert np.isnan(table.examples).all()
    assert table.data_unit == "tokens"


if DATA.is_dir():

    @pytest.mark.parametrize(
        ("path", "rows", "series", "unit", "metric"),
        [
            ("ccds/runs_mmlu.csv", 95, 3, "examples", Metric("score", "max", "percent")),
            ("ccds/runs_bbh.csv", 90, 3, "examples", Metric("score", "max", "percent")),
            ("ccds/runs_ifeval.csv", 30, 1, "examples", Metric("score", "max", "percent")),
            ("rectified/flan.csv", 450, 30, "examples", Metric("loss", "min", "nats")),
            ("rectified/wmt19.csv", 450, 30, "examples", Metric("loss", "min", "nats")),
            ("chinchilla/runs.csv", 245, 1, "tokens", Metric("loss", "min", "nats")),
            ("volume/pyfunc.csv", 120, 3, "tokens", Metric("loss", "min", "nats")),
        ],
    )
    def test_published_table(path: str, rows: int, series: int, unit: str, metric: Metric) -> None:
        table = read_runs(str(DATA / path))
        assert (len(table), len(table.groups), table.data_unit, table.metric) == (rows, series, unit, metric)
        assert np.isfinite(table.model_params).all()
        assert (table.volume > 0).sum() == rows - (table.examples == 0).sum()

    def test_the_shipped_table_is_the_measured_one() -> None:
        shipped = read_runs(str(Path(__file__).parents[2] / "presets" / "runs" / "pyfunc.csv"))
        measured = read_runs(str(DATA / "volume" / "pyfunc.csv"))
        trained = shipped.subset(shipped.examples > 0)
        assert trained.rows() == measured.rows()
