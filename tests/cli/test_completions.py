"""The checked-in scripts are what the app prints, and Tab offers the right words."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ftplan.cli import completions
from ftplan.formats import names as formats
from ftplan.presets import names

FOLDER = Path(__file__).parents[2] / "completions"


@pytest.mark.parametrize("shell", sorted(completions.FILES))
def test_scripts_are_up_to_date(shell: str) -> None:
    written = (FOLDER / completions.FILES[shell]).read_text(encoding="utf-8")
    assert written == completions.script(shell), "python -m ftplan.cli.completions completions"


def test_the_folder_holds_nothing_else() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(completions.FILES.values())


def test_zsh_finds_its_marker_on_the_first_line() -> None:
    assert (FOLDER / "_ftplan").read_text(encoding="utf-8").startswith("#compdef ftplan\n")


Tab = Callable[[str], list[str]]


@pytest.fixture
def tab(tmp_path: Path) -> Tab:
    """What bash offers after some words, by sourcing the script as a user's shell does."""
    command = tmp_path / "ftplan"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ftplan "$@"\n')
    command.chmod(0o755)

    def press(words: str) -> list[str]:
        script = f"""
        source {FOLDER}/ftplan.bash
        COMP_WORDS=({words})
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        _ftplan_completion ftplan
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        path = f"{tmp_path}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--norc", "-c", script],
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path},
            check=True,
        )
        return done.stdout.split()

    return press


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ftplan pl", ["plan"]),
        ("ftplan plan --bud", ["--budget"]),
        ("ftplan compare ''", ["laws", "methods", "strategies", "plans"]),
        ("ftplan plan quick", ["quickstart"]),
        ("ftplan plan --gpu h100-s", ["h100-sxm"]),
        ("ftplan fit pyf", ["pyfunc"]),
        ("ftplan fit x --objective h", ["huber"]),
        ("ftplan plan --tuning q", ["qlora"]),
        ("ftplan plan --methods grad", ["gradient"]),
        ("ftplan plan --assume epo", ["epochs"]),
    ],
)
def test_tab_in_bash(tab: Tab, words: str, offered: list[str]) -> None:
    assert tab(words) == offered


def test_tab_offers_every_preset_and_format(tab: Tab) -> None:
    assert tab("ftplan plan --model ''") == names("models")
    assert tab("ftplan plan --format ''") == formats()
    assert {"auto", "power", "rectified+length"} <= set(tab("ftplan fit --law ''"))
