"""Results of evaluation tools, joined to the runs whose models they are of."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.readers.tables import read_runs

HERE = Path(__file__).parent
RUNS = "run,examples,avg_tokens\nrun1,100,50\n"


def beside(folder: Path, file: Path) -> list[str]:
    runs = folder / "runs.csv"
    runs.write_text(RUNS)
    return [str(runs), str(file)]


def sample(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / "samples" / name).read_text())
    return content


@pytest.mark.parametrize("name", ["samples/inspect_ai.json", "evaluated.eval"])
def test_inspect_ai(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    read = read_runs(*beside(tmp_path, HERE / name))
    assert read.metric.name == "accuracy"
    row = next(iter(read.rows()))
    assert [row["accuracy"], row["stderr"]] == pytest.approx([2 / 3, 1 / 6])


def test_an_evaluation_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "logs").mkdir()
    shutil.copy(HERE / "evaluated.eval", tmp_path / "logs")
    assert len(read_runs(*beside(tmp_path, tmp_path / "logs"))) == 1


def test_one_that_was_killed_has_no_header(tmp_path: Path) -> None:
    file = tmp_path / "x.eval"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with pytest.raises(InputError, match="killed, or still runs"):
        read_runs(*beside(tmp_path, file))


@pytest.mark.parametrize("change", [{"status": "error"}, {"results": None}])
def test_one_that_failed_is_not_used(change: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({**sample("inspect_ai.json"), **change}))
    with pytest.raises(InputError, match="no"):
        read_runs(*beside(tmp_path, file))


def test_lightevals_mean_of_all_tasks(tmp_path: Path) -> None:
    read = read_runs(*beside(tmp_path, HERE / "samples" / "lighteval.json"))
    row = next(iter(read.rows()))
    assert (row["acc"], row["stderr"]) == (0.6, 0.05)
    of_one = read_runs(*beside(tmp_path, HERE / "samples" / "lighteval.json"), metric="ft:a:0/acc")
    assert next(iter(of_one.rows()))[of_one.metric.name] == 0.5
