"""Plan files, and what today's prices, budgets and pool put in place of what they say."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftplan.errors import Infeasible, InputError
from ftplan.fit import borrowed_fit
from ftplan.formats import render
from ftplan.formats.documents.plan import document
from ftplan.formats.documents.plan_file import plan_of_dict, plan_to_dict
from ftplan.origin import Origin, Sourced
from ftplan.plan import make_plan
from ftplan.plan.inputs import with_pool_path
from ftplan.presets import load_gpu, load_law
from ftplan.readers.hardware import shipped_price
from ftplan.readers.plans import Today, committed, pool_of_plan, read_plan, todays
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import Budget


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """A plan priced by the GPU's own preset."""
    asked = read_problem("lora-8b", Flags(gpu="a100-40gb:2"))
    problem = replace(asked.problem, usd_per_gpu_hour=shipped_price(load_gpu("a100-40gb")))
    made = with_pool_path(make_plan(problem, borrowed_fit(load_law(asked.law))), "lora-8b")
    values: dict[str, Any] = yaml.safe_load(render(document(made), "yaml"))
    return values


@pytest.fixture
def file(plain: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


def test_a_plan_reads_back_as_itself(file: Path, plain: dict[str, Any]) -> None:
    plan = read_plan(str(file))
    assert plan_to_dict(plan) == plain
    assert plan_of_dict(json.loads(json.dumps(plan_to_dict(plan)))) == plan


def test_what_an_older_file_lacks_is_empty(plain: dict[str, Any]) -> None:
    required = (
        "schema_version",
        "kind",
        "feasible",
        "inputs",
        "data",
        "selection",
        "training",
        "budgets",
        "prediction",
    )
    plan = plan_of_dict({key: plain[key] for key in required})
    assert (plan.name, plan.frontier, plan.regret, plan.cost.usd) == ("plan", (), None, None)


def test_a_plan_is_committed(file: Path, plain: dict[str, Any]) -> None:
    plan = committed(read_plan(str(file)))
    assert plan.budgets == (Budget("usd", 8.0), Budget("wall_hours", 4.0))
    assert (plan.examples, plan.method) == (plain["data"]["examples"], plain["selection"]["method"])
    assert (plan.gpu, plan.job.gpus, plan.job.usd_per_gpu_hour) == ("a100-40gb", 2, 1.29)
    assert plan.price_origin == shipped_price(load_gpu("a100-40gb")).origin  # type: ignore[union-attr]
    assert plan.selector is not None
    assert plan.selector.name == plain["selection"]["model"]
    assert todays(plan, Today()) == (plan, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[]", "not a plan file (kind: 'list')"),
        ("kind: fit", "not a plan file (kind: 'fit')"),
        ("kind: plan\nschema_version: 2", "schema_version 2, this ftplan reads 1"),
        ("kind: plan\nschema_version: 1\nfeasible: true", "key 'inputs' is missing"),
        ("a: [\n", "not YAML"),
    ],
)
def test_what_is_no_plan(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(change)
    with pytest.raises(InputError) as caught:
        read_plan(str(path))
    assert message in caught.value.message


def test_a_refusal_is_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("schema_version: 1\nkind: plan\nfeasible: false\nreason: too dear\nhint: pay more\n")
    with pytest.raises(Infeasible, match=r"plan\.yaml holds no plan: too dear") as caught:
        read_plan(str(path))
    assert caught.value.hint == "pay more"


def test_a_wrong_value_is_named_by_its_path(plain: dict[str, Any], tmp_path: Path) -> None:
    spoilt = copy.deepcopy(plain)
    spoilt["budgets"][1]["limit"] = "4h"
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(spoilt))
    with pytest.raises(InputError, match=r"plan\.yaml: budgets\[1\]\.limit: '4h' is not a number"):
        read_plan(str(path))


def test_budgets_replace_those_of_their_kind(file: Path) -> None:
    plan, _ = todays(committed(read_plan(str(file))), Today(budgets=("5usd", "1e18flops")))
    assert plan.budgets == (Budget("wall_hours", 4.0), Budget("usd", 5.0), Budget("total_flops", 1e18))
    with pytest.raises(InputError, match="two budgets of one kind: 5usd and 6usd"):
        todays(committed(read_plan(str(file))), Today(budgets=("5usd", "6usd")))


def test_prices_and_mfu_of_the_command_line(file: Path) -> None:
    price, mfu = Origin("configured", "ftplan.toml: price"), Origin("asked", "--mfu")
    today = Today(usd_per_gpu_hour=Sourced(3.0, price), mfu=Sourced(0.5, mfu))
    plan, notes = todays(committed(read_plan(str(file))), today)
    assert (plan.job.usd_per_gpu_hour, plan.price_origin) == (3.0, price)
    assert (plan.job.mfu, plan.mfu_origin, notes) == (0.5, mfu, ())


def test_an_older_file_says_in_words_where_its_rates_come_from(plain: dict[str, Any], tmp_path: Path) -> None:
    older = copy.deepcopy(plain)
    del older["inputs"]["costs"]["gpu"]["mfu_origin"], older["inputs"]["costs"]["price"]["origin"]
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(older))
    plan = committed(read_plan(str(path)))
    assert plan.price_origin is not None
    assert (plan.price_origin.kind, plan.price_origin.date) == ("preset", "2026-11-22")
    assert str(plan.price_origin) == older["inputs"]["costs"]["price"]["source"]
    assert str(plan.mfu_origin) == older["inputs"]["costs"]["gpu"]["mfu_source"]


def test_a_shipped_price_gives_way_to_a_later_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(load_gpu("a100-40gb"), usd_per_hour=2.5, price_date="2027-01-05")
    monkeypatch.setattr("ftplan.readers.plans.load_gpu", lambda _: later)
    plan, notes = todays(committed(read_plan(str(file))), Today())
    assert plan.price_origin is not None
    assert (plan.job.usd_per_gpu_hour, plan.price_origin.date) == (2.5, "2027-01-05")
    assert notes[0].startswith("a100-40gb now costs 2.5 USD an hour")
    assert notes[0].endswith("the plan was made with 1.29 of 2026-11-22")
    own, notes = todays(
        committed(read_plan(str(file))), Today(usd_per_gpu_hour=Sourced(2.0, Origin("asked", "--price")))
    )
    assert (own.job.usd_per_gpu_hour, notes) == (2.0, ())
    users = replace(committed(read_plan(str(file))), price_origin=Origin("asked", "--price"))
    assert todays(users, Today())[0].job.usd_per_gpu_hour == 1.29


def test_another_gpu_brings_its_own_rates(file: Path) -> None:
    plan = todays(committed(read_plan(str(file))), Today(gpu="h100-sxm:4"))[0]
    preset = load_gpu("h100-sxm")
    assert (plan.gpu, plan.job.gpus, plan.job.peak_flops) == ("h100-sxm", 4, preset.peak_flops)
    assert (plan.job.mfu, plan.job.usd_per_gpu_hour) == (preset.mfu["lora"], preset.usd_per_hour)
    more = todays(committed(read_plan(str(file))), Today(gpu="a100-40gb:8"))[0]
    assert (more.job.gpus, more.job.usd_per_gpu_hour, more.job.mfu) == (8, 1.29, 0.35)


def test_a_price_without_a_gpu_counts_nothing(file: Path) -> None:
    plan = committed(read_plan(str(file)))
    bare = replace(plan, gpu="", job=replace(plan.job, peak_flops=0.0), price_origin=None)
    with pytest.raises(InputError, match="names no GPU"):
        todays(bare, Today(usd_per_gpu_hour=Sourced(3.0, Origin("asked", "--price"))))


def test_requirements_of_the_file_stay(file: Path, plain: dict[str, Any]) -> None:
    asked = {**plain, "requirements": [{"requirement": "accuracy>=40"}]}
    file.write_text(yaml.safe_dump(asked))
    plan, _ = todays(committed(read_plan(str(file))), Today(require=("accuracy>=41@0.9", "accuracy>=40")))
    assert [str(wanted) for wanted in plan.requirements] == ["accuracy>=40", "accuracy>=41@0.9"]


def test_the_pool_lies_beside_the_plan_or_ships(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = committed(read_plan(str(file)))
    assert pool_of_plan(plan, str(file), None).sha256 == plan.pool_sha256
    (tmp_path / "lengths.csv").write_text("tokens,examples\n400,1000\n")
    beside = replace(plan, pool_path="lengths.csv")
    assert pool_of_plan(beside, str(file), None).examples == 1000
    monkeypatch.chdir(tmp_path)
    assert pool_of_plan(beside, "-", None).examples == 1000
    assert pool_of_plan(plan, str(file), "lengths.csv").examples == 1000
    with pytest.raises(InputError, match=r"gone\.csv: the pool of the plan is not there"):
        pool_of_plan(replace(plan, pool_path="gone.csv"), str(file), None)
    with pytest.raises(InputError, match="does not say where its pool lies"):
        pool_of_plan(replace(plan, pool_path=""), str(file), None)
