"""The checked-in completion scripts: `python -m ftplan.cli.completions completions` writes them again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: shell -> file name that the shell's users expect
FILES = {"bash": "ftplan.bash", "zsh": "_ftplan", "fish": "ftplan.fish"}


def script(shell: str) -> str:
    """What the command itself prints for a shell; needs neither that shell nor its detection."""
    environment = {**os.environ, "_FTPLAN_COMPLETE": f"source_{shell}"}
    command = [sys.executable, "-m", "ftplan"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip() + "\n"


def write(folder: Path) -> None:
    """One file per shell."""
    for shell, name in FILES.items():
        (folder / name).write_text(script(shell), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
