"""No file of the user's is destroyed, and a set of files is a set."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftplan.cli import files
from ftplan.errors import InputError

from .conftest import Run, interruptible

ROWS = "".join(f'{{"text": "{"word " * (i % 7 + 1)}"}}\n' for i in range(40))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_old_files_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fit.yaml").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match=r"fit.yaml cannot be written: No space left"):
        files.write_set({str(tmp_path / "fit.yaml"): "new", str(tmp_path / "b.csv"): "new"})
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("fit.yaml", "old")]


def test_a_file_that_cannot_be_finished_keeps_the_others_from_appearing(tmp_path: Path) -> None:
    def half() -> Iterator[bytes]:
        yield b"one"
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"b.csv cannot be written: No space left"):
        files.write_set({str(tmp_path / "a.yaml"): "whole", str(tmp_path / "b.csv"): half()})
    assert names(tmp_path) == []


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    plain, written = tmp_path / "plain", tmp_path / "written"
    plain.write_text("x")
    files.write_set({str(written): "x"})
    assert written.stat().st_mode == plain.stat().st_mode
    written.chmod(0o640)
    files.write_set({str(written): "y"})
    assert stat.S_IMODE(written.stat().st_mode) == 0o640


def test_links_and_devices_stay_what_they_are(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    files.write_set({str(link): "new"})
    assert link.is_symlink()
    assert target.read_text() == "new"
    files.write_set({os.devnull: "gone"})
    assert not Path(os.devnull).is_file()
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_set({str(pipe): "through"})
    assert os.read(reader, 100) == b"through"
    os.close(reader)


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        files.claim([str(tmp_path)], [], force=False)
    with pytest.raises(InputError, match="no such folder"):
        files.claim([str(tmp_path / "a" / "b.yaml")], [], force=False)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "b.yaml")
    with pytest.raises(InputError, match="no such folder"):
        files.claim([str(tmp_path / "link")], [], force=False)
    files.claim([str(tmp_path / "b.yaml"), "-", os.devnull], [], force=False)


def test_an_output_is_no_input_under_any_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("examples,loss\n")
    Path("link.csv").symlink_to("in.csv")
    os.link("in.csv", "hard.csv")
    for spelling in (
        "in.csv",
        "./in.csv",
        f"../{tmp_path.name}/in.csv",
        "link.csv",
        "hard.csv",
        str(tmp_path / "in.csv"),
    ):
        for force in (False, True):
            with pytest.raises(InputError, match="is an input of this command"):
                files.claim([spelling], ["in.csv"], force=force)


def test_two_outputs_are_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for other in ("a.yaml", "./a.yaml", str(tmp_path / "a.yaml")):
        with pytest.raises(InputError, match="two outputs to one file"):
            files.claim(["a.yaml", other], [], force=True)


def test_only_what_ftplan_wrote_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    files.claim([str(path)], [], force=False)
    files.write_set({str(path): "examples,loss\n1,2\n"})
    files.claim([str(path)], [], force=False)
    assert names(tmp_path) == [".runs.csv.ftplan", "runs.csv"]
    path.write_text("examples,loss\n1,3\n")
    with pytest.raises(InputError, match="has been changed since ftplan wrote it"):
        files.claim([str(path)], [], force=False)
    files.claim([str(path)], [], force=True)
    mine = tmp_path / "notes.md"
    mine.write_text("mine")
    with pytest.raises(InputError, match="ftplan did not write it") as refused:
        files.claim([str(mine)], [], force=False)
    assert "--force" in (refused.value.hint or "")
    mine.write_text("")  # as mktemp makes them: nothing to lose
    files.claim([str(mine)], [], force=False)


@pytest.mark.parametrize(
    "text",
    [
        "schema_version: 1\nkind: plan\n",
        '{\n  "schema_version": 1,\n  "kind": "fit"\n}\n',
        "# TRL configuration by ftplan, from plan.yaml.\na: 1\n",
        "#!/bin/sh\n# started by ftplan\n",
    ],
)
def test_documents_and_exports_say_themselves_whose_they_are(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x"
    files.write_set({str(path): text})
    assert names(tmp_path) == ["x"]
    path.write_text(text + "edited: true\n")
    files.claim([str(path)], [], force=False)


def test_a_file_of_an_input_folder_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    state = tmp_path / "logs" / "trainer_state.json"
    state.write_text("{}")
    table, plan = tmp_path / "logs" / "runs.csv", tmp_path / "logs" / "plan.yaml"
    files.claim([str(table)], [str(tmp_path / "logs")], force=False)
    files.write_set({str(table): "examples,loss\n1,2\n", str(plan): "schema_version: 1\nkind: plan\n"})
    for read in (state, table):
        with pytest.raises(InputError, match="which is an input"):
            files.claim([str(read)], [str(tmp_path / "logs")], force=True)
    files.claim([str(plan)], [str(tmp_path / "logs")], force=False)


def test_leftovers_of_a_killed_run_are_removed_and_those_of_a_running_one_are_not(tmp_path: Path) -> None:
    left = tmp_path / ".a.csv.0011aabb.ftplan-part"
    left.write_text("half")
    code = (
        "import sys, time; from ftplan.cli import files\n"
        "def slow():\n"
        "    yield b'x'\n"
        "    print('writing', flush=True); sys.stdin.read()\n"
        f"files.write_set({{{str(tmp_path / 'slow.csv')!r}: slow()}})\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=interruptible
    ) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stdout.readline() == b"writing\n"
        assert not left.exists()
        files.write_set({str(tmp_path / "b.yaml"): "schema_version: 1\nkind: fit\n"})
        assert len([name for name in names(tmp_path) if name.endswith("ftplan-part")]) == 1
        running.send_signal(signal.SIGKILL)
    assert len(names(tmp_path)) == 2
    files.write_set({str(tmp_path / "b.yaml"): "schema_version: 1\nkind: fit\n"})
    assert names(tmp_path) == ["b.yaml"]


def test_commands_refuse_to_write_over_what_they_read(run: Run) -> None:
    Path("p.jsonl").write_text(ROWS)
    code, out, err = run("profile", "p.jsonl", "-o", "./p.jsonl")
    assert (code, out) == (2, "")
    assert err.startswith("error: ./p.jsonl is an input of this command\nhint:")
    assert Path("p.jsonl").read_text() == ROWS
    assert run("profile", "p.jsonl", "-o", "pool.yaml", "-q")[0] == 0
    Path("mine.toml").write_text('[pool]\nfile = "pool.yaml"\n')
    Path("mine.txt").write_text("mine")
    code, _, err = run("profile", "p.jsonl", "-o", "mine.txt")
    assert code == 2
    assert "ftplan did not write it" in err
    assert Path("mine.txt").read_text() == "mine"
    assert run("profile", "p.jsonl", "-o", "mine.txt", "--force", "-q")[0] == 0
    assert run("profile", "p.jsonl", "-o", "pool.yaml", "-q")[0] == 0


def test_a_plan_is_not_written_over_the_pool_that_its_problem_names(run: Run) -> None:
    Path("p.jsonl").write_text(ROWS)
    assert run("profile", "p.jsonl", "-o", "pool.yaml", "-q")[0] == 0
    before = Path("pool.yaml").read_bytes()
    code, _, err = run("plan", "quickstart", "--pool", "pool.yaml", "-o", "pool.yaml")
    assert code == 2
    assert "pool.yaml is an input" in err
    code, _, err = run("plan", "quickstart", "-o", "a.yaml", "--export", "trl=./a.yaml")
    assert code == 2
    assert "two outputs to one file" in err
    assert Path("pool.yaml").read_bytes() == before


def test_a_plan_file_cannot_make_another_file_be_shown(run: Run) -> None:
    assert run("plan", "quickstart", "-o", "plan.yaml", "-q")[0] == 0
    Path("secret").write_text("root:hunter2\n")
    plan = Path("plan.yaml").read_text()
    import yaml

    values = yaml.safe_load(plan)
    values["inputs"]["pool"]["path"] = "secret"
    Path("plan.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    code, out, err = run("plan", "--check", "plan.yaml")
    assert code == 2
    assert "hunter2" not in out + err
    assert "which the plan names as its pool" in err
