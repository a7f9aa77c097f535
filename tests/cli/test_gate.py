"""`plan --check`, `--require` and `--calibrate` as a build runs them: what they read, print and exit with."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run


@pytest.fixture
def plan(run: Run) -> str:
    """A committed plan of a shipped problem on a borrowed law, which needs no fit."""
    assert run("plan", "lora-8b", "-o", "plan.yaml", "-q")[0] == 0
    return "plan.yaml"


def test_a_plan_just_written_holds(run: Run, plan: str) -> None:
    code, out, err = run("plan", "--check", plan)
    assert (code, err) == (0, "")
    assert out.startswith("plan.yaml holds today: 3 constraints kept.\n")
    checked = json.loads(run("plan", "--check", plan, "--format", "json")[1])
    written = yaml.safe_load(Path(plan).read_text())
    assert checked["passed"] is True
    for kind, cost in written["cost"].items():
        assert checked["cost"][kind] == pytest.approx(cost, rel=1e-9)


def test_a_higher_price_breaks_it(run: Run, plan: str) -> None:
    code, out, err = run("plan", "--check", plan, "--price", "2.1", "--format", "github")
    assert (code, err) == (1, "")
    assert "::error title=ftplan check%3A budget usd::10.24 USD of 8.00 USD, 128 %25; raise it to 10.3usd" in out
    assert run("plan", "--check", plan, "--price", "2.1", "--budget", "10.3usd")[0] == 0
    assert run("plan", "--check", plan, "--mfu", "0.3")[0] == 1
    assert run("plan", "--check", plan, "--gpu", "a100-80gb:1")[0] == 1


def test_a_report_is_written_beside_what_is_printed(run: Run, plan: str) -> None:
    code, out, err = run("plan", "--check", plan, "--price", "2.1", "--format", "github", "-o", "report.xml")
    assert (code, out.count("::error"), err) == (1, 1, "wrote report.xml\n")
    assert ET.parse("report.xml").getroot().get("failures") == "1"
    run("plan", "--check", plan, "-q", "-o", "summary.md")
    assert Path("summary.md").read_text().startswith("**plan.yaml holds today")


def test_one_value_of_a_check(run: Run, plan: str) -> None:
    assert run("plan", "--check", plan, "--get", "passed") == (0, "true\n", "")
    code, out, err = run("plan", "--check", plan, "--price", "2.1", "--get", "cost.usd")
    assert (code, out[:5]) == (1, "10.24")
    assert err.startswith("budget usd fails: 10.24 USD of 8.00 USD")
    assert run("plan", "--check", plan, "--price", "2.1", "--get", "cost.usd", "-q")[2] == ""


def test_a_pool_in_a_file_is_found_beside_the_plan(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("plans", "data", "elsewhere"):
        Path(folder).mkdir()
    pool = Path("data/lengths.csv")
    pool.write_text("lo,hi,examples\n200,300,100000\n301,700,90000\n")
    assert run("plan", "lora-8b", "--pool", str(pool), "-o", "plans/plan.yaml", "-q")[0] == 0
    assert yaml.safe_load(Path("plans/plan.yaml").read_text())["inputs"]["pool"]["path"] == "../data/lengths.csv"
    monkeypatch.chdir("elsewhere")
    assert run("plan", "--check", "../plans/plan.yaml")[::2] == (0, "")
    Path("../data/lengths.csv").write_text("lo,hi,examples\n200,300,1000\n301,700,900\n")
    code, out, _ = run("plan", "--check", "../plans/plan.yaml", "--format", "github")
    assert code == 1
    assert "::error title=ftplan check%3A pool::1,900 examples" in out
    assert "::warning title=ftplan check::the pool lengths has changed" in out
    Path("../data/lengths.csv").unlink()
    code, _, err = run("plan", "--check", "../plans/plan.yaml")
    assert (code, err.splitlines()[1]) == (2, "hint: --pool FILE")
    code, out, _ = run("plan", "--check", "../plans/plan.yaml", "--pool", "lora-8b", "--get", "eligible_examples")
    assert out == "146764\n"


def test_a_problem_of_ones_own_is_its_own_pool(run: Run) -> None:
    Path("mine.toml").write_text(
        '[data]\nlaw = "ccds-mmlu-7b"\n[pool]\nhistogram_tokens = [[200, 400, 30000]]\n'
        '[training]\nmodel = "qwen2.5-7b"\n[budget]\nlimits = ["1e18flops"]\n'
    )
    assert run("plan", "mine.toml", "-o", "plan.json", "-q")[0] == 0
    assert json.loads(Path("plan.json").read_text())["inputs"]["pool"]["path"] == "mine.toml"
    code, out, _ = run("plan", "--check", "plan.json")
    assert code == 0
    assert "changed" not in out


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (["lora-8b"], "counts a plan as it stands again: a problem has no place beside it", "ftplan plan --help"),
        (["--model", "phi-4"], "--model has no place beside it", "ftplan plan --help"),
        (["--require", "accuracy>60@2"], "2 is not a probability", "write @0.02"),
        (["--require", "loss<=2"], "the plan predicts accuracy", "accuracy>=VALUE"),
        (["--pool", "gone.csv"], "gone.csv: no such file", None),
        (["--budget", "4gpuh", "--budget", "5gpuh"], "two budgets of one kind", "keep the lower one"),
        (["-o", "nowhere/x.xml"], "nowhere: no such folder", "mkdir -p nowhere"),
    ],
)
def test_a_mistake_exits_2(run: Run, plan: str, args: list[str], message: str, hint: str | None) -> None:
    code, out, err = run("plan", "--check", plan, *args)
    assert (code, out) == (2, "")
    assert message in err
    assert hint is None or f"hint: {hint}\n" in err


def test_no_such_plan(run: Run) -> None:
    assert run("plan", "--check", "plan.yaml")[::2] == (2, "error: plan.yaml: no such file\n")


def test_a_fresh_plan_is_held_to_what_is_required(run: Run) -> None:
    code, out, _ = run("plan", "lora-8b", "--require", "accuracy>=46@0.9", "--require", "accuracy>=60", "-o", "p.yaml")
    assert code == 1
    lines = " ".join(out.split())
    assert "accuracy>=46@0.9 holds" in lines
    assert "accuracy>=60 FAILS expected accuracy 47.0" in lines
    told = yaml.safe_load(Path("p.yaml").read_text())["requirements"]
    assert [item["passed"] for item in told] == [True, False]
    again = run("plan", "--check", "p.yaml", "--format", "csv")
    assert (again[0], again[1].count("requirement")) == (1, 2)
    assert again[2].startswith("accuracy>=60 fails: ")
    assert run("plan", "lora-8b", "--require", "accuracy>=46", "-q")[0] == 0


def test_an_infeasible_plan_is_a_failure_in_every_format_of_a_build(run: Run) -> None:
    failures = {"github": "::error title=ftplan plan%3A feasible::", "junit": 'failures="1"', "markdown": "**"}
    for form, said in failures.items():
        code, out, err = run("plan", "lora-8b", "--budget", "1flops", "--format", form)
        assert code == 1
        assert said in out
        assert err.startswith("error: ")


FACTS = "runtime_s,tokens_seen,gpus\n7200,3e7,2\n"


def test_a_past_run_sets_the_mfu(run: Run) -> None:
    Path("runs.csv").write_text(FACTS)
    code, out, _ = run("plan", "lora-8b", "--calibrate", "runs.csv", "--format", "json")
    assert code == 0
    made = json.loads(out)
    (mfu,) = [item for item in made["assumptions"] if item["name"] == "MFU"]
    assert mfu["why"].startswith("calibrated from runs.csv:2: ")
    assert "in 7,200 s on 2 x a100-80gb" in mfu["why"]
    used = made["inputs"]["costs"]["gpu"]["mfu"]
    assert used != 0.35
    assert made["cost"]["gpu_hours"] == pytest.approx(made["cost"]["total_flops"] / (312e12 * used * 3600))


def test_a_past_run_holds_for_a_check_too(run: Run, plan: str) -> None:
    Path("runs.csv").write_text(FACTS)
    code, out, _ = run("plan", "--check", plan, "--calibrate", "runs.csv", "--format", "json")
    rates = json.loads(out)["rates"]
    assert rates["mfu_source"].startswith("calibrated from runs.csv:2")
    assert (code == 0) == (rates["mfu"] >= 0.35)


def test_two_utilisations_are_an_error(run: Run) -> None:
    code, _, err = run("plan", "lora-8b", "--mfu", "0.3", "--calibrate", "runs.csv")
    assert (code, err.splitlines()[1]) == (2, "hint: give one of them")


def test_a_run_that_no_gpu_made_is_an_error(run: Run) -> None:
    shipped = {"log_history": [{"train_runtime": 20.2, "num_input_tokens_seen": 851, "num_tokens": 851.0}]}
    Path("trainer_state.json").write_text(json.dumps(shipped))
    code, out, err = run("plan", "lora-8b", "--calibrate", "trainer_state.json")
    assert (code, out) == (2, "")
    assert "trainer_state.json would have used" in err
    code, _, err = run("plan", "quickstart", "--calibrate", "trainer_state.json")
    assert (code, "hint: --gpu NAME:COUNT" in err) == (2, True)


def test_rates_say_whether_they_were_asked_for_configured_or_shipped(
    run: Run, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("ftplan.toml").write_text("price = 1.75\nmfu = 0.35\n")
    costs = json.loads(run("plan", "lora-8b", "--format", "json")[1])["inputs"]["costs"]
    assert (costs["price"]["source"], costs["gpu"]["mfu_source"]) == ("ftplan.toml: price", "ftplan.toml: mfu")
    assert (costs["price"]["origin"]["kind"], costs["gpu"]["mfu_origin"]["kind"]) == ("configured", "configured")
    rates = json.loads(run("plan", "--check", plan, "--format", "json")[1])["rates"]
    assert (rates["price_source"], rates["mfu_source"]) == ("ftplan.toml: price", "ftplan.toml: mfu")
    monkeypatch.setenv("FTPLAN_PRICE", "1.5")
    made = json.loads(run("plan", "lora-8b", "--mfu", "0.35", "--format", "json")[1])
    whys = {item["name"]: item["why"] for item in made["assumptions"]}
    assert (whys["price"], whys["MFU"]) == ("FTPLAN_PRICE", "--mfu")
    Path("ftplan.toml").unlink()
    monkeypatch.delenv("FTPLAN_PRICE")
    costs = json.loads(run("plan", "lora-8b", "--format", "json")[1])["inputs"]["costs"]
    assert costs["price"]["origin"]["where"] == "lora-8b.toml: hardware.usd_per_gpu_hour"
    assert (costs["price"]["shipped_date"], costs["gpu"]["mfu_origin"]["kind"]) == (None, "preset")
