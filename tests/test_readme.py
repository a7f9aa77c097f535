"""The README and the pages in docs/ show real commands with their real output.

`python tests/test_readme.py [PAGE...]` writes that output again. In a ```console block every `$ command` is run by bash
at 80 columns, with the installed `ftplan`, in a folder of the page's own that has `presets` and `examples` and keeps
what the page's earlier commands wrote; what it prints on stdout and stderr is what must stand below it.
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
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
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
    """A folder with the presets and examples, and this Python's `ftplan` as a command."""
    for shipped in ("presets", "examples"):
        (folder / shipped).symlink_to(ROOT / shipped)
    (folder / "bin").mkdir()
    command = folder / "bin" / "ftplan"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ftplan "$@"\n')
    command.chmod(0o755)
    return folder


def rewritten(text: str, folder: Path) -> str:
    """A page with the output that its commands have now."""

    def again(match: re.Match[str]) -> str:
        return "".join(f"$ {command}\n{output(command, folder)}" for command, _ in entries(match[1]))

    return _BLOCK.sub(again, text)


@pytest.fixture(scope="module")
def text() -> str:
    return README.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_output_is_real(page: Path, tmp_path: Path) -> None:
    shown = [entry for block in _BLOCK.findall(page.read_text(encoding="utf-8")) for entry in entries(block)]
    assert page != README or any(command.startswith("ftplan plan quickstart") for command, _ in shown)
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


def test_every_law_part_is_named() -> None:
    from ftplan.laws import part_names

    text = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
    for kind in ("curves", "terms", "sizes"):
        for name in part_names(kind):
            assert f"`{name}`" in text, f"{kind}: {name}"


def test_every_exit_code_and_folder_is_named(text: str) -> None:
    for code in ("0", "1", "2", "130"):
        assert f"| {code} |" in text
    for path in re.findall(r"`((?:src|presets|tests|completions|benchmarks|examples)/[\w/.-]*)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page: Path, text: str) -> None:
    assert f"](docs/{page.name})" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


if __name__ == "__main__":
    for asked in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        with tempfile.TemporaryDirectory() as temporary:
            asked.write_text(rewritten(asked.read_text(encoding="utf-8"), workplace(Path(temporary))), encoding="utf-8")
