"""Which tables hold histories, and what their cells say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.readers.tables import read_runs

HEADER = "run,examples,tokens_seen,epochs,rate,rate_tokens,schedule,loss"


def read(folder: Path, *rows: str, header: str = HEADER) -> str:
    path = folder / "h.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return str(path)


def test_rows_of_one_run_are_its_history(tmp_path: Path) -> None:
    rows = (
        "u,0,0,1,0,0,,6",
        "a,10,1000,1,0.9,950,Cosine,5",
        "a,20,2000,1,0,1000,constant_with_warmup,4",
        "b,30,3000,1,,,,4",
    )
    table = read_runs(read(tmp_path, *rows))
    assert table.history is not None
    assert table.history.run == ("u", "a", "a", "b")
    assert table.history.schedule == ("", "cosine", "constant", "")
    assert np.isnan(table.history.rate).tolist() == [False, False, False, True]
    assert table.tokens.tolist() == [0.0, 1000.0, 2000.0, 3000.0]


def test_settings_of_finished_runs_stay_settings(tmp_path: Path) -> None:
    rows = ("a,10,1000,cosine,5", "b,20,2000,linear,4")
    table = read_runs(read(tmp_path, *rows, header="run,examples,tokens,schedule,loss"))
    assert table.history is None
    assert any("schedule" in note for note in table.notes)


def test_a_rate_is_a_share(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="over the peak rate"):
        read_runs(read(tmp_path, "a,10,1000,1,2e1,950,,5", "a,20,2000,1,0,1000,,4"))
