"""Memory has a ceiling: what unpacks to far more than it is, rows without an end, columns without number."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from ftplan.errors import InputError
from ftplan.readers import packings
from ftplan.readers.examples import blocks
from ftplan.readers.examples.source import open_source
from ftplan.readers.source import read_bytes
from ftplan.readers.tables import read_runs


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_a_small_file_that_unpacks_to_far_more_is_refused(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    bomb = tmp_path / "runs.csv"
    bomb.write_bytes(packed(b"0" * (packings.SMALL + 1)))
    with pytest.raises(InputError, match="unpack to more than"):
        read_bytes(str(bomb))


def test_a_file_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftplan.readers.source.LARGEST", 1 << 16)
    with pytest.raises(InputError, match="larger than"):
        read_bytes("/dev/zero")


@pytest.mark.parametrize("name", ["pool.jsonl", "pool.jsonl.gz", "pool.csv", "pool.json"])
def test_a_row_without_an_end_is_refused_where_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(blocks, "LONGEST", 1 << 17)
    monkeypatch.setattr(blocks, "BLOCK", 1 << 16)
    row = b'{"prompt": "a", "completion": "' + b"b" * (1 << 20) + b'"}\n'
    content = {"csv": b"prompt,completion\na," + b"b" * (1 << 20) + b"\n", "json": b"[" + row + b"]"}.get(
        name.rpartition(".")[2], row
    )
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(InputError, match=r"a row of more than|not JSON"):
        _read(str(path))


def _read(path: str) -> int:
    pieces = (piece for part in open_source(path).files for block in part.blocks() for piece in block.pieces())
    return sum(map(len, pieces))


def test_ranges_inside_a_long_row_read_no_further_than_themselves(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b"a" * 1000 + b"\n" + b"b\n")
    assert b"".join(blocks.Range(str(path), 100, 200).pieces()) == b""
    assert b"".join(blocks.Range(str(path), 200, 1003).pieces()) == b"b\n"


@pytest.mark.parametrize(
    "text",
    [
        ",".join(f"a{i}" for i in range(20_000)) + "\n" + ",".join("1" * 20_000),
        "{" + ", ".join(f'"a{i}": 1' for i in range(20_000)) + "}",
    ],
)
def test_columns_without_number_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "runs.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="20,000 columns"):
        read_runs(str(path))
