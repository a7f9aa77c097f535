"""Runs that did not finish, by what trackers say of them."""

from __future__ import annotations

import json

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
        ("status", "baseline failed done done", "134"),  # one word that no tracker writes
        ("active", "False True False False", "134"),  # Aim
        ("hasCrashed", "False True False False", "134"),  # Comet
        ("exit_code", "0 1 0 137", "13"),
        ("Status", "fertig abgebrochen fertig fertig", "134"),
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


def test_words_that_are_not_understood_are_said(read: Read) -> None:
    table = read("examples,loss,status\n100,2.0,ok\n200,1.9,weird\n300,1.8,failed\n400,1.7,ok\n")
    assert table.examples.tolist() == [100.0, 200.0, 400.0]
    assert table.remarks == (
        "1 run with a status other than finished left out (failed); a status of weird is not understood, and counts as "
        "finished",
    )
    assert read("examples,loss,status\n100,2.0,gut\n200,1.9,schlecht\n300,1.8,gut\n").remarks == (
        "a status of gut, schlecht is not understood, and counts as finished",
    )


def test_every_column_that_tells_is_asked(read: Read) -> None:
    table = read(
        "sys/id,sys/state,sys/failed,parameters/n_examples,eval/loss\n"
        "A-1,Inactive,False,100,2.1\nA-2,Inactive,True,200,9.9\nA-3,Active,False,400,2.5\nA-4,Inactive,False,800,1.7\n"
    )
    assert table.examples.tolist() == [100.0, 800.0]
    assert table.remarks == ("2 runs with a sys/state or sys/failed other than finished left out (True, Active)",)


def test_the_states_of_an_export_by_weights_and_biases_own_guide(read: Read) -> None:
    rows = [
        {"name": f"r{n}", "state": state, "config": {"n_examples": n}, "summary": {"eval/loss": loss, "_step": 9}}
        for n, state, loss in ((100, "finished", 2.1), (200, "crashed", 9.0), (400, "finished", 1.9))
    ]
    table = read("\n".join(map(json.dumps, rows)) + "\n", "runs.jsonl")
    assert table.examples.tolist() == [100.0, 400.0]
    assert "1 run with a State other than finished left out" in table.remarks


def test_objects_in_a_row_are_columns(read: Read) -> None:
    rows = [
        {"run": f"r{n}", "config": {"n_examples": n, "opt": {"lr": 1e-5}}, "metrics": {"eval_loss": 3 - n / 1000}}
        for n in (100, 200)
    ]
    for text in ("\n".join(map(json.dumps, rows)), json.dumps(rows)):
        table = read(text + "\n", "runs.jsonl")
        assert table.examples.tolist() == [100.0, 200.0]
        assert table.value.tolist() == [2.9, 2.8]
        assert table.metric.name == "eval_loss"
