"""The design of runs that are evaluated on the way."""

from __future__ import annotations

from collections import defaultdict

from experiments.histories import EVALUATIONS, FULL, SCHEDULES, TOTALS, TRAINED, histories

CELLS = histories().cells


def test_every_run_has_a_name_of_its_own() -> None:
    assert len({cell.key for cell in CELLS}) == len(CELLS) >= 200


def test_each_series_has_its_untuned_model_and_every_schedule() -> None:
    series = defaultdict(list)
    for cell in CELLS:
        series[cell.domain, cell.size].append(cell)
    assert len(series) == 9
    for (domain, _), own in series.items():
        assert sum(not cell.tokens for cell in own) == 1
        if domain in FULL:
            assert {cell.schedule for cell in own} == set(SCHEDULES)
            assert len({cell.peak_rate for cell in own}) == len({cell.batch_tokens for cell in own}) == 2
            assert len({cell.epochs for cell in own}) == len({cell.warmup for cell in own}) == 2
            assert {cell.seed for cell in own} >= {0, 1}


def test_totals_span_a_decade_and_a_half() -> None:
    assert TOTALS[-1] / TOTALS[0] >= 10**1.5
    assert EVALUATIONS >= 9
    assert len(TRAINED) >= 3
