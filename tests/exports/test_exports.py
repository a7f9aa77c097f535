"""The contract of every trainer in the folder: new modules are picked up by themselves.

Golden files are written again by `python -m tests.exports.test_exports`, lists of fields as `real.py` says.
"""

from __future__ import annotations

import datetime
import importlib
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftplan import exports, presets
from ftplan.errors import InputError
from ftplan.exports import NO_MODEL, SHAPES, Config, Handover, given, handover, load, names, render
from ftplan.plan.result import GpuUsed, Plan
from ftplan.readers.examples.conversations import rewriter
from tests.exports import pools

FOLDER = Path(__file__).parent
TRAINERS = names()
every_trainer = pytest.mark.parametrize("name", TRAINERS)

#: a plan as it comes, and every way in which another may differ
JOB = Handover(
    plan="my-plan",
    examples=20,
    avg_tokens=131.4,
    total_tokens=2_628.0,
    epochs=2.0,
    steps=6,
    model="llama-3.2-1b",
    model_path="meta-llama/Llama-3.2-1B",
    tuning="lora",
    lora_r=8,
    max_length=512,
    packing=True,
    batch_examples=4,
    grad_accum=2,
    gpus=1,
    shape="messages",
    plan_file="my-plan.yaml",
)
#: (tuning, rank)
TUNINGS = (("full", 0), ("lora", 8), ("qlora", 8))


def jobs(name: str) -> Iterator[Handover]:
    """Every way of handing over that a trainer accepts."""
    for (tuning, rank), packing, shape, gpus in product(TUNINGS, (True, False), load(name).shapes, (1, 8)):
        yield given(load(name), replace(JOB, tuning=tuning, lora_r=rank, packing=packing, shape=shape, gpus=gpus))


def fields(name: str) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((FOLDER / "fields" / f"{name}.json").read_text())
    return kept


def unknown(config: Config, known: dict[str, list[str]], at: str = "") -> Iterator[str]:
    """Every key of a configuration that is not among the fields of its section."""
    component = f"{at} {config.get('_component_')}"
    names = known.get(component, known.get(at, []))
    for key, value in config.items():
        if key not in names and names != ["*"]:
            yield f"{at}.{key}"
        below = f"{at}.{'*' if names == ['*'] else key}".removeprefix(".")
        if isinstance(value, dict):
            yield from unknown(value, known, below)
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                yield from unknown(item, known, f"{below}[]")


@every_trainer
def test_every_key_is_one_that_the_trainer_knows(name: str) -> None:
    kept, trainer = fields(name), load(name)
    for job in jobs(name):
        assert list(unknown(trainer.config(job), kept["fields"])) == []
        for file, entries in trainer.companions(job).items():
            assert list(unknown(dict(entries), kept["fields"], file)) == []


@every_trainer
def test_fields_are_dated_and_those_of_the_release_named(name: str) -> None:
    kept = fields(name)
    assert load(name).checked == f"{kept['package']} {kept['version']}"
    assert datetime.date.fromisoformat(kept["date"]) >= datetime.date(2026, 11, 23)


def test_a_key_that_a_trainer_does_not_know_is_found() -> None:
    """TRL takes `max_seq_length` in silence and trains at 1,024 tokens; Axolotl a `splt` inside `datasets`."""
    trl, axolotl = fields("trl")["fields"], fields("axolotl")["fields"]
    assert list(unknown(load("trl").config(JOB) | {"max_seq_length": 512}, trl)) == [".max_seq_length"]
    assert list(unknown({"datasets": [{"path": "x", "splt": "train[:20]"}]}, axolotl)) == ["datasets[].splt"]


@every_trainer
def test_name_title_and_command(name: str) -> None:
    trainer = load(name)
    assert importlib.import_module(f"ftplan.exports.{name}").TRAINER is trainer
    for alias in (name.upper(), name.replace("_", "-"), name.replace("_", "")):
        assert load(alias) is trainer
    assert "{file}" in trainer.command
    assert set(trainer.shapes) <= set(SHAPES)
    assert "Source: " in (importlib.import_module(f"ftplan.exports.{name}").__doc__ or "")


@every_trainer
def test_golden(name: str) -> None:
    assert golden(name) == (FOLDER / "golden" / f"{name}.txt").read_text(), "python -m tests.exports.test_exports"


def golden(name: str) -> str:
    """The configuration of one plan, and the files beside it."""
    job = given(load(name), JOB)
    text = render(load(name), job, "my.yaml")
    for file, entries in load(name).companions(job).items():
        text += f"--- {file}\n{json.dumps(entries, indent=2)}\n"
    return text


@every_trainer
def test_what_is_planned_is_said_and_set(name: str) -> None:
    for job in jobs(name):
        text = render(load(name), job, "my.yaml")
        assert text.endswith("\n")
        assert max(map(len, text.splitlines())) <= 120
        assert "20 examples of 131.4 tokens on average, 2,628 in all" in text
        assert "2 epochs, 6 optimiser steps" in text
        assert "train.jsonl" in text
        if name != "torchtune":
            assert yaml.safe_load(text) == load(name).config(job), "text and keys are one"


def test_torchtune_writes_a_command() -> None:
    text = render(load("torchtune"), JOB, "my.sh")
    command = shlex.split("".join(line for line in text.splitlines(keepends=True) if not line.startswith("#")))
    assert command[:3] == ["tune", "run", "lora_finetune_single_device"]
    assert command[4] == "llama3_2/1B_lora_single_device"
    assert "dataset.split=train[:20]" in command
    assert "model.lora_rank=8" in command
    many = render(load("torchtune"), replace(JOB, gpus=8, tuning="full", lora_r=0), "my.sh")
    assert "tune run --nproc_per_node 8 full_finetune_distributed --config llama3_2/1B_full \\\n" in many
    for job in (replace(JOB, model="own"), replace(JOB, tuning="qlora", gpus=8)):
        text = render(load("torchtune"), job, "my.sh")
        assert f"No stock configuration for {job.tuning} of {job.model} is known" in text
        assert "--config STOCK-CONFIGURATION \\\n" in text
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0


@every_trainer
def test_rows_a_trainer_cannot_read_are_refused(name: str) -> None:
    for shape in {"text", "prompt_completion"} - set(load(name).shapes):
        with pytest.raises(InputError, match="does not read what the pool holds") as caught:
            given(load(name), replace(JOB, shape=shape))
        assert (caught.value.hint or "").startswith("it reads ")


@pytest.mark.parametrize("name", ["unsloth", "torchtune"])
def test_half_an_epoch_is_refused_where_epochs_are_whole(name: str) -> None:
    with pytest.raises(InputError, match=r"whole epochs, the plan has 1\.5"):
        render(load(name), replace(JOB, epochs=1.5), "my.yaml")


@pytest.mark.parametrize("name", ["trl", "axolotl", "llama_factory"])
def test_half_an_epoch_is_kept_where_it_may_be(name: str) -> None:
    assert 1.5 in load(name).config(replace(JOB, epochs=1.5)).values()


def test_traps_that_the_configurations_step_around() -> None:
    axolotl = load("axolotl").config(JOB)
    assert axolotl["excess_length_strategy"] == "truncate", "else over-long rows are dropped"
    assert axolotl["datasets"][0]["path"] == "train.jsonl", "path: json asks the hub first"
    trl = load("trl").config(JOB)
    assert trl["datasets"][0]["split"] == "train[:20]", "dataset_name takes no slice"
    assert not {"gradient_checkpointing", "activation_checkpointing", "bf16"} & set(trl)
    factory = load("llama_factory").companions(JOB)["dataset_info.json"]["ftplan_train"]
    assert "num_samples" not in factory, "it draws at random, and with replacement above the pool"
    assert load("unsloth").config(replace(JOB, tuning="lora"))["training"]["load_in_4bit"] is False, "on by default"


@pytest.mark.parametrize(
    ("shape", "has", "formatting", "columns"),
    [
        ("messages", "messages", "sharegpt", {"messages": "messages"}),
        ("messages", "messages system", "sharegpt", {"messages": "messages", "system": "system"}),
        ("messages", "messages tools", "openai", {"messages": "messages", "tools": "tools"}),
        ("messages", "messages functions", "openai", {"messages": "messages", "tools": "functions"}),
        (
            "sharegpt",
            "conversations system tools",
            "sharegpt",
            {"messages": "conversations", "system": "system", "tools": "tools"},
        ),
        ("alpaca", "instruction output", None, {"prompt": "instruction", "response": "output"}),
        ("alpaca", "", None, {"prompt": "instruction", "query": "input", "response": "output"}),
        (
            "alpaca",
            "instruction output history input system",
            None,
            {
                "prompt": "instruction",
                "query": "input",
                "response": "output",
                "history": "history",
                "system": "system",
            },
        ),
    ],
)
def test_llama_factory_is_told_of_what_rows_hold(
    shape: str, has: str, formatting: str | None, columns: dict[str, str]
) -> None:
    """Only the OpenAI formatting reads tool calls; a column that is named and not there stops all others."""
    job = given(load("llama_factory"), replace(JOB, shape=shape, columns={name: name for name in has.split()}))
    described = load("llama_factory").companions(job)["dataset_info.json"]["ftplan_train"]
    assert job.shape == shape
    assert described.get("formatting") == formatting
    assert described["columns"] == columns
    if shape == "messages":
        assert (described["tags"]["observation_tag"], described["tags"]["function_tag"]) == ("tool", "function_call")


def test_stock_configurations_of_torchtune_exist() -> None:
    stock = fields("torchtune")["fields"]["stock configurations"]
    found = [
        word
        for model, (tuning, _), gpus in product(presets.names("models"), TUNINGS, (1, 8))
        if "STOCK" not in (word := render(load("torchtune"), replace(JOB, model=model, tuning=tuning, gpus=gpus), "x"))
    ]
    names = {text.split("--config ")[1].split()[0] for text in found}
    assert len(names) > 30
    assert names <= set(stock)


@pytest.mark.parametrize(
    ("examples", "batch", "steps", "divisor"), [(20, 4, 4, 10), (22, 4, 4, 11), (24, 4, 0, 0), (20, 5, 0, 0)]
)
def test_torchtune_says_what_it_leaves_out(examples: int, batch: int, steps: int, divisor: int) -> None:
    """Steps as counted in training with 2 accumulated and 2 epochs; nothing is said where all rows are trained on."""
    job = replace(JOB, examples=examples, batch_examples=batch, packing=False)
    said = " ".join(load("torchtune").notes(job))
    assert ("leaves out" in said) == bool(steps)
    if steps:
        assert f"takes {steps} steps" in said
        assert f"must divide {examples}, as {divisor} does" in said


def test_what_makes_trainers_leave_rows_out_is_set() -> None:
    """Each seen in training: see tests/exports/trained."""
    packed = load("axolotl").config(JOB)
    assert (packed["max_steps"], packed["curriculum_sampling"]) == (-1, True)
    assert load("axolotl").config(replace(JOB, steps=1_000))["warmup_steps"] == 30
    assert "curriculum_sampling" not in load("axolotl").config(replace(JOB, packing=False))
    text = load("torchtune").config(replace(JOB, shape="text"))
    assert text["dataset"]["split_across_pack"] is False
    full = replace(JOB, tuning="full", lora_r=0)
    assert load("torchtune").config(full)["optimizer_in_bwd"] is False, "refuses to accumulate"
    assert "optimizer_in_bwd" not in load("torchtune").config(replace(full, grad_accum=1))


def test_a_plan_is_handed_over(plan: Plan) -> None:
    job = handover(plan)
    assert (job.examples, job.steps, job.gpus, job.lora_r, job.passes) == (1402, 90, 1, 0, 1)
    assert f"from the plan for {plan.name}.\n" in render(load("trl"), job, "x.yaml")
    assert "  ftplan apply PLAN POOL -o" in render(load("trl"), job, "x.yaml")
    assert (job.model_path, job.shape) == (NO_MODEL.format("pyfunc-s"), "messages")
    costs = plan.inputs.costs
    known = replace(costs, gpu=GpuUsed("l4", 4, 1e14, 0.4, ""), model=replace(costs.model, hub_id="hub/own"))
    other = handover(replace(plan, inputs=replace(plan.inputs, costs=known)), "text")
    assert (other.gpus, other.model_path, other.shape) == (4, "hub/own", "text")


def test_a_misspelt_trainer_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(InputError) as caught:
        load("axolot")
    assert caught.value.hint == "did you mean axolotl?"
    with pytest.raises(InputError) as caught:
        load("megatron")
    assert caught.value.hint == "one of: axolotl, llama_factory, torchtune, trl, unsloth"


def test_the_folders_hold_nothing_else() -> None:
    assert sorted(path.stem for path in (FOLDER / "fields").iterdir()) == TRAINERS
    assert sorted(path.stem for path in (FOLDER / "golden").iterdir()) == TRAINERS


def test_listing_loads_neither_numpy_nor_yaml() -> None:
    code = "import sys, ftplan.exports as e; assert e.names(); assert not {'numpy', 'yaml'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def row(shape: str, i: int) -> dict[str, object]:
    """The i-th training example, in one of SHAPES."""
    ask, reply = f"Add {i} and one.", f"{i} and one is {i + 1}. " * (1 + i % 5)
    user, assistant = {"role": "user", "content": ask}, {"role": "assistant", "content": reply}
    rows: dict[str, dict[str, object]] = {
        "messages": {"messages": [user, assistant]},
        "sharegpt": {"conversations": [{"from": "human", "value": ask}, {"from": "gpt", "value": reply}]},
        "alpaca": {"instruction": ask, "input": "", "output": reply},
        "prompt_completion": {"prompt": ask, "completion": reply},
        "prompt_completion_chat": {"prompt": [user], "completion": [assistant]},
        "text": {"text": f"{ask} {reply}"},
    }
    assert set(rows) == set(SHAPES) - {"preference", "preference_chat"}
    return rows[shape]


def written(name: str, shape: str, columns: Mapping[str, str], row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row as `ftplan apply --for` writes it."""
    trainer = load(name)
    job = given(trainer, replace(JOB, shape=shape, columns=columns))
    return rewriter(shape, columns, job.shape, lambda said: trainer.write(said, job))(row) if job.written else row


def prepared(folder: Path, name: str, job: Handover) -> None:
    """A configuration and fifty rows beside it, of which it is to take twenty; with a tokenizer where one is needed."""
    count = job.examples if name == "unsloth" else 50
    rows = [written(name, job.shape, {}, row(job.shape, i)) for i in range(count)]
    configured(folder, name, given(load(name), job), [json.dumps(each) for each in rows])


def given_to(name: str, pool: str, folder: Path, model: Path) -> None:
    """A pool of `pools`, drawn and configured as the exported configuration says."""
    folder.mkdir()
    shape, columns = pools.POOLS[pool][0], pools.columns(pool)
    job = replace(JOB, shape=shape, columns=columns, examples=pools.ROWS, model_path=str(model), packing=False)
    lines = [json.dumps(written(name, shape, columns, row)) for row, _ in pools.rows(pool)]
    configured(folder, name, given(load(name), job), lines)


@every_trainer
@pytest.mark.parametrize("pool", pools.POOLS)
def test_pools_of_every_kind_are_given_or_refused(name: str, pool: str) -> None:
    """What is written again has all words; what stands as it is is for the trainer's own converter to keep."""
    shape, columns = pools.POOLS[pool][0], pools.columns(pool)
    if pool in REFUSED[name]:
        with pytest.raises(InputError, match="does not read what the pool holds"):
            given(load(name), replace(JOB, shape=shape, columns=columns))
        return
    for row, words in pools.rows(pool):
        text = json.dumps(written(name, shape, columns, row))
        assert [word for word in words if word not in text] == []


def configured(folder: Path, name: str, job: Handover, lines: list[str]) -> None:
    """A configuration and rows beside it."""
    trainer = load(name)
    (folder / "my.yaml").write_text(render(trainer, job, "my.yaml"))
    for file, entries in trainer.companions(job).items():
        (folder / file).write_text(json.dumps(entries))
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")


def asked(what: str, name: str, *args: str, folder: Path) -> Any:
    """What the trainer's own package answers."""
    return answer([str(FOLDER / "real.py"), what, name, *args], folder)


def answer(words: list[str], folder: Path) -> Any:
    """The last line that Python prints, away from this interpreter's settings and from any network."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "cache"), "CUDA_VISIBLE_DEVICES": ""}
    env = os.environ | offline | {"PYTHONPATH": str(FOLDER.parents[1])}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


#: trainer -> the module that says whether its package is here
MODULES = {
    "axolotl": "axolotl",
    "llama_factory": "llamafactory",
    "torchtune": "torchtune",
    "trl": "trl",
    "unsloth": "unsloth_cli",
}
#: trainer -> pools that it is not given: it reads no such texts, and they are no conversation
REFUSED = {
    "axolotl": (),
    "llama_factory": ("text",),
    "torchtune": (),
    "trl": (),
    "unsloth": ("prompt_completion", "preference"),
}
#: the trainers' own packages are large and exclude each other: those that this interpreter has are asked
HERE = [name for name in TRAINERS if importlib.util.find_spec(MODULES[name]) is not None]

if HERE:
    in_its_package = pytest.mark.parametrize("name", HERE)

    @pytest.mark.trainers
    @in_its_package
    def test_fields_are_still_those_of_the_package(name: str, tmp_path: Path) -> None:
        seen = asked("fields", name, folder=tmp_path)
        kept = fields(name)
        del kept["date"]
        assert seen == kept

    @pytest.mark.trainers
    @in_its_package
    @pytest.mark.parametrize(("tuning", "rank"), TUNINGS)
    @pytest.mark.parametrize("packing", [True, False], ids=["packed", "padded"])
    def test_the_package_reads_what_was_planned(
        name: str, tuning: str, rank: int, packing: bool, tmp_path: Path, model: Path
    ) -> None:
        """Exactly the planned rows, of fifty; the planned length, epochs and batch."""
        job = replace(JOB, tuning=tuning, lora_r=rank, packing=packing, model_path=str(model))
        prepared(tmp_path, name, job)
        assert asked("rows", name, "my.yaml", folder=tmp_path) == {
            "rows": job.examples,
            "max_length": job.max_length,
            "packing": packing,
            "epochs": job.epochs,
            "batch": job.batch_examples,
            "accumulation": job.grad_accum,
            "tuning": tuning,
            "lora_r": rank,
        }

    @pytest.mark.trainers
    @pytest.mark.parametrize(("name", "shape"), [(name, shape) for name in HERE for shape in load(name).shapes])
    def test_the_package_reads_rows_of_every_shape(name: str, shape: str, tmp_path: Path, model: Path) -> None:
        prepared(tmp_path, name, replace(JOB, shape=shape, model_path=str(model), packing=False))
        assert asked("rows", name, "my.yaml", folder=tmp_path)["rows"] == JOB.examples

    @pytest.mark.trainers
    @pytest.mark.parametrize("name", [name for name in HERE if name != "unsloth"])
    def test_all_text_of_every_row_reaches_the_converter(name: str, tmp_path: Path, model: Path) -> None:
        """What the profile counts is what is trained on: no row is left out, and no word of one."""
        every = [pool for pool in pools.POOLS if pool not in REFUSED[name]]
        folders = [tmp_path / pool for pool in every]
        for pool, folder in zip(every, folders, strict=True):
            given_to(name, pool, folder, model)
        found = asked("texts", name, *(str(folder / "my.yaml") for folder in folders), folder=tmp_path)
        for pool, texts in zip(every, found, strict=True):
            assert len(texts) == pools.ROWS, pool
            words = [words for _, words in pools.rows(pool)]
            lost = [word for text, said in zip(texts, words, strict=True) for word in said if word not in text]
            assert lost == [], pool

    @pytest.mark.trainers
    @in_its_package
    @pytest.mark.parametrize("tuning", ["full", "lora"])
    @pytest.mark.parametrize("packing", [True, False], ids=["packed", "padded"])
    def test_the_package_trains_on_what_was_planned(
        name: str, tuning: str, packing: bool, tmp_path: Path, model: Path
    ) -> None:
        """Exactly the planned rows in every epoch, each of them once, none without a step; on a CPU."""
        job = replace(JOB, tuning=tuning, lora_r=8 if tuning == "lora" else 0, packing=packing, model_path=str(model))
        if name == "torchtune":  # it leaves out what fills no step: its notes say so
            job = replace(job, batch_examples=1, grad_accum=1) if packing else replace(job, examples=24)
        prepared(tmp_path, name, job)
        found = answer(["-m", "tests.exports.trained", name, "my.yaml"], tmp_path)
        assert found["rows"] == [job.examples] * int(job.epochs)
        assert (found["again"], found["lost"]) == (0, 0)
        if not packing:
            assert found["steps"] == 6, "as planned"

    @pytest.fixture(scope="module")
    def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder with a tiny model and its tokenizer, which has a chat template."""
        folder = tmp_path_factory.mktemp("model")
        asked("model", "trl", str(folder), folder=folder)
        return folder


if __name__ == "__main__":
    for trainer_name in exports.names():
        (FOLDER / "golden" / f"{trainer_name}.txt").write_text(golden(trainer_name))
