"""`plan --export`: which files appear, what is said, and when nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ftplan import presets
from tests.cli.conftest import Run


@pytest.fixture
def plan(run: Run) -> str:
    """A committed plan of a shipped problem on a borrowed law, which needs no fit."""
    assert run("plan", "lora-8b", "-o", "plan.yaml", "--export", "trl=fresh.yaml", "-q")[0] == 0
    return "plan.yaml"


def test_a_fresh_plan_and_its_file_export_the_same(run: Run, plan: str) -> None:
    Path("again").mkdir()
    code, out, err = run("plan", "--check", plan, "--export", "trl=again/fresh.yaml", "--get", "passed")
    assert (code, out) == (0, "true\n")
    assert err.startswith("wrote again/fresh.yaml\n")
    fresh, again = Path("fresh.yaml").read_text(), Path("again/fresh.yaml").read_text()
    assert fresh.startswith("# TRL configuration by ftplan, from plan.yaml.\n")
    assert "#   ftplan apply plan.yaml POOL -o train.jsonl\n" in fresh
    assert again == fresh.replace("apply plan.yaml", "apply ../plan.yaml")
    written, planned = yaml.safe_load(Path("fresh.yaml").read_text()), yaml.safe_load(Path(plan).read_text())
    assert written["datasets"][0]["split"] == f"train[:{planned['data']['examples']}]"
    assert written["model_name_or_path"] == "meta-llama/Llama-3.1-8B"


def test_files_are_whole_though_nobody_reads_the_screen(plan: str) -> None:
    command = [sys.executable, "-u", "-m", "ftplan", "plan", "--check", plan, "--export", "trl=unread/fresh.yaml"]
    Path("unread").mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait()
    assert Path("unread/fresh.yaml").read_text().endswith(Path("fresh.yaml").read_text().split("POOL")[1])


def test_several_at_once_and_what_lies_beside_them(run: Run, plan: str) -> None:
    wanted = [word for name in ("axolotl", "LLaMA-Factory", "unsloth") for word in ("--export", f"{name}={name}.yaml")]
    code, _, err = run("plan", "--check", plan, *wanted, "--get", "passed")
    assert code == 0
    wrote = ["wrote axolotl.yaml", "wrote LLaMA-Factory.yaml", "wrote dataset_info.json", "wrote unsloth.yaml"]
    assert err.splitlines()[:4] == wrote
    assert err.splitlines()[4:] == [
        f"warning: {name}.yaml: rows taken to be OpenAI messages, since the pool is a histogram without its rows"
        for name in ("axolotl", "LLaMA-Factory", "unsloth")
    ]
    assert list(json.loads(Path("dataset_info.json").read_text())) == ["ftplan_train"]


def test_what_others_wrote_beside_it_stays(run: Run, plan: str) -> None:
    beside = Path("dataset_info.json")
    beside.write_text('{"mine": {"file_name": "größer.jsonl"}, "ftplan_train": {"file_name": "old.jsonl"}}')
    export = ("plan", "--check", plan, "--export", "llama_factory=sft.yaml", "-q", "--get", "passed")
    assert run(*export) == (0, "true\n", "")
    info = json.loads(beside.read_text())
    assert info["mine"] == {"file_name": "größer.jsonl"}
    assert info["ftplan_train"]["file_name"] == "train.jsonl"
    for text, said in (("[]", "is not a JSON object"), ("{", "dataset_info.json:1: not JSON")):
        beside.write_text(text)
        Path("sft.yaml").unlink(missing_ok=True)
        code, _, err = run(*export)
        assert code == 2
        assert said in err
        assert beside.read_text() == text
        assert not Path("sft.yaml").exists(), "all files or none"


def test_a_plan_that_does_not_hold_is_not_exported(run: Run, plan: str) -> None:
    code, _, err = run("plan", "--check", plan, "--price", "3", "--export", "trl=sft.yaml", "--get", "passed")
    assert code == 1
    assert err.endswith("sft.yaml is not written: the plan does not hold\n")
    assert not Path("sft.yaml").exists()


def test_a_model_without_a_name_on_the_hub_is_a_gap_to_fill(run: Run) -> None:
    code, _, err = run("plan", "quickstart", "--export", "trl=sft.yaml", "--get", "data.examples")
    assert code == 0
    gap = "warning: sft.yaml: pyfunc-s has no name on the hub; put your model in place of path/to/your/pyfunc-s\n"
    assert gap in err
    assert yaml.safe_load(Path("sft.yaml").read_text())["model_name_or_path"] == "path/to/your/pyfunc-s"


def test_a_model_file_of_ones_own_brings_its_name_on_the_hub(run: Run) -> None:
    own = (presets.folder() / "models" / "pyfunc-s.toml").read_text()
    Path("own.toml").write_text('hub_id = "mine/own"\n' + own)
    code, _, err = run("plan", "quickstart", "--model", "own.toml", "--export", "trl=sft.yaml", "-o", "plan.yaml")
    assert code == 0
    assert "on the hub" not in err
    assert yaml.safe_load(Path("sft.yaml").read_text())["model_name_or_path"] == "mine/own"
    Path("own.toml").unlink()
    assert run("plan", "--check", "plan.yaml", "--export", "unsloth=u.yaml", "--get", "passed")[0] == 0
    assert yaml.safe_load(Path("u.yaml").read_text())["model"] == "mine/own"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["trl"], "--export 'trl' is not TRAINER=FILE"),
        (["trl="], "is not TRAINER=FILE"),
        (["trl=-"], "is not TRAINER=FILE"),
        (["trll=x.yaml"], "did you mean trl?"),
        (["trl=no/such/x.yaml"], "no such folder"),
        (["trl=x.yaml", "unsloth=x.yaml"], "two outputs to one file: x.yaml"),
    ],
)
def test_what_cannot_be_exported_is_said_before_any_work(run: Run, items: list[str], message: str) -> None:
    code, out, err = run("plan", "no-such-problem", *(word for item in items for word in ("--export", item)))
    assert (code, out) == (2, "")
    assert message in err


def test_the_shape_of_a_profiled_pool_is_used(run: Run) -> None:
    rows = [{"instruction": "say it", "input": "", "output": "it " * (20 + i % 400)} for i in range(2_000)]
    Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("profile", "pool.jsonl", "-o", "pool.yaml", "-q")[0] == 0
    made = ("plan", "lora-8b", "--pool", "pool.yaml", "--budget", "1000examples", "-q", "--get", "feasible")
    assert run(*made, "--export", "axolotl=axolotl.yaml") == (0, "true\n", "")
    assert yaml.safe_load(Path("axolotl.yaml").read_text())["datasets"][0]["type"] == "alpaca"
    code, _, err = run(*made, "--export", "trl=sft.yaml")
    assert code == 2
    assert "TRL does not read what the pool holds, Alpaca rows" in err
