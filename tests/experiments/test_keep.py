"""Files made once, and runs that go on where they stopped."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from experiments import command
from experiments.design import Cell, Design
from experiments.keep import made


def test_a_file_is_made_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def make(part: Path) -> None:
        calls.append(part)
        part.write_text("done")

    for _ in range(2):
        assert made(tmp_path / "new" / "file.txt", make).read_text() == "done"
    assert len(calls) == 1
    assert calls[0].suffix == ".txt"


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    def make(part: Path) -> None:
        part.write_text("half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        made(tmp_path / "file.txt", make)
    assert not (tmp_path / "file.txt").exists()


def test_a_table_holds_the_runs_that_are_done_in_the_order_of_the_design(tmp_path: Path) -> None:
    cells = tuple(Cell("xs", examples=n) for n in (10, 20, 30))
    for cell in cells[::-2]:
        row = {"trained": cell.size, "examples": cell.examples, "loss": 1.0 / cell.examples}
        (tmp_path / f"{cell.key}.json").write_text(json.dumps(row))
    command.write(Design("some", 100, 0, cells), tmp_path, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["examples"] for row in rows] == ["10", "30"]
    assert tuple(rows[0]) == command.COLUMNS
