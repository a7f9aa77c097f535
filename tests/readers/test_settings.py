"""Settings that differ between runs and are not used: said once, and only where they mix within a series."""

from __future__ import annotations

from pathlib import Path

from ftplan.readers.tables import read_runs


def notes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "runs.csv"
    path.write_text(text)
    return [note for note in read_runs(str(path)).notes if "repeats" in note]


def test_settings_that_differ_are_said_in_one_note(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, "examples,learning_rate,lora_r,loss\n10,1e-4,8,3\n10,2e-4,8,2\n20,1e-4,16,1\n")
    assert note.startswith("learning_rate, lora_r differ between runs and are not used")


def test_the_same_value_written_in_two_ways_does_not_differ(tmp_path: Path) -> None:
    assert not notes(tmp_path, "examples,learning_rate,loss\n10,1e-4,3\n20,0.0001,2\n")


def test_a_setting_of_each_series_mixes_nothing(tmp_path: Path) -> None:
    text = "examples,model,lr,loss\n10,a,1,3\n20,a,1,2\n10,b,2,3\n20,b,2,2\n"
    assert not notes(tmp_path, text)
    assert notes(tmp_path, text.replace("20,b,2", "20,b,3"))
