"""docs/concepts.md names what the code has: the drawing's modules and the classes that the last table begins at."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ftplan.laws import part_names

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "ftplan"
PAGE = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
DRAWING = PAGE.split("```")[1]


def defined() -> set[str]:
    """Every class and function at the top of a module."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SRC.rglob("*.py"))
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


@pytest.mark.parametrize("module", sorted(set(re.findall(r"\b\w+/\w+\b", DRAWING))))
def test_the_drawing_names_modules_that_are_there(module: str) -> None:
    assert (SRC / f"{module}.py").exists()


def test_what_the_code_begins_at_is_there() -> None:
    table = PAGE.split("## Where it is in the code")[1]
    names = [name for name in re.findall(r"`([^`]+)`", table) if "." not in name and "/" not in name]
    folders = [path.stem for path in SRC.iterdir()]
    assert {name for name in names if name not in folders} <= defined()
    paths = [name for name in re.findall(r"`([^`]+)`", table) if "/" in name]
    assert all((SRC / path).exists() for path in paths)


def test_every_term_of_effective_data_has_its_word() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| term |"))
    assert set(part_names("terms")) <= set(re.findall(r"\w+", row))


def test_it_is_found_from_the_front() -> None:
    assert "docs/concepts.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "docs/concepts.md" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
