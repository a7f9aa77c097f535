"""Starting is fast: what a Tab press, `--version` and `--help` must not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"numpy", "scipy", "rich", "yaml", "hypothesis", "pytest"}
SCRIPT = """
import json, sys
from ftplan.cli.app import run
run({args!r})
sys.stdout.flush()
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(*args: str, **environment: str) -> set[str]:
    """Modules in memory after a command line."""
    script = SCRIPT.format(args=list(args))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, **environment}, check=True
    )
    modules: list[str] = json.loads(done.stderr.splitlines()[-1])
    return set(modules)


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["plan", "--help"], ["fit", "--help"], ["paln"]])
def test_help_and_version_load_nothing_heavy(args: list[str]) -> None:
    assert not loaded(*args) & HEAVY


def test_the_version_loads_no_command_line() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "ftplan", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    own = done.stderr[done.stderr.index(" runpy\n") :]
    assert not {line.rsplit(None, 1)[-1] for line in own.splitlines()} & {"typer", "typing", "enum", "re", "pathlib"}


def test_a_tab_press_loads_the_command_it_is_about() -> None:
    seen = loaded(_FTPLAN_COMPLETE="complete_bash", COMP_WORDS="ftplan plan --gpu ", COMP_CWORD="3")
    assert "ftplan.cli.plan" in seen
    assert not seen & {"ftplan.cli.fit", "ftplan.cli.output", "ftplan.cli.inputs", "ftplan.presets"}
    assert "ftplan.cli.plan" not in loaded(_FTPLAN_COMPLETE="complete_bash", COMP_WORDS="ftplan ", COMP_CWORD="1")


@pytest.mark.parametrize(
    "words",
    ["ftplan ", "ftplan pl", "ftplan plan ", "ftplan fit --law ", "ftplan plan --gpu ", "ftplan plan --methods "],
)
def test_a_tab_press_in_bash_loads_nothing_heavy(words: str) -> None:
    position = str(len(words.split()) - (not words.endswith(" ")))
    assert not loaded(_FTPLAN_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=position) & HEAVY


def test_a_tab_press_in_zsh_and_fish_loads_nothing_heavy() -> None:
    assert not loaded(_FTPLAN_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="ftplan ") & HEAVY
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": "ftplan plan "}
    assert not loaded(_FTPLAN_COMPLETE="complete_fish", **fish) & HEAVY


def test_the_check_sees_what_a_command_loads() -> None:
    assert "numpy" in loaded("plan", "quickstart", "--fit", "missing.yaml")
