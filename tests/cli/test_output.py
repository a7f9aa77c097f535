"""Where results go."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ftplan.cli import output
from ftplan.errors import InputError
from ftplan.formats import View, render
from ftplan.formats.documents import Document, Prose

DOCUMENT = Document({"kind": "x", "n": 1}, ("n",), ((1,),), (Prose("one"),), ("careful",))


def test_the_suffix_decides_the_format_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, form in [("a.yaml", "yaml"), ("b.json", "json"), ("c", "yaml"), ("d.csv", "csv")]:
        output.deliver(DOCUMENT, "table", str(tmp_path / name), quiet=False)
        assert (tmp_path / name).read_text() == render(DOCUMENT, form)
        out, err = capsys.readouterr()
        assert out == "one\n"
        assert err == f"wrote {tmp_path / name}\n"


def test_dash_prints_the_artefact_in_place_of_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    output.deliver(DOCUMENT, "table", "-", quiet=False)
    assert capsys.readouterr() == (render(DOCUMENT, "yaml"), "")


def test_csv_has_no_place_for_warnings_so_stderr_gets_them(capsys: pytest.CaptureFixture[str]) -> None:
    output.deliver(DOCUMENT, "csv", None, quiet=False)
    assert capsys.readouterr() == ("n\n1\n", "warning: careful\n")
    output.deliver(DOCUMENT, "csv", None, quiet=True)
    assert capsys.readouterr() == ("n\n1\n", "")


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "fit.yaml"
    target.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match=r"fit.yaml cannot be written: No space left"):
        output.write(str(target), "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("fit.yaml", "old")]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    plain, written = tmp_path / "plain", tmp_path / "written"
    plain.write_text("x")
    output.write(str(written), "x")
    assert written.stat().st_mode == plain.stat().st_mode
    written.chmod(0o640)
    output.write(str(written), "y")
    assert stat.S_IMODE(written.stat().st_mode) == 0o640


def test_links_and_devices_stay_what_they_are(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    output.write(str(link), "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    output.write(os.devnull, "gone")
    assert not Path(os.devnull).is_file()
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    output.write(str(pipe), "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)


def test_targets_are_checked_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        output.check_target(str(tmp_path))
    with pytest.raises(InputError, match="no such folder"):
        output.check_target(str(tmp_path / "a" / "b.yaml"))
    output.check_target(str(tmp_path / "b.yaml"))
    output.check_target("-")
    output.check_target(None)


@pytest.mark.parametrize(
    ("environment", "view"),
    [
        ({}, View(80, False)),
        ({"COLUMNS": "140"}, View(140, False)),
        ({"COLUMNS": "3"}, View(40, False)),
        ({"FORCE_COLOR": "1"}, View(80, True)),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, View(80, False)),
    ],
)
def test_width_and_colour(environment: dict[str, str], view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert output.view() == view
