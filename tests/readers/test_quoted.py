"""A command that a hint suggests may be pasted into a shell: what it names comes from files."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ftplan.errors import InputError
from ftplan.readers.pools import read_pool
from ftplan.readers.tables import read_runs

EVIL = "x; touch owned $(touch owned) '"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("runs.json", json.dumps({EVIL: [{"a": 1}], "b": 2})),
        ("runs.csv", "examples,avg_tokens,x;touch owned\n1,2,3\n"),
    ],
)
def test_a_suggested_command_quotes_what_it_names(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_runs(str(path))
    assert "touch" not in shlex.split(caught.value.hint or "", comments=False)


def test_a_suggested_profile_quotes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows; touch owned.jsonl"
    path.write_text('{"text": "a"}\n')
    with pytest.raises(InputError) as caught:
        read_pool(str(path))
    assert str(path) in shlex.split((caught.value.hint or "").replace(",", " "))
