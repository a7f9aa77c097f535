"""A profiled pool and an applied plan in words and in files; `python tests/formats/test_pools.py` writes the files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from ftplan.apply import DrawnRows, Order
from ftplan.formats import render
from ftplan.formats.documents import Document, applied, profile
from ftplan.measure import Measure
from ftplan.plan.result import PlannedData, Recipe
from ftplan.pool import from_lengths
from ftplan.profile import Profile

GOLDEN = Path(__file__).parent / "golden"
MEASURE = Measure("messages", rows=1005, content_sha256="c0ffee")
POOL = replace(from_lengths(np.arange(100, 1100), name="pool.jsonl", source=""), measure=MEASURE)
ESTIMATED = Profile(POOL, MEASURE, rows=1005, empty=5, repeated=23, clipped=0)
COUNTED = Profile(POOL, replace(MEASURE, tokenizer="../tokenizer.json", tokenizer_sha256="ab"), 1005, 5, 0, 0)
DATA = PlannedData(4, 600.0, 2400.0, 1.0, Recipe((200, 1000), "uniform", 1000, 0))
ORDER = Order(DATA, "random", MEASURE, "")
DRAWN = DrawnRows(np.array([3, 1, 2, 7]), 2404, 801)

DOCUMENTS = {
    "profile.txt": (profile.document(ESTIMATED, "pool.jsonl", 123456, 1000), "table"),
    "profile.exact.txt": (profile.document(COUNTED, "pool.jsonl", 123456, None), "table"),
    "applied.txt": (applied.document(ORDER, DRAWN, "pool.jsonl", "train.jsonl", ("the pool has changed",)), "table"),
    "applied.json": (applied.document(ORDER, DRAWN, "pool.jsonl", "train.jsonl", ()), "json"),
    "applied.csv": (applied.document(ORDER, DRAWN, "pool.jsonl", "train.jsonl", ()), "csv"),
}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_it_reads_as_before(name: str) -> None:
    document, form = DOCUMENTS[name]
    assert render(document, form) == (GOLDEN / name).read_text()


def test_csv_of_a_profile_is_a_histogram_that_plan_reads() -> None:
    lines = render(profile.document(ESTIMATED, "pool.jsonl", 1, None), "csv").splitlines()
    assert lines[:3] == ["tokens,examples", "100,1", "101,1"]
    assert len(lines) == 1001


def drawn(sampling: Literal["uniform", "top"], total: int) -> Document:
    data = replace(DATA, recipe=replace(DATA.recipe, sampling=sampling))
    return applied.document(
        replace(ORDER, data=data, method="length"), replace(DRAWN, total_tokens=total), "pool.jsonl", "train.jsonl", ()
    )


def test_a_mean_that_is_off_fails_a_random_draw_and_is_said_of_a_scored_one() -> None:
    checks = {check.name: check.passed for check in drawn("uniform", 2430).checks}
    assert checks == {"examples": True, "avg_tokens": False}
    assert [check.name for check in drawn("top", 2430).checks] == ["examples"]
    assert drawn("top", 2430).warnings[0].startswith("the examples that length chooses are 1.2 % longer than")
    assert drawn("top", 2410).warnings == ()


if __name__ == "__main__":
    for file, (shown, form) in DOCUMENTS.items():
        (GOLDEN / file).write_text(render(shown, form))
