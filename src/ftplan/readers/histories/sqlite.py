"""SQLite files of trackers, opened to be read only, with what was not written back yet (-wal) where it lies beside."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ftplan.errors import InputError

MAGIC = b"SQLite format 3\x00"


@contextlib.contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Raises InputError for a damaged file, also while it is read."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.text_factory = lambda written: written.decode("utf-8", errors="replace")
            yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not a readable SQLite file: {error}") from error


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Names of a table's columns, none where there is no such table."""
    return frozenset(row["name"] for row in connection.execute(f"PRAGMA table_info({table})"))


def has(head: bytes, file: Path, *tables: str) -> bool:
    """Whether a file is a database with these tables; a damaged one, or one that is locked, has none."""
    if not head.startswith(MAGIC):
        return False
    try:
        with opened(file) as store:
            found = {row["name"] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except InputError:
        return False
    return found >= set(tables)
