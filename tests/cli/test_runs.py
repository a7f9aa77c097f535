"""`ftplan runs`, and logs in place of a run table in every command that takes one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ftplan.cli import app
from ftplan.readers.tables import read_runs
from tests.readers.made_logs import (
    RUNS,
    by_hand,
    lm_eval_folder,
    loss,
    mlflow_rows,
    table,
    trainer_folder,
    trainer_state,
    wandb_guide,
    wandb_rows,
    write,
)

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    trainer_folder(tmp_path / "outputs")
    lm_eval_folder(tmp_path / "evals", "/home/me/outputs", lambda N, L: round(1.0 / loss(N, L), 4))
    write(tmp_path / "wandb.csv", table(wandb_rows()))
    write(tmp_path / "guide.csv", wandb_guide())
    write(tmp_path / "mlflow.csv", table(mlflow_rows()))
    return tmp_path


def test_the_screen(logs: Path, capsys: Printed) -> None:
    assert logs
    assert app.run(["runs", "outputs"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[:4] == [
        "12 runs from outputs, judged by eval_loss in nats: lower is better.",
        "",
        "  run    examples  tokens each   tokens  epochs  eval_loss",
        "  run00       200        40.00    8,000       2      2.107",
    ]
    assert err.startswith("note: of the 36 states that trainers saved, the final one of each run is read\nnote: ")
    assert app.run(["runs", "outputs", "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_long_names_fit_the_screen_and_stay_whole_in_files(
    tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"qwen2.5-0.5b-instruct-lora-len{L}-n{N}" for N, L in RUNS]
    cells = [
        f"{name},{N},{L},494M,1,{i},{loss(N, L)}" for i, (name, (N, L)) in enumerate(zip(names, RUNS, strict=True))
    ]
    write(tmp_path / "t.csv", "\n".join(["run,examples,avg_tokens,model_params,epochs,seed,eval_loss", *cells]) + "\n")
    assert app.run(["runs", "t.csv", "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    # one line a run; what tells them apart is whole, and so is every number
    rows = [line.split() for line in lines if "…" in line]
    assert all(len(row) == 8 for row in rows)
    assert all(row[0].endswith(f"{L}-n{N}") for row, (N, L) in zip(rows, RUNS, strict=True))
    assert [float(row[-1]) for row in rows] == [pytest.approx(loss(N, L), abs=1e-3) for N, L in RUNS]
    for form in ("csv", "json"):
        assert app.run(["runs", "t.csv", "-q", "--format", form]) == 0
        out = capsys.readouterr().out
        assert "…" not in out
        assert all(name in out for name in names)


def test_what_is_written_reads_back(logs: Path, capsys: Printed) -> None:
    assert app.run(["runs", "wandb.csv", "-o", "runs.csv", "-q"]) == 0
    read = read_runs("runs.csv")
    assert (read.rows(), read.remarks) == (by_hand(), ())
    assert read.notes == ()
    with (logs / "runs.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["run", "examples", "avg_tokens", "tokens", "epochs", "eval_loss"]
    capsys.readouterr()
    assert app.run(["runs", "outputs", "--format", "json", "-q"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["kind"], data["schema_version"], data["metric"]["name"]) == ("runs", 1, "eval_loss")
    assert [{k: v for k, v in row.items() if k != "run"} for row in data["rows"]] == by_hand()


@pytest.mark.parametrize(
    "sources",
    [["outputs"], ["wandb.csv"], ["guide.csv"], ["mlflow.csv"], ["outputs", "evals"]],
    ids=lambda sources: "+".join(sources),
)
def test_fit_of_logs(logs: Path, capsys: Printed, sources: list[str]) -> None:
    assert logs
    # a score that was joined must carry a fit as the loss does
    metric = ["--metric", "arc_easy/acc"] if "evals" in sources else []
    assert app.run(["fit", *sources, *metric, "--law", "power", "--bootstrap", "0"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("All 12 runs\n")
    assert "note: tokens are TRL's num_tokens" in err


def test_one_run_is_too_few_for_laws_and_said_after_the_notes(logs: Path, capsys: Printed) -> None:
    path = write(logs / "one" / "trainer_state.json", trainer_state(*RUNS[0]))
    assert app.run(["fit", str(path), "-q"]) == 0
    assert "1 size: the forecast rests mostly on a prior" in capsys.readouterr().out
    assert app.run(["compare", "laws", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines[-2:]] == ["error", "hint"]
    assert all(line.startswith("note: ") for line in lines[:-2])
    assert lines[-1].startswith("hint: make these four runs: ")


def test_logs_where_a_run_table_is_taken(logs: Path, capsys: Printed) -> None:
    write(logs / "planned.csv", "examples,avg_tokens,epochs\n300,90,2\n")
    assert app.run(["predict", "outputs", "planned.csv", "--format", "csv", "-q"]) == 0
    assert capsys.readouterr().out.startswith("examples,avg_tokens,epochs,prediction")
    # a trainer's log is no fit file, though it ends in .json
    assert app.run(["predict", "outputs/run00/trainer_state.json", "planned.csv", "-q", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("examples,avg_tokens,epochs,prediction")
    assert app.run(["compare", "laws", "wandb.csv", "mlflow.csv", "--law", "power", "-q"]) == 0


def test_histories(logs: Path, capsys: Printed) -> None:
    """Two evaluations a run; what it takes from the log is tested with the readers."""
    rate = [{"step": step, "learning_rate": 1e-4, "num_tokens": 40.0 * step, "epoch": step / 50} for step in (1, 50)]
    state = trainer_state(200, 40)
    write(logs / "one" / "trainer_state.json", {**state, "log_history": [*rate[:1], *state["log_history"]]})
    assert app.run(["runs", "one", "--histories", "--schedule", "constant", "-o", "h.csv", "-q"]) == 0
    assert "2 evaluations of 1 run from one." in capsys.readouterr().out
    with Path("h.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["one", "one"]
    assert [row["rate_tokens"] for row in rows] == ["8000.0", "16000.0"]
    assert app.run(["runs", "one", "--schedule", "constant"]) == 2
    assert "hint: ftplan runs LOGS --histories" in capsys.readouterr().err
