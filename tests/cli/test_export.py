"""`plan --export`: which files appear, what is said, and when nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    assert run(*made, "--export", "trl=sft.yaml") == (0, "true\n", "")
    assert "  ftplan apply PLAN POOL --for trl -o train.jsonl" in Path("sft.yaml").read_text()
    Path("pool.jsonl").write_text("".join(json.dumps({"text": row["output"]}) + "\n" for row in rows))
    assert run("profile", "pool.jsonl", "-o", "pool.yaml", "-q")[0] == 0
    code, _, err = run(*made, "--export", "llama_factory=sft.yaml")
    assert code == 2
    assert "LLaMA-Factory does not read what the pool holds, plain text" in err


#: a plan that draws at random
RANDOM = ("plan", "--fit", "pyfunc-s", "--model", "pyfunc-s")
CALL = {"function": {"name": "weather", "arguments": "{}"}}
#: one row of each pool with which LLaMA-Factory lost text, and what dataset_info.json has to say of it
TOLD: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "agent": (
        {
            "tools": [{"type": "function", "function": {"name": "weather", "description": "of a city"}}],
            "messages": [
                {"role": "user", "content": "How is it there?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"function": {"name": "weather", "arguments": "{}"}}],
                },
                {"role": "tool", "content": "3 degrees"},
                {"role": "assistant", "content": "Cold."},
            ],
        },
        "openai",
        {"messages": "messages", "tools": "tools"},
    ),
    "alpaca": (
        {"system": "Be brief.", "instruction": "A river?", "input": "", "output": "The Rhine."},
        "",
        {"prompt": "instruction", "response": "output", "system": "system"},
    ),
    "sharegpt": (
        {
            "system": "Be brief.",
            "tools": '[{"name": "weather"}]',
            "conversations": [{"from": "human", "value": "How is it?"}, {"from": "gpt", "value": "Cold."}],
        },
        "sharegpt",
        {"messages": "conversations", "system": "system", "tools": "tools"},
    ),
}


@pytest.mark.parametrize("kind", TOLD)
def test_llama_factory_is_told_of_all_that_rows_hold(run: Run, kind: str) -> None:
    """From a pool to the rows it trains on, as the exported file says."""
    row, formatting, columns = TOLD[kind]
    Path("pool.jsonl").write_text((json.dumps(row) + "\n") * 40)
    assert run("profile", "pool.jsonl", "-o", "pool.yaml", "-q")[0] == 0
    made = (*RANDOM, "--pool", "pool.yaml", "--budget", "10examples", "-q", "--get", "feasible")
    assert run(*made, "-o", "plan.yaml", "--export", "llama_factory=sft.yaml")[0] == 0
    told = json.loads(Path("dataset_info.json").read_text())["ftplan_train"]
    assert told.get("formatting", "") == formatting
    assert {ours: name for ours, name in told["columns"].items() if row.get(name)} == columns
    command = next(line for line in Path("sft.yaml").read_text().splitlines() if "ftplan apply" in line)
    assert run(*command.replace("POOL", "pool.jsonl").split()[2:], "-q")[0] == 0
    drawn = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    assert len(drawn) == 10
    assert all(set(columns.values()) <= set(each) for each in drawn)


def test_rows_are_written_for_a_trainer(run: Run) -> None:
    """Torchtune reads a role and a text of each message: all else is put there."""
    Path("pool.jsonl").write_text((json.dumps(TOLD["agent"][0]) + "\n") * 40)
    assert run("profile", "pool.jsonl", "-o", "pool.yaml", "-q")[0] == 0
    made = (*RANDOM, "--pool", "pool.yaml", "--budget", "10examples", "-q", "--get", "feasible")
    assert run(*made, "-o", "plan.yaml")[0] == 0
    code, out, _ = run("apply", "plan.yaml", "pool.jsonl", "--for", "torchtune", "-o", "-")
    assert code == 0
    (messages,) = set(out.splitlines())
    said = [(message["role"], message["content"]) for message in json.loads(messages)["messages"]]
    assert [role for role, _ in said] == ["system", "user", "assistant", "user", "assistant"]
    assert "of a city" in said[0][1]
    assert said[2][1] == '[{"name": "weather", "arguments": {}}]'
    code, _, err = run("apply", "plan.yaml", "pool.jsonl", "--for", "torchtun", "-o", "-")
    assert code == 2
    assert "did you mean torchtune?" in err
