"""Which column is the metric, which way is better, in what unit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftplan.readers.metrics import PREFERRED, known
from ftplan.runs import Metric, RunTable

Read = Callable[..., RunTable]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", ("min", "nats")),
        ("Eval/Loss", ("min", "nats")),
        ("final_test_loss", ("min", "nats")),
        ("train_loss", ("min", "nats")),
        ("reward_model_loss", ("min", "cost")),
        ("perplexity", ("min", "cost")),
        ("bits_per_byte", ("min", "cost")),
        ("Test Accuracy", ("max", "share")),
        ("mmlu_acc", ("max", "share")),
        ("acc_norm,none", ("max", "share")),
        ("exact_match,strict-match", ("max", "share")),
        ("pass@1", ("max", "share")),
        ("humaneval_pass_rate", ("max", "share")),
        ("win_rate", ("max", "share")),
        ("mt_bench_score", ("max", "score")),
        ("learning_rate", None),
        ("train_flops", None),
        ("MMLU", ("max", "share")),
        ("gsm8k (8-shot)", ("max", "share")),
        ("ARC-C", ("max", "share")),
        ("HellaSwag 10-shot acc", ("max", "share")),
        ("TruthfulQA MC2", ("max", "share")),
        ("humaneval pass@1", ("max", "share")),
        ("mmlu_loss", ("min", "cost")),
        ("mmlu_seconds", None),
        ("gsm8k_stderr", None),
        ("drop_last", None),
        ("MT-Bench", ("max", "free")),
    ],
)
def test_direction_by_name(name: str, expected: tuple[str, str] | None) -> None:
    assert known(name) == expected


@pytest.mark.parametrize("position", range(len(PREFERRED)))
def test_the_first_preferred_metric(read: Read, position: int) -> None:
    present = list(reversed(PREFERRED[position:]))
    table = read(f"examples,{','.join(present)}\n10{',0.5' * len(present)}\n")
    assert table.metric.name == PREFERRED[position]
    others = ", ".join(present[:-1])
    better = "lower" if "loss" in table.metric.name else "higher"
    said = f"metric {table.metric.name} ({better} is better); --metric chooses another: {others}"
    assert table.notes == ((said,) if others else ())


def test_held_out_loss_before_training_loss_and_accuracy(read: Read) -> None:
    assert read("examples,train_loss,test_accuracy,test_loss\n10,1,0.5,2\n").metric.name == "test_loss"
    assert read("examples,train_loss,f1\n10,1,0.5\n").metric.name == "f1"


def test_the_score_before_tuning_is_no_metric(read: Read) -> None:
    table = read("examples,base_loss,f1\n10,5,0.5\n")
    assert (table.metric.name, table.notes) == ("f1", ("not used: base_loss",))


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("accuracy", (0.2, 0.9), "fraction"),
        ("accuracy", (0.9, 1.0), "fraction"),
        ("accuracy", (0.5, 45.0), "percent"),
        ("score", (45.0, 46.0), "percent"),
        ("score", (0.4, 0.5), "fraction"),
        ("score", (7.1, 8.2), "percent"),
        ("score", (1100.0, 1200.0), ""),
        ("score", (-1.0, 1.0), ""),
        ("elo", (1100.0, 1200.0), ""),
        ("reward", (-1.0, 1.0), ""),
        ("loss", (2.0, 3.0), "nats"),
        ("perplexity", (20.0, 30.0), ""),
    ],
)
def test_unit(read: Read, name: str, values: tuple[float, float], unit: str) -> None:
    assert read(f"examples,{name}\n10,{values[0]}\n20,{values[1]}\n").metric.unit == unit


def test_a_metric_with_any_name_and_sign(read: Read) -> None:
    table = read("examples,Judge Vote,loss\n10,-2,3\n", metric="judge_vote", direction="max")
    assert table.metric == Metric("Judge Vote", "max")
    assert table.value.tolist() == [-2.0]
    assert table.notes == ()


def test_direction_overrules_the_name(read: Read) -> None:
    assert read("examples,score\n10,0.5\n", direction="min").metric == Metric("score", "min", "fraction")
