"""One small study that several tests look at: quickstart's problem, with the shipped law of its runs as the prior."""

from __future__ import annotations

import pytest

from ftplan.fit import borrowed_fit
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.simulate.studies import PilotStudy, study_of


@pytest.fixture(scope="session")
def asked() -> PilotStudy:
    """30 truths, pilots at three times the cost of the plan."""
    problem = read_problem("quickstart", Flags(series="")).problem
    fit = borrowed_fit(load_law("pyfunc-s"))
    return study_of(problem, fit, pilots="300%", runs=(9, 12), truths=30, noise=None, seed=0)
