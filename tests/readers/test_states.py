"""Runs that did not finish, by what trackers say of them."""

from __future__ import annotations

import pytest

from ftplan.errors import InputError
from tests.readers.conftest import Read


@pytest.mark.parametrize(
    ("header", "cells", "kept"),
    [
        ("State", "finished crashed running finished", "14"),  # W&B without its other columns
        ("Status", "FINISHED FAILED KILLED SCHEDULED", "1"),  # MLflow
        ("status", "completed failed in_progress published", "14"),  # ClearML
        ("sys/state", "Inactive Active Inactive Inactive", "134"),  # Neptune
        ("sys/failed", "False True False False", "134"),
        ("state", "COMPLETE PRUNED FAIL RUNNING", "1"),  # Optuna
        ("status", "TERMINATED ERROR TERMINATED PENDING", "13"),  # Ray
        ("status", "completed terminated error completed", "14"),  # guild.ai
        ("finished", "yes no yes yes", "134"),
        ("run status", "done done done done", "1234"),
        ("State", "success Aborted success success", "134"),
        ("state", "Texas Ohio Iowa Utah", "1234"),
        ("status", "baseline failed done done", "1234"),  # not a tracker's words
        ("epochs", "1 1 1 1", "1234"),
    ],
)
def test_runs_that_did_not_finish(header: str, cells: str, kept: str, read: Read) -> None:
    lines = [f"{i}00,2.{i},{cell}" for i, cell in enumerate(cells.split(), start=1)]
    table = read("\n".join([f"examples,loss,{header}", *lines]) + "\n")
    assert table.examples.tolist() == [100.0 * int(i) for i in kept]
    assert any("other than finished left out" in text for text in table.remarks) == (kept != "1234")


def test_none_finished(read: Read) -> None:
    with pytest.raises(InputError) as caught:
        read("examples,loss,status\n100,2,running\n200,1,failed\n")
    assert caught.value.message == ("runs.csv: none of its 2 runs finished: its column 'status' says running, failed")
