"""A short part of the killing: one command, each way to stop it. The long one: python -m tests.fuzz.kills."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

from .kills import STOPS, WORKS, prepared, stopped


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")
def test_a_set_of_outputs_is_old_or_new_however_a_command_ends(tmp_path: Path) -> None:
    (work,) = [work for work in WORKS if work.name == "plan"]
    ready = prepared(work, tmp_path)
    assert {stop: list(stopped(ready, stop, 1_000_000)) for stop in STOPS} == {stop: [] for stop in STOPS}
