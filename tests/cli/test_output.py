"""Where results go."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftplan.cli import output
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


@pytest.mark.parametrize(("cell", "said"), [("=1+1", True), ("@x", True), ("-x", True), ("-7.5", False), ("-", False)])
def test_cells_that_a_spreadsheet_would_run_are_said(cell: str, said: bool, capsys: pytest.CaptureFixture[str]) -> None:
    output.deliver(Document({"kind": "x"}, ("n",), ((cell,),), (Prose("one"),)), "csv", None, quiet=False)
    out, err = capsys.readouterr()
    assert out == f"n\n{cell}\n"
    assert ("a spreadsheet runs cells" in err) == said


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


@pytest.mark.parametrize(("share", "drawn"), [(0.0, "." * 24), (0.3, "#" * 7 + "." * 17), (1.0, "#" * 24)])
def test_a_bar_is_as_long_as_the_share_that_is_done(share: float, drawn: str) -> None:
    assert output.bar(share) == f"[{drawn}]"
