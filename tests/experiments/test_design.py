"""The grids: what issue and page say of them, before anything is run."""

from __future__ import annotations

import pytest

from experiments import design
from experiments.sizes import SIZES

BOTH = pytest.mark.parametrize("made", [design.full(), design.quick()], ids=lambda made: made.name)


@BOTH
def test_every_run_has_a_file_of_its_own(made: design.Design) -> None:
    keys = [cell.key for cell in made.cells]
    assert len(set(keys)) == len(keys)


@BOTH
def test_no_run_asks_for_more_rows_than_there_are(made: design.Design) -> None:
    assert all(cell.examples <= cell.share * made.pool_rows for cell in made.cells)


@BOTH
def test_every_method_stands_beside_random_runs_and_the_untuned_model(made: design.Design) -> None:
    for size in {cell.size for cell in made.cells}:
        own = [cell for cell in made.cells if cell.size == size]
        assert sum(not (cell.examples or cell.tokens) for cell in own) == 1
        assert {cell.epochs for cell in own if cell.method == "random"} >= {1, 2}


def test_the_full_grid_varies_everything_that_a_plan_decides() -> None:
    cells = design.full().cells
    assert len(cells) >= 150
    sizes = sorted(SIZES[cell.size].block_params for cell in cells)
    assert sizes[-1] / sizes[0] >= 10
    assert len({cell.size for cell in cells}) >= 3
    assert max(design.TOKENS) / min(design.TOKENS) >= 10**1.5
    assert {cell.epochs for cell in cells} == {1, 2, 4}
    for method in ("perplexity", "perplexity-top", "perplexity-gain", "gradient"):
        assert len({cell.selector for cell in cells if cell.method == method}) >= 3
    crossed = {(cell.mean, cell.tokens) for cell in cells if cell.size == "xs" and cell.tokens}
    assert crossed == {(mean, tokens) for mean in design.MEANS for tokens in design.TOKENS}
