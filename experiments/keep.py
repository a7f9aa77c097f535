"""Files that are made once, whole or not at all, whichever process comes first."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path


def made(path: Path, make: Callable[[Path], object]) -> Path:
    """`path`, which `make` has written (to a name beside it, of the same suffix); other processes wait meanwhile."""
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            part = path.with_name(f"part-{path.name}")
            make(part)
            part.replace(path)
    return path
