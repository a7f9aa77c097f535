"""Files that are not there, not whole, or not UTF-8 text."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from ftplan.errors import InputError
from ftplan.readers.source import decode, read_bytes
from ftplan.runs import RunTable

Read = Callable[..., RunTable]

TEXT = "examples,loss,note\n100,3,café\n"
SAVE_UTF16 = "save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        # UTF-8 that is damaged in one place is no Windows-1252
        (
            TEXT.encode() + b"200,2,\xe9\n",
            "runs.csv:3: byte 0xe9 is not UTF-8 text",
            "save it as UTF-8 (iconv -f LATIN1 -t UTF-8)",
        ),
        (TEXT.encode("utf-16-le"), "runs.csv is not UTF-8 text: it looks like UTF-16 or a binary file", SAVE_UTF16),
        (TEXT.encode("utf-16-be"), "runs.csv is not UTF-8 text: it looks like UTF-16 or a binary file", SAVE_UTF16),
        (b"PK\x03\x04...", "runs.csv is a zip archive or an Excel workbook, not text", "export the sheet as CSV"),
        (
            gzip.compress(TEXT.encode())[:20],
            "runs.csv: the gzip data is damaged or cut short "
            "(Compressed file ended before the end-of-stream marker was reached)",
            None,
        ),
        (gzip.compress(b""), "runs.csv is empty", None),
    ],
)
def test_bytes_that_cannot_be_read(read: Read, data: bytes, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_missing_file(read: Read) -> None:
    read(TEXT)
    with pytest.raises(InputError) as caught:
        read_bytes("rusn.csv")
    assert (caught.value.message, caught.value.hint) == ("rusn.csv: no such file", "did you mean runs.csv?")
    with pytest.raises(InputError) as caught:
        read_bytes("nowhere/else.csv")
    assert (caught.value.message, caught.value.hint) == ("nowhere/else.csv: no such file", None)


def test_folder_and_impossible_path(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_bytes(str(tmp_path))
    assert caught.value.message == f"{tmp_path} is a folder, not a file"
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        read_bytes("runs\0.csv")


def test_bom_is_dropped() -> None:
    assert decode("\ufeffé".encode(), "x") == "é"
