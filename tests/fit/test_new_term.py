"""The promise that a new term is one file: one made up here fits, forecasts and plans, and nothing else names it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ftplan import laws
from ftplan.fit import ahead, fit_runs, predict_rows, predictor
from ftplan.fit.candidates import candidates
from ftplan.fit.features import prepare
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term
from ftplan.plan import make_plan
from ftplan.readers.problems import Flags, read_problem
from ftplan.runs import Metric, RunTable, from_rows

#: what an epoch beyond the first takes from ln D here
WEAR = 0.25


def _params(_refs: Refs) -> tuple[Nonlinear, ...]:
    return (Nonlinear("wear", -2.0, 2.0, (-0.5, 1.0), meaning="what each further epoch wears off"),)


def _value(rows: Rows, theta: Floats, _refs: Refs) -> Floats:
    return -theta[:, :1] * rows.repeats


def _gradient(rows: Rows, theta: Floats, _refs: Refs) -> Floats:
    repeats = np.broadcast_to(rows.repeats, (len(theta), rows.repeats.shape[-1]))
    return -repeats[:, :, None]


def _natural(named: Named, _refs: Refs) -> Named:
    return dict(named)


@pytest.fixture
def wear(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module as laws/terms/wear.py would be: epochs wear data off, another account of what repetition describes."""
    module = ModuleType("ftplan.laws.terms.wear")
    module.TERM = Term(  # type: ignore[attr-defined]
        name="wear",
        formula="-wear·(epochs - 1)",
        source="made up",
        params=_params,
        value=_value,
        gradient=_gradient,
        natural=_natural,
        family="repetition",
        linear=lambda _: True,
        null={"wear": 0.0},
    )
    listed = laws.part_names
    more = {"terms": (*listed("terms"), "wear")}

    def part_names(kind: str) -> tuple[str, ...]:
        return more.get(kind, listed(kind))

    monkeypatch.setitem(sys.modules, "ftplan.laws.terms.wear", module)
    for place in ("ftplan.laws", "ftplan.laws.law", "ftplan.fit.candidates"):
        monkeypatch.setattr(f"{place}.part_names", part_names)
    parse.cache_clear()
    yield "wear"
    parse.cache_clear()


@pytest.fixture
def runs() -> RunTable:
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for examples in (500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0):
        for epochs in (1.0, 2.0, 4.0):
            worth = examples * 100.0 * np.exp(-WEAR * (epochs - 1.0))
            loss = 1.0 + 2.0 * (worth / 1e5) ** -0.4 + 0.002 * rng.standard_normal()
            rows.append({"examples": examples, "avg_tokens": 100.0, "epochs": epochs, "loss": loss})
    return from_rows(rows, Metric("loss", "min", "nats"), source="runs.csv")


def test_a_term_is_one_file(wear: str, runs: RunTable) -> None:
    data = prepare(runs)
    names = {law.name for law in candidates(data)}
    assert {"power+wear", "power+repetition"} <= names
    assert not any("wear" in name and "repetition" in name for name in names)

    fit = fit_runs(runs, draws=100)
    series = fit.series[0]
    used = series.selected[0].law
    assert "wear" in used
    found = next(law for law in series.laws if law.name == used).params["wear"]
    assert found.low is not None
    assert found.high is not None
    assert found.low < WEAR < found.high

    # forecasts carry its column, and are less sure of it at epochs that no run had
    members = [law for law, _, _ in ahead.member_laws(parse(used))]
    assert all(law.has(wear) for law in members)
    assert ahead.line_names(members[0], data.refs) == ["1", "ln T", "wear"]
    row = {"examples": 64000.0, "avg_tokens": 100.0, "epochs": 1.0, "loss": 0.0}
    near, far = (from_rows([{**row, "epochs": e}], runs.metric, source="rows") for e in (1.0, 4.0))
    low, high = predict_rows(fit, near)[0], predict_rows(fit, far)[0]
    assert low.value < high.value
    model = predictor(fit, "")
    assert model.ahead is not None
    leverage = [model.ahead.spread(model.features(t))[2].item() for t in (near, far)]
    assert leverage[0] != leverage[1]


@pytest.mark.usefixtures("wear")
def test_a_plan_weighs_it(runs: RunTable) -> None:
    """Where epochs cost and wear data off, a plan takes one."""
    problem = replace(read_problem("quickstart", Flags(series="")).problem, series="")
    fit = fit_runs(runs, ["power+wear"], draws=50)
    assert make_plan(problem, fit).data.epochs == 1


def test_candidates_leave_it_out_where_nothing_varies(wear: str, truth: Callable[..., RunTable], grid: Any) -> None:
    table = truth("power", grid(np.geomspace(1e4, 1e6, 8)), [0.4], [1.0, 2.0])
    assert not any(law.has(wear) for law in candidates(prepare(table)))
