"""Tables are written to an empty folder and read by their bare name, so that messages can be compared exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable

Read = Callable[..., RunTable]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Writes content to a file (runs.csv by default) and reads it with the given options of `read_runs`."""
    monkeypatch.chdir(tmp_path)

    def write_and_read(content: str | bytes, name: str = "runs.csv", **options: Any) -> RunTable:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return read_runs(name, **options)

    return write_and_read
