"""How many rows say what an earlier row says, exactly, in constant memory whatever the size of the pool."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

#: hashes held in memory, 32 MiB; those of a larger pool wait in temporary files, 8 bytes a row
MOST_HELD = 1 << 22
#: files, by the first bits of a hash: one at a time is read back, 125 MB of them for a billion rows
PARTS = 64


class Repeats:
    """Rows by a hash of 64 bits of what they say: among a billion, two that differ share one in 1 of 40 pools."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._held: list[Hashes] = []
        self._rows = 0
        self._files: list[IO[bytes]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Repeats:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, hashes: Hashes) -> None:
        self._held.append(hashes)
        self._rows += len(hashes)
        if self._rows > self._most:
            self._spill()

    def count(self) -> int:
        """Rows beyond the first of each hash."""
        if not self._files:
            return _repeated(self._taken())
        self._spill()
        found = 0
        for file in self._files:
            file.seek(0)
            found += _repeated(np.frombuffer(bytearray(file.read()), np.uint64))
        return found

    def _taken(self) -> Hashes:
        """What is held, which is then let go."""
        held, self._held, self._rows = self._held, [], 0
        return np.concatenate(held) if held else np.empty(0, np.uint64)

    def _spill(self) -> None:
        if not self._files:
            self._files = [self._stack.enter_context(tempfile.TemporaryFile()) for _ in range(PARTS)]  # noqa: SIM115
        hashes = self._taken()
        hashes.sort()
        starts = np.arange(1, PARTS, dtype=np.uint64) * np.uint64(2**64 // PARTS)
        for file, part in zip(self._files, np.split(hashes, np.searchsorted(hashes, starts)), strict=True):
            file.write(part.tobytes())


def _repeated(hashes: Hashes) -> int:
    hashes.sort()
    return int((hashes[1:] == hashes[:-1]).sum())
