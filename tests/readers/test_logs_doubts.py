"""What logs hold and should not be trusted: means over a run, packs taken for examples, columns not understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.readers import doubts
from ftplan.readers.logs import facts
from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable
from tests.readers.made_logs import (
    RUNS,
    sizes,
    summary,
    trainer_folder,
    trainer_state,
    write,
)


def test_a_mean_over_the_run_is_no_result_of_it(tmp_path: Path) -> None:
    for i, (N, L) in enumerate(RUNS):
        state = trainer_state(N, L)
        state["log_history"] = [row for row in state["log_history"] if "eval_loss" not in row]
        write(tmp_path / f"run{i:02}" / "trainer_state.json", state)
    read = read_runs(str(tmp_path))
    assert (read.metric.name, read.remarks[-1]) == ("train_loss", doubts.AVERAGED)
    assert doubts.AVERAGED not in read_runs(str(trainer_folder(tmp_path))).remarks
    assert read_runs(str(trainer_folder(tmp_path)), metric="train_loss").remarks[-1] == doubts.AVERAGED


def packed(root: Path, lengths: tuple[int, ...], **logged: Any) -> RunTable:
    """Runs whose trainer counted rows of these lengths, 600 to 2,400 of them."""
    for i, L in enumerate(lengths):
        write(root / f"run{i}" / "all_results.json", summary(600 * (i + 1), L) | logged)
    return read_runs(str(root))


@pytest.mark.parametrize(
    ("lengths", "logged", "full"),
    [
        ((930, 992, 1020, 1001), {}, "930 to 1,020 tokens per example, nearly 1,024"),
        ((1990, 2040, 2048, 2001), {}, "1,990 to 2,048 tokens per example, nearly 2,048"),
        ((590, 595, 599, 580), {"max_length": 600}, "580 to 599 tokens per example, nearly 600"),
        ((590, 595, 599, 580), {}, ""),  # between two lengths that people allow
        ((930, 992, 1020, 1001), {"max_length": 4096}, ""),  # far from full
        ((110, 310, 720, 1000), {}, ""),
        ((1000, 1010), {}, ""),  # two may be alike by chance
        ((930, 992, 1020, 1001), {"train_samples": 1000}, ""),  # the trainer was told the number
    ],
)
def test_packs_are_told_from_examples(
    lengths: tuple[int, ...], logged: dict[str, Any], full: str, tmp_path: Path
) -> None:
    found = [text for text in packed(tmp_path, lengths, **logged).remarks if "look like packs" in text]
    assert len(found) == bool(full)
    assert all(full in text and "run,examples" in text for text in found)


def test_blocks_are_told_from_examples(tmp_path: Path) -> None:
    """A script that cuts all text into blocks of 1,024 tokens logs their number as train_samples."""
    for i in range(3):
        write(
            tmp_path / f"run{i}" / "all_results.json", summary(100 * (i + 1), 1024) | {"train_samples": 100 * (i + 1)}
        )
    found = [text for text in read_runs(str(tmp_path)).remarks if "look like packs" in text]
    assert len(found) == 1
    assert "1,024 to 1,024 tokens per example" in found[0]
    for i in range(3):
        flat = summary(100 * (i + 1), 1020) | {"train_samples": 100 * (i + 1), "block_size": 1024}
        write(tmp_path / f"run{i}" / "all_results.json", flat)
    read = read_runs(str(tmp_path))
    assert facts.BLOCKS in read.remarks
    assert not any("look like packs" in text for text in read.remarks)


def test_the_true_numbers_of_packed_examples_settle_it(tmp_path: Path) -> None:
    packed(tmp_path / "outputs", (1000, 1000, 1000))
    sized = read_runs(str(tmp_path / "outputs"), sizes(tmp_path / "sizes.csv", "run0", "run1", "run2"))
    assert not any("look like packs" in text for text in sized.remarks)


def tracked(tmp_path: Path, header: str, cells: str, **how: Any) -> RunTable:
    """A W&B table of four runs; cells: of each run after its name and state, {n} for its number of examples."""
    path = tmp_path / "wandb.csv"
    lines = [
        f"r{n},finished,{cells.replace('{T}', str(n * 600)).replace('{n}', str(n))},{5 - n / 999}"
        for n in (10, 20, 40, 80)
    ]
    path.write_text("\n".join([f"Name,State,{header},eval/loss", *lines]) + "\n")
    return read_runs(str(path), **how)


@pytest.mark.parametrize("column", ["epochs", "n_epochs", "num_epochs", "config.epochs"])
def test_epochs_of_a_column_share_out_the_counters(column: str, tmp_path: Path) -> None:
    table = tracked(tmp_path, f"{column},train/num_tokens,train_samples", "3,{T},{n}")
    assert table.epochs.tolist() == [3.0] * 4
    assert table.avg_tokens.tolist() == [200.0] * 4
    assert facts.NO_EPOCHS not in table.remarks


def test_a_column_of_epochs_that_the_counter_contradicts_is_told(tmp_path: Path) -> None:
    table = tracked(tmp_path, "epochs,train/epoch,train/num_tokens,train_samples", "3,1.5,{T},{n}")
    assert table.epochs.tolist() == [3.0] * 4
    assert facts.EPOCHS_DIFFER in table.remarks


def test_what_was_mapped_is_not_said_to_be_missing(tmp_path: Path) -> None:
    table = tracked(tmp_path, "my_n,train/epoch", "{n},1", column_map={"my_n": "examples"})
    assert table.examples.tolist() == [10.0, 20.0, 40.0, 80.0]
    assert facts.NO_EXAMPLES not in table.remarks
    assert not any("not understood" in text for text in table.remarks)
    seen = tracked(
        tmp_path, "epochs,train/num_tokens,my_n", "3,{T},{n}",
        column_map={"train/num_tokens": "tokens_seen", "my_n": "examples"},
    )  # fmt: skip
    assert seen.avg_tokens.tolist() == [200.0] * 4
    assert not seen.remarks
    with pytest.raises(InputError) as caught:
        tracked(tmp_path, "my_n", "{n}")
    assert "--map COLUMN=examples (not understood: my_n); else" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("column", "cell", "listed"),
    [
        ("my_n", "{n}", True),
        ("my_n", "7", False),  # every run has the same
        ("my_n", "0.{n}", False),
        ("note", "x{n}", False),
        ("train/global_step", "{n}", False),
        ("logging_steps", "{n}", False),
    ],
)
def test_columns_that_may_hold_the_examples_are_listed(column: str, cell: str, listed: bool, tmp_path: Path) -> None:
    table = tracked(tmp_path, f"train/epoch,train/num_tokens,{column}", f"1,{{T}},{cell}")
    assert facts.NO_EXAMPLES in table.remarks
    assert (f"columns of whole numbers that were not understood: {column}" in table.remarks) == listed


def test_the_models_of_a_config_are_series(tmp_path: Path) -> None:
    one_ = tracked(tmp_path, "config.model_name_or_path,train_samples", "a,{n}")
    text = (tmp_path / "wandb.csv").read_text()
    both = text + "".join(f"{line.replace(',a,', ',b,')}\n" for line in text.splitlines()[1:])
    (tmp_path / "both.csv").write_text(both)
    assert set(one_.groups) == {""}
    assert set(read_runs(str(tmp_path / "both.csv")).groups) == {"a", "b"}
