"""What names the series."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftplan.runs import RunTable

Read = Callable[..., RunTable]


def test_a_label_that_several_runs_share(read: Read) -> None:
    table = read("Model,examples,loss\nb,1,3\nb,2,2\na,1,3\na,2,2\n")
    assert table.group == ("b", "b", "a", "a")
    assert table.notes == ("read Model as group",)


@pytest.mark.parametrize(
    "labels",
    [
        ["one", "one", "one", "one"],  # says nothing
        ["a", "b", "c", "d"],  # another in every run
        ["1k", "1k", "2k", "2k"],  # one size each: a name for the size itself
    ],
)
def test_labels_that_tell_no_series_apart(read: Read, labels: list[str]) -> None:
    sizes = [1, 1, 2, 2] if labels[0] == "1k" else [1, 2, 3, 4]
    rows = [f"{label},{size},3" for label, size in zip(labels, sizes, strict=True)]
    assert read("\n".join(["dataset,examples,loss", *rows])).groups == ("",)


def test_group_wins(read: Read) -> None:
    table = read("model,group,examples,loss\na,x,1,3\na,x,2,2\nb,x,3,3\n")
    assert table.groups == ("x",)
    assert table.notes == ("not used: model",)


def test_by_any_column(read: Read) -> None:
    text = "group,Method,epochs,examples,loss\ng,less,1,1,3\ng,ppl,2,1,2\n"
    table = read(text, by="method")
    assert table.group == ("less", "ppl")
    assert table.method == ("less", "ppl")
    assert table.notes == ("not used: group",)
    by_number = read(text, by="epochs")
    assert (by_number.group, by_number.epochs.tolist()) == (("1", "2"), [1.0, 2.0])


def test_the_finer_of_two_labels(read: Read) -> None:
    rows = [f"{family},{family}-{model},{n},3" for family in "FG" for model in "ab" for n in (1, 2)]
    assert read("\n".join(["family,model,examples,loss", *rows])).groups == ("F-a", "F-b", "G-a", "G-b")


def test_labels_that_cross_are_taken_together(read: Read) -> None:
    rows = [f"{task},{model},{n},3" for task in "xy" for model in "ab" for n in (1, 2)]
    table = read("\n".join(["task,model,examples,loss", *rows]))
    assert table.groups == ("a / x", "b / x", "a / y", "b / y")
    assert table.notes == ("read model with task as group",)


def test_two_labels_that_say_the_same(read: Read) -> None:
    rows = [f"{m},{m.upper()},{n},3" for m in "ab" for n in (1, 2)]
    table = read("\n".join(["task,model,examples,loss", *rows]))
    assert table.groups == ("A", "B")
    assert table.notes == ("read model as group", "not used: task")
