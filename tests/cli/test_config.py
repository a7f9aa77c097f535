"""Defaults for options: flag before variable before file, the nearest file, and what a mistake in one looks like."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftplan.cli import app
from ftplan.cli.config import Command

Seen = Callable[..., dict[str, Any]]
RUNS = "examples,avg_tokens,loss\n" + "".join(f"{n},100,{2 + 9 * n**-0.3:.4f}\n" for n in (10, 20, 40, 80, 160, 320))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder with nothing above it that would count."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """The parameters that a command line ends up with."""
    found: dict[str, Any] = {}

    def invoke(_: Command, ctx: Any) -> int:
        found.clear()
        found.update(ctx.params)
        return 0

    monkeypatch.setattr(Command, "invoke", invoke)

    def parameters(*args: str) -> dict[str, Any]:
        assert app.run(list(args)) == 0
        return dict(found)

    return parameters


def failure(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert app.run(list(args)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_a_flag_goes_before_a_variable_before_the_file_before_the_default(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen("plan")["price"] is None
    Path("ftplan.toml").write_text("price = 1.5\n")
    assert seen("plan")["price"] == 1.5
    monkeypatch.setenv("FTPLAN_PRICE", "2.5")
    assert seen("plan")["price"] == 2.5
    assert seen("plan", "--price", "3.5")["price"] == 3.5


def test_every_kind_of_option(seen: Seen) -> None:
    Path("ftplan.toml").write_text(
        'gpu = "h100-sxm:8"\nmfu = 0.4\nbudget = ["500usd", "8h"]\nmethods = "random"\nepochs = [1, 2]\nlora-r = 8\n'
        'max_length = 512\npacking = false\nformat = "json"\nquiet = true\nrequire = ["loss<=4@0.9"]\nseed = 7\n'
    )
    found = seen("plan")
    assert (found["gpu"], found["mfu"], found["lora_r"], found["max_length"]) == ("h100-sxm:8", 0.4, 8, 512)
    assert [list(found[key]) for key in ("budget", "methods", "epochs", "require")] == [
        ["500usd", "8h"],
        ["random"],
        ["1", "2"],
        ["loss<=4@0.9"],
    ]
    assert (found["packing"], found["form"], found["quiet"], found["seed"]) == (False, "json", True, 7)
    fit = seen("fit", "x.csv")
    assert (fit["form"], fit["seed"], fit["bootstrap"]) == ("json", 7, 1000)
    assert "price" not in fit
    assert seen("compare", "laws", "x.csv")["form"] == "json"
    assert seen("simulate", "budgets", "quickstart")["form"] == "json"


def test_every_kind_of_variable(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BUDGET", "500usd, 8h"), ("PACKING", "false"), ("LORA_R", "8"), ("MODEL", "")):
        monkeypatch.setenv(f"FTPLAN_{name}", value)
    found = seen("plan")
    assert list(found["budget"]) == ["500usd", "8h"]
    assert (found["packing"], found["lora_r"], found["model"]) == (False, 8, None)


def test_the_nearest_file_counts_and_a_project_without_the_table_does_not(seen: Seen) -> None:
    above, here = Path("../.."), Path()
    (above / "ftplan.toml").write_text("seed = 1\n")
    assert seen("plan")["seed"] == 1
    (above / "a" / "pyproject.toml").write_text("[tool.ftplan]\nseed = 2\n")
    (here / "pyproject.toml").write_text('[project]\nname = "ftplan-user"\n')
    assert seen("plan")["seed"] == 2
    (here / "pyproject.toml").write_text("[tool]\nftplan = {seed = 3}\n")
    assert seen("plan")["seed"] == 3
    (here / "ftplan.toml").write_text("")
    assert seen("plan")["seed"] is None, "the nearest file wins whole"
    (here / "other.toml").write_text("seed = 5\n")
    assert seen("plan", "--config", "other.toml")["seed"] == 5
    assert seen("plan", "--config", "../pyproject.toml")["seed"] == 2


def test_paths_start_at_the_file(seen: Seen) -> None:
    for name in ("pool.csv", "log.json", "quickstart"):
        Path("..", name).touch()
    Path("../ftplan.toml").write_text(
        'pool = "pool.csv"\nruns = "pyfunc"\ncalibrate = "log.json"\nproblem = "gone.toml"\n'
    )
    found = seen("plan")
    assert (found["pool"], found["runs"], found["calibrate"]) == ("../pool.csv", "pyfunc", "../log.json")
    assert seen("simulate", "budgets", "x")["problem"] == "../gone.toml"
    Path("../ftplan.toml").write_text('pool = "quickstart"\n')
    assert seen("plan")["pool"] == "../quickstart", "a file goes before a preset of its name"


def test_of_two_answers_the_nearer_one_counts(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ftplan.toml").write_text('fit = "fit.yaml"\nmfu = 0.3\n')
    found = seen("plan", "--runs", "pyfunc", "--calibrate", "log.json")
    assert (found["fit"], found["runs"], found["mfu"], found["calibrate"]) == (None, "pyfunc", None, "log.json")
    monkeypatch.setenv("FTPLAN_RUNS", "x.csv")
    found = seen("plan")
    assert (found["fit"], found["runs"], found["mfu"]) == (None, "x.csv", 0.3)
    Path("ftplan.toml").write_text('mfu = 0.3\ncalibrate = "log.json"\n')
    found = seen("plan")
    assert (found["mfu"], found["calibrate"]) == (0.3, "log.json"), "and so are two keys of one file"
    both = seen("plan", "--fit", "a", "--runs", "b")
    assert (both["fit"], both["runs"]) == ("a", "b"), "two flags are for the command to refuse"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("bugdet = '5usd'", "ftplan.toml: unknown key 'bugdet'", "did you mean budget?"),
        ("lora-rr = 4", "ftplan.toml: unknown key 'lora-rr'", "did you mean lora-r?"),
        ("zzz = 4", "ftplan.toml: unknown key 'zzz'", "keys are the names of options"),
        ("output = 'x'", "ftplan.toml: unknown key 'output'", None),
        ("[plan]\nprice = 1", "ftplan.toml: unknown key 'plan'", None),
        ("price = 'dear'", "ftplan.toml: price: 'dear' is not a number", None),
        ("price = -1", "ftplan.toml: price: -1", None),
        ("price = true", "ftplan.toml: price: true is no value for this option", None),
        ("price = [1, 2]", "ftplan.toml: price: a list is no value for this option", None),
        ("budget = [['1usd']]", "ftplan.toml: budget: a list is no value for this option", None),
        ("packing = 3", "ftplan.toml: packing: 3 is no value for this option", None),
        ("format = 'tabel'", "ftplan.toml: format: unknown format 'tabel'", "one of: csv"),
        ("price = ", "ftplan.toml: not TOML", None),
    ],
)
def test_a_mistake_is_named_with_its_place(
    capsys: pytest.CaptureFixture[str], text: str, message: str, hint: str | None
) -> None:
    Path("ftplan.toml").write_text(text)
    err = failure(capsys, "plan", "quickstart")
    assert err.startswith(f"error: {message}")
    assert hint is None or f"hint: {hint}" in err


def test_a_mistake_in_a_variable_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTPLAN_SEED", "x")
    assert failure(capsys, "plan").startswith("error: FTPLAN_SEED: 'x' is not a whole number")
    monkeypatch.delenv("FTPLAN_SEED")
    monkeypatch.setenv("FTPLAN_BUGDET", "5usd")
    said = "error: FTPLAN_BUGDET: no option of that name\nhint: did you mean FTPLAN_BUDGET?\n"
    assert failure(capsys, "plan") == said


def test_a_config_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(capsys, "plan", "--config", "gone.toml") == "error: gone.toml: No such file or directory\n"
    Path("pyproject.toml").write_text("[tool]\nftplan = 3\n")
    assert "tool.ftplan is not a table" in failure(capsys, "plan", "--config", "pyproject.toml")
    Path("latin.toml").write_bytes(b"gpu = '\xe9'\n")
    assert "latin.toml: not UTF-8 text" in failure(capsys, "plan", "--config", "latin.toml")


def test_help_does_not_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ftplan.toml").write_text("broken")
    assert app.run(["plan", "--help"]) == 0
    assert app.run(["--version"]) == 0
    assert "--config FILE" in capsys.readouterr().out


def test_a_command_that_has_nothing_configured_does_not_load_a_toml_parser() -> None:
    Path("pyproject.toml").write_text('[project]\nname = "x"\n')
    code = (
        "import sys; from ftplan.cli import app; app.run(['fit']);"
        "print({'tomllib', 'tomli', 'numpy', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_value_from_the_file_reaches_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs.csv").write_text(RUNS)
    Path("ftplan.toml").write_text('format = "json"\nlaw = ["power"]\nbootstrap = 0\n')
    assert app.run(["fit", "runs.csv", "-q"]) == 0
    assert [law["name"] for law in json.loads(capsys.readouterr().out)["series"][0]["laws"]] == ["power"]
