"""Random problems and brute force, shared with `benchmarks/plan.py`: modules beside this one, loaded by their path."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


def load(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = spec_from_file_location(f"plan_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # dataclasses look their module up by name
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    return load("cases")


@pytest.fixture(scope="session")
def brute_force() -> ModuleType:
    return load("brute_force")
