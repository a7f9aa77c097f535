"""Whether loss tells score: on tables where it does, where it does the opposite, and where nothing can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftplan.fit import fit_runs, with_agreement
from ftplan.fit.agreement import agreement, doubt, said, tells
from ftplan.formats.documents.fit_file import fit_from_dict, fit_to_dict
from ftplan.readers.tables import read_other_metrics, read_runs
from ftplan.runs import Metric, RunTable, from_rows

LOSS, SCORE = Metric("eval_loss", "min", "nats"), Metric("score", "max", "percent")
SIZES = (500, 1000, 2000, 4000, 8000, 16000)


def made(
    metric: Metric, slope: float, *, seeds: int = 2, noise: float = 0.0, groups: tuple[str, ...] = ("",)
) -> RunTable:
    """A metric that goes up by `slope` a doubling, from another level in every group."""
    rng = np.random.default_rng(5)
    rows: list[dict[str, Any]] = []
    for g, group in enumerate(groups):
        for n in SIZES:
            for seed in range(seeds):
                value = 5.0 + 20.0 * g + slope * np.log2(n / 500) + noise * rng.standard_normal()
                rows.append({"group": group, "examples": n, "seed": seed, metric.name: value})
    return from_rows(rows, metric, source="runs.csv")


def test_a_loss_that_falls_as_the_score_rises_tells_it() -> None:
    found = agreement(made(LOSS, -0.2), made(SCORE, 2.0))
    assert found is not None
    assert found.rank_correlation == pytest.approx(1.0)
    assert tells(found)
    assert doubt(made(LOSS, -0.2), found) is None
    assert said("eval_loss", found).endswith("over 6 kinds of runs; both are best at 16,000.")


def test_a_loss_that_rises_with_the_score_is_warned_of() -> None:
    loss = made(LOSS, 0.2)
    found = agreement(loss, made(SCORE, 2.0))
    assert found is not None
    assert found.rank_correlation == pytest.approx(-1.0)
    assert (found.best_size, found.best_size_other) == (500.0, 16000.0)
    assert tells(found) is False
    text = doubt(loss, found)
    assert text is not None
    assert text.startswith("judged by eval_loss, which does not tell score here")
    # a plan on the score itself is in no doubt
    back = agreement(made(SCORE, 2.0), loss)
    assert back is not None
    assert doubt(made(SCORE, 2.0), back) is None


def test_levels_of_groups_do_not_count() -> None:
    """Groups far apart in both metrics, and noise inside them: nothing is told."""
    groups = tuple("abcdef")
    found = agreement(made(LOSS, 0.0, noise=1.0, groups=groups), made(SCORE, 1.0, groups=groups))
    assert found is not None
    assert abs(found.rank_correlation) < 0.5
    assert not tells(found)


def test_too_little_is_no_answer() -> None:
    few = np.arange(4)
    assert agreement(made(LOSS, -0.2).subset(few), made(SCORE, 2.0)) is None
    assert agreement(made(LOSS, 0.0), made(SCORE, 2.0)) is None


def test_a_fit_file_keeps_it_and_a_table_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    lines = [f"{n},{3.0 + 0.1 * i:.2f},{40.0 + i + 0.01 * i * i:.2f},{7 + i}" for i, n in enumerate(SIZES)]
    path.write_text("examples,eval_loss,score,train_loss\n" + "\n".join(lines) + "\n", encoding="utf-8")
    table = read_runs(str(path))
    others = read_other_metrics(table, str(path))
    assert [other.metric.name for other in others] == ["score"]
    fit = with_agreement(fit_runs(table, draws=20), others)
    assert [each.metric for each in fit.agreement] == ["score"]
    assert any(text.startswith("judged by eval_loss") for text in fit.warnings)
    again = fit_from_dict(fit_to_dict(fit))
    assert again.agreement == fit.agreement
    assert read_other_metrics(table, "-") == []
