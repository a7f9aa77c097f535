"""Presets and schemas are found however ftplan is installed: from a wheel, an editable install, or the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASK = """
import ftplan
from ftplan import presets
print(ftplan.__file__)
print(sorted(presets.names("gpus"))[0], presets.runs_path("pyfunc").exists(), presets.load_model("llama-3.1-8b").layers)
"""


def built(tmp: Path) -> Path:
    """A folder with what a wheel installs."""
    code = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    site = tmp / "site"
    with zipfile.ZipFile(tmp / done.stdout.split()[-1]) as wheel:
        wheel.extractall(site)
    return site


def answer(tmp: Path, path: Path | None) -> list[str]:
    env = {**os.environ, "PYTHONPATH": "" if path is None else str(path)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("how", ["wheel", "editable", "source tree"])
def test_presets_are_found(how: str, tmp_path: Path) -> None:
    if how == "wheel":
        site = built(tmp_path)
        where, found = answer(tmp_path, site)
        assert Path(where).is_relative_to(site)
        assert (site / "ftplan" / "schemas" / "plan.json").is_file()
    elif how == "editable":
        # the README's test command installs this checkout with -e: no path is needed to find it
        where, found = answer(tmp_path, None)
        assert Path(where).is_relative_to(ROOT / "src")
    else:
        where, found = answer(tmp_path, ROOT / "src")
        assert Path(where).is_relative_to(ROOT / "src")
    assert found == "a100-40gb True 32"
