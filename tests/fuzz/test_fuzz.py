"""A short, seeded part of the fuzzing: a few inputs of every kind. The long one: python -m tests.fuzz."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import kinds, laid_out, tried, verdict
from .seeds import KINDS

EACH = 12


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    before = Path.cwd()
    yield laid_out(tmp_path_factory.mktemp("fuzz"))
    os.chdir(before)


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_no_input_breaks_a_command(seeds: dict[str, bytes], name: str) -> None:
    if name not in seeds:
        pytest.skip("needs pyarrow")
    (kind,) = [kind for kind in kinds(seeds) if kind.name == name]
    faults = [fault for fault in tried(kind, seeds, 1_000_000, EACH) if fault is not None and " MB" not in fault.what]
    assert not faults


def test_faults_are_told() -> None:
    assert verdict(0, "x", "") is None
    assert verdict(2, "", "error: no\nhint: yes\n") is None
    assert verdict(2, "", "error: internal error: KeyError: 1\n") == "error: internal error: KeyError: 1"
    assert verdict(2, "", "error: a\nerror: b\nhint: c\n") is not None
    assert verdict(1, "", "Traceback (most recent call last)\n") == "a traceback"
    assert verdict(2, "", "error: \x1b[31m\n") is not None
    assert verdict("by KeyError: 1", "", "") is not None
