"""The README shows real commands with their real output; `python tests/test_readme.py` writes that output again.

In a ```console block every `$ command` is run by bash at 80 columns, with the installed `ftplan`, in a folder that has
`presets` and keeps what earlier commands wrote; what it prints on stdout and stderr is what must stand below it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_SETUP = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def entries(block: str) -> list[tuple[str, str]]:
    """(command, output below it) of each `$ ` line of a console block."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def output(command: str, folder: Path) -> str:
    """What a reader sees who types the command in a plain 80-column terminal."""
    kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "NO_COLOR")}
    path = f"{folder / 'bin'}:{kept['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**kept, "PATH": path, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def parts(text: str) -> tuple[str, list[str]]:
    """The words of an output, its spacing and numbers taken out, and the numbers."""
    return " ".join(_NUMBER.sub("#", text).split()), _NUMBER.findall(text)


def same(shown: str, printed: str) -> bool:
    """Whether two outputs are the same but for what another processor's linear algebra may round differently: 1 % of a
    number, or one unit of its last digit; p-values below a millionth are all next to nothing.
    """
    (words, ours), (others, theirs) = parts(shown), parts(printed)
    if words != others:
        return False
    for a, b in zip(ours, theirs, strict=True):
        x, y = (float(n.replace(",", "")) for n in (a, b))
        last = 10.0 ** -len(a.partition("e")[0].partition(".")[2])
        if abs(x - y) > max(0.01 * abs(x), 1.001 * last * (1.0 if "e" not in a else 0.0)) and max(x, y) > 1e-6:
            return False
    return True


def workplace(folder: Path) -> Path:
    """A folder with the presets, and this Python's `ftplan` as a command."""
    (folder / "presets").symlink_to(ROOT / "presets")
    (folder / "bin").mkdir()
    command = folder / "bin" / "ftplan"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ftplan "$@"\n')
    command.chmod(0o755)
    return folder


def rewritten(text: str, folder: Path) -> str:
    """The README with the output that its commands have now."""

    def again(match: re.Match[str]) -> str:
        return "".join(f"$ {command}\n{output(command, folder)}" for command, _ in entries(match[1]))

    return _BLOCK.sub(again, text)


@pytest.fixture(scope="module")
def text() -> str:
    return README.read_text(encoding="utf-8")


def test_every_output_is_real(text: str, tmp_path: Path) -> None:
    shown = [entry for block in _BLOCK.findall(text) for entry in entries(block)]
    assert any(command == "ftplan plan quickstart" for command, _ in shown)
    folder = workplace(tmp_path)
    for command, expected in shown:
        printed = output(command, folder)
        assert same(expected, printed), f"$ {command}: run python tests/test_readme.py; it prints\n{printed}"


@pytest.mark.parametrize(
    ("printed", "alike"),
    [("loss 4.403, p = 1.1e-15", True), ("loss 4.51, p = 1e-15", False), ("score 4.403, p = 1e-15", False)],
)
def test_only_rounding_may_differ(printed: str, alike: bool) -> None:
    assert same("loss 4.402, p = 1.0e-15", printed) is alike


def test_setting_up_is_two_commands_one_for_the_job_and_one_for_the_tests(text: str) -> None:
    commands = _SETUP.findall(text)
    assert [command.count("\n") for command in commands] == [1, 1]
    run, tests = commands
    assert "pip install" in run
    assert run.endswith("ftplan plan quickstart\n")
    assert "pip install" in tests
    assert "-m pytest" in tests


def test_every_law_part_exit_code_and_folder_is_named(text: str) -> None:
    from ftplan.laws import part_names

    for kind in ("curves", "terms", "sizes"):
        for name in part_names(kind):
            assert f"`{name}`" in text, f"{kind}: {name}"
    for code in ("0", "1", "2", "130"):
        assert f"| {code} |" in text
    for path in re.findall(r"`((?:src|presets|tests|completions|benchmarks)/[\w/.-]*)`", text):
        assert (ROOT / path).exists(), path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        README.write_text(rewritten(README.read_text(encoding="utf-8"), workplace(Path(temporary))), encoding="utf-8")
