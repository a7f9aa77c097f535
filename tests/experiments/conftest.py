"""The experiments are no part of the package: they are found beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT))

if not (CHECKOUT / "experiments").is_dir():
    collect_ignore_glob = ["test_*.py"]
