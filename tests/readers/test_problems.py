"""A TOML file and the flags that override it, as one problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftplan.errors import InputError
from ftplan.origin import Origin, Sourced
from ftplan.presets import folder, names
from ftplan.readers.problems import Flags, aimed_at, read_problem
from ftplan.runs import Metric
from ftplan.units import Budget

TEXT = """
[data]
runs = "mine.csv"
series = "big"
metric = "accuracy"

[pool]
histogram_tokens = [[10, 19, 100], [20, 20, 5]]

[training]
model = "qwen2.5-0.5b"
tuning = "lora"
epochs = [1, 2]
max_length = 1024

[hardware]
gpu = "a100-80gb"
count = 2
mfu = 0.3
usd_per_gpu_hour = 1.5

[budget]
limits = ["500usd", "1e18flops"]

[acquisition]
usd_per_example = 0.1

[goal]
target = "accuracy=0.6"
seed = 7
"""


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def test_a_model_of_your_own_lies_beside_the_problem_or_where_a_flag_says(toml: Path) -> None:
    shipped = (folder() / "models" / "qwen2.5-0.5b.toml").read_text()
    (toml.parent / "own.toml").write_text(shipped.replace("layers = 24", "layers = 23"))
    toml.write_text(TEXT.replace('"qwen2.5-0.5b"', '"own.toml"\nmodels = ["own.toml"]'))
    problem = read_problem(str(toml), Flags()).problem
    assert (problem.model.name, problem.model.layers, problem.models) == ("own", 23, (problem.model,))
    assert read_problem("quickstart", Flags(model=str(toml.parent / "own.toml"))).problem.model == problem.model
    with pytest.raises(InputError, match=r"gone\.toml: No such file"):
        read_problem("quickstart", Flags(model="gone.toml"))


def test_a_file_becomes_a_problem(toml: Path) -> None:
    asked = read_problem(str(toml), Flags())
    problem = asked.problem
    assert (asked.runs, asked.metric, asked.target_metric) == ("mine.csv", "accuracy", "accuracy")
    assert (problem.name, problem.series, problem.tuning, problem.lora_r) == ("mine", "big", "lora", 16)
    assert (problem.pool.examples, problem.pool.exact) == (105, False)
    assert problem.budgets == (Budget("usd", 500.0), Budget("total_flops", 1e18))
    assert (problem.epochs, problem.max_length, problem.seed, problem.target) == ((1.0, 2.0), 1024, 7, 0.6)
    assert problem.gpu is not None
    assert (problem.gpu.name, problem.gpu_count) == ("a100-80gb", 2)
    assert (problem.mfu and problem.mfu.value, problem.usd_per_gpu_hour and problem.usd_per_gpu_hour.value) == (
        0.3,
        1.5,
    )
    assert (problem.usd_per_example, problem.usd_per_1k_tokens, problem.warnings) == (0.1, 0.0, ())


def test_flags_override_the_file(toml: Path) -> None:
    flags = Flags(
        budgets=("8h",), gpu="h100-sxm:8", mfu=0.5, usd_per_gpu_hour=2.0, model="qwen2.5-1.5b", tuning="full",
        epochs=(3.0,), max_length=512, packing=False, batch_examples=4, target="0.7", seed=0, avg_tokens=15.0,
    )  # fmt: skip
    problem = read_problem(str(toml), flags).problem
    assert problem.budgets == (Budget("wall_hours", 8.0),)
    assert problem.gpu is not None
    assert (problem.gpu.name, problem.gpu_count) == ("h100-sxm", 8)
    assert problem.mfu == Sourced(0.5, Origin("asked", "--mfu"))
    assert problem.usd_per_gpu_hour == Sourced(2.0, Origin("asked", "--price"))
    assert (problem.model.name, problem.tuning, problem.lora_r, problem.epochs) == (
        "qwen2.5-1.5b",
        "full",
        None,
        (3.0,),
    )
    assert (problem.max_length, problem.packing, problem.batch_examples) == (512, False, 4)
    assert (problem.target, problem.seed, problem.avg_tokens) == (0.7, 0, 15.0)


def test_another_law_replaces_all_that_the_file_says_about_it(toml: Path) -> None:
    asked = read_problem(str(toml), Flags(runs="other.csv"))
    assert (asked.runs, asked.metric, asked.problem.series) == ("other.csv", None, "")
    asked = read_problem(str(toml), Flags(fit="fit.yaml", series="small"))
    assert (asked.fit, asked.runs, asked.problem.series) == ("fit.yaml", "", "small")


def test_runs_lie_beside_the_file(toml: Path) -> None:
    beside = toml.parent / "mine.csv"
    beside.write_text("examples,loss\n")
    assert read_problem(str(toml), Flags()).runs == str(beside)


@pytest.mark.parametrize("name", names("problems"))
def test_every_shipped_problem_can_be_read(name: str) -> None:
    asked = read_problem(name, Flags())
    assert bool(asked.runs) != bool(asked.law)
    assert asked.problem.budgets
    assert asked.problem.pool.examples > 0


@pytest.mark.parametrize(
    ("before", "after", "message", "hint"),
    [
        ("[training]", "[trainning]", "trainning", "training"),
        ("max_length", "max_lenght", "training.max_lenght", "max_length"),
        ('tuning = "lora"', 'tuning = "loar"', "unknown tuning 'loar'", "did you mean lora?"),
        ('limits = ["500usd"', 'limits = ["400usd", "500usd"', "400usd and 500usd", "the lower one"),
        ("max_length = 1024", "max_length = 1000000", "longer than the 32,768 tokens", "--max-length 32768"),
        ('model = "qwen2.5-0.5b"', "", "no model to train is named", "--model NAME"),
        ("accuracy=0.6", "accuracy:0.6", "target 'accuracy:0.6'", "--target accuracy=0.62"),
        ("count = 2", 'count = "two"', "hardware.count", None),
        ("[[10, 19, 100], [20, 20, 5]]", "[[10, 19, 100], [15, 20, 5]]", "overlap", None),
    ],
)
def test_a_mistake_in_the_file(toml: Path, before: str, after: str, message: str, hint: str | None) -> None:
    toml.write_text(TEXT.replace(before, after, 1))
    with pytest.raises(InputError) as caught:
        read_problem(str(toml), Flags())
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_flags_alone_make_a_problem(tmp_path: Path) -> None:
    pool = tmp_path / "lengths.csv"
    pool.write_text("tokens,examples\n10,5\n20,6\n")
    problem = read_problem(None, Flags(pool=str(pool), model="qwen2.5-0.5b", runs="x.csv")).problem
    assert (problem.name, problem.pool.examples, problem.budgets, problem.max_length) == ("plan", 11, (), 2048)


def test_without_a_pool() -> None:
    with pytest.raises(InputError, match="no pool") as caught:
        read_problem(None, Flags(model="qwen2.5-0.5b"))
    assert "--pool FILE" in (caught.value.hint or "")


def test_a_target_in_the_other_unit_is_converted_in_the_hint(toml: Path) -> None:
    asked = read_problem(str(toml), Flags())
    with pytest.raises(InputError) as caught:
        aimed_at(asked, Metric("accuracy", "max", "percent"))
    assert caught.value.hint == "--target 60"
    asked = read_problem(str(toml), Flags(target="62"))
    with pytest.raises(InputError) as caught:
        aimed_at(asked, Metric("accuracy", "max", "fraction"))
    assert caught.value.hint == "--target 0.62"
    assert aimed_at(asked, Metric("accuracy", "max", "percent")) is asked.problem
    with pytest.raises(InputError, match="the target is for accuracy, the runs are judged by loss"):
        aimed_at(read_problem(str(toml), Flags()), Metric("loss", "min", "nats"))


@pytest.mark.parametrize("name", names("laws"))
def test_a_shipped_law_takes_the_place_of_the_runs(toml: Path, name: str) -> None:
    asked = read_problem(str(toml), Flags(fit=name.upper()))
    assert (asked.fit, asked.runs, asked.law.lower()) == ("", "", name)
    # the file's series and selection models belong to the runs that were put aside
    assert asked.problem.series == ""


def test_what_stands_behind_fit_is_a_file_a_law_or_a_run_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def source(named: str) -> tuple[str, str]:
        asked = read_problem("quickstart", Flags(fit=named))
        return asked.fit, asked.law

    assert source("pyfunc-s") == ("", "pyfunc-s")
    assert source("pyfunc") == ("pyfunc", "")
    assert source("mine.yaml") == ("mine.yaml", "")
    # a file of one's own comes first
    (tmp_path / "pyfunc-s").write_text("")
    monkeypatch.chdir(tmp_path)
    assert source("pyfunc-s") == ("pyfunc-s", "")
    with pytest.raises(InputError, match="--fit hofman: no such file, and no law of that name ships") as caught:
        read_problem("quickstart", Flags(fit="hofman"))
    assert str(caught.value.hint).startswith(("did you mean", "shipped laws: besiroglu-2024"))
