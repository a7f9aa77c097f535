"""What the screens say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from ftplan.errors import InputError
from ftplan.fit.result import Fit
from ftplan.formats import render
from ftplan.formats.documents import fit as fits
from ftplan.formats.documents import plan as plans
from ftplan.formats.documents.path import value_at
from ftplan.formats.documents.words import (
    amount,
    budget_amount,
    decimals_for,
    interval,
    percent,
    plural,
    significant,
)
from ftplan.plan.result import Plan, Regret, Selection


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(first line, rest) of each part of a screen between empty lines."""
    for part in text.split("\n\n"):
        first, _, rest = part.partition("\n")
        yield first.strip(), rest


def test_a_plan_begins_with_the_answer_in_words(plan: Plan) -> None:
    assert plans.answer(plan) == (
        "Train on 1,402 examples of about 131 tokens (184k tokens), 1 epoch: "
        "drawn at random from the 30,411 examples of 61 to 243 tokens."
    )
    chosen = dataclasses.replace(plan, selection=Selection("gradient", "llama-3.2-1b", 1.2e9, 30_411))
    assert plans.answer(chosen).endswith(
        "1 epoch: chosen by gradient with llama-3.2-1b among the 30,411 examples of 61 to 243 tokens."
    )


def test_a_plan_says_what_to_expect_and_how_far_out_it_is(plan: Plan) -> None:
    assert plans.expectation(plan) == (
        "Expected loss 4.712 nats, 90 % interval 4.662 to 4.772; inside the range of the fitted runs."
    )
    far = dataclasses.replace(plan, prediction=dataclasses.replace(plan.prediction, extrapolation=3.26))
    assert plans.expectation(far).endswith("; 3.3 times beyond the fitted runs.")


def test_the_plan_screen_has_its_sections_in_order(plan: Plan) -> None:
    parts = dict(sections(render(plans.document(plan), "table")))
    assert list(parts)[3:] == ["Budget", "From pool to cost", "Runners-up", "Assumptions", "Warnings"]
    assert "small CPU runs" in list(parts)[2]
    assert parts["Budget"].splitlines()[1].split() == ["4.00e11", "FLOPs", "4.00e11", "FLOPs", "100", "%", "binds"]
    assert parts["Warnings"] == "  - money is counted at a dated price\n"


def test_a_plan_without_budgets_or_doubts_leaves_those_sections_out(plan: Plan) -> None:
    bare = dataclasses.replace(plan, budgets=(), alternatives=(), assumptions=(), warnings=(), binding=())
    shown = [first for first, _ in sections(render(plans.document(bare), "table"))]
    assert shown[3:] == ["From pool to cost"]


def test_what_binds_besides_budgets_is_said(plan: Plan) -> None:
    bound = dataclasses.replace(plan, binding=("total_flops", "pool"))
    assert "Also binding: pool." in render(plans.document(bound), "table")
    alone = render(plans.document(dataclasses.replace(plan, binding=("pool",))), "table")
    assert "The pool runs out before the budget does" in alone
    assert "--epochs 1,2,4" in alone
    other = render(plans.document(dataclasses.replace(plan, binding=("pool", "target"))), "table")
    assert "Binding: pool, target." in other


def test_a_runner_up_that_spends_less_is_said_to(plan: Plan) -> None:
    screen = " ".join(render(plans.document(plan), "table").split())
    assert "Below the plan's cost" not in screen
    first, *rest = plan.alternatives
    cheap = dataclasses.replace(first, cost=dataclasses.replace(plan.cost, total_flops=0.4 * plan.cost.total_flops))
    screen = render(plans.document(dataclasses.replace(plan, alternatives=(cheap, *rest))), "table")
    assert f"Below the plan's cost: {first.what} 40 % of its FLOPs." in " ".join(screen.split())


def test_a_fit_begins_with_its_verdict(fit: Fit) -> None:
    text = render(fits.document(fit), "table")
    assert text.startswith("Series s, 40 runs\n  - The runs support a length term.\n  - Composition is identified")


def test_power_is_shown_once_under_both_names(fit: Fit) -> None:
    text = render(fits.document(fit), "table")
    assert text.count("power (= volume)") == 1
    assert "volume is the same law as power" in text
    only_rectified = dataclasses.replace(
        fit,
        series=(dataclasses.replace(fit.series[0], laws=fit.series[0].laws[:1], selected=fit.series[0].selected[:1]),),
    )
    assert "volume" not in render(fits.document(only_rectified), "table")


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_what_is_not_identified_is_never_a_number(fit: Fit, name: str) -> None:
    lines = render(fits.document(fit), name).splitlines()
    (line,) = [line for line in lines if line.strip(" |").startswith("b2")]
    assert "not identified" in line
    assert not any(character.isdigit() for character in line.replace("b2", ""))


def test_notes_of_the_reader_are_no_warnings(fit: Fit) -> None:
    noted = dataclasses.replace(fit, warnings=("read n as examples", "too few draws"))
    document = fits.document(noted)
    assert document.warnings == ("too few draws", "rectified+length: beta lies at its bound")
    parts = dict(sections(render(document, "table")))
    assert parts["Notes"] == "  - read n as examples\n  - epochs: one value in the table"


def test_a_reason_shared_by_all_series_is_said_once(fit: Fit) -> None:
    two = dataclasses.replace(fit, series=(fit.series[0], dataclasses.replace(fit.series[0], key="m")))
    assert render(fits.document(two), "table").count("epochs: one value in the table") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.7, "4.700"),
        (0.0, "0.000"),
        (181_234.0, "181,200"),
        (1.5e9, "1.500e9"),
        (2e-5, "2.000e-5"),
        (-0.05, "-0.05000"),
        (None, "-"),
    ],
)
def test_significant(value: float | None, text: str) -> None:
    assert significant(value) == text


def test_words_for_numbers() -> None:
    assert interval(1.0, None) == "-"
    assert [percent(x) for x in (0.0, 1e-4, 0.0123, 0.5, 0.9996, 1.2)] == [
        "0 %",
        "<0.1 %",
        "1.2 %",
        "50 %",
        "100 %",
        "120 %",
    ]
    assert [plural(x, "epoch") for x in (1.0, 1.5, 2)] == ["1 epoch", "1.5 epochs", "2 epochs"]
    assert [amount(x, "USD") for x in (0.0, 0.00067, 1234.5)] == ["0.00", "0.00067", "1,234.50"]
    assert [amount(x, "examples") for x in (58_469, 2_000_000, 0.25)] == ["58,469", "2.00M", "0.25"]
    assert budget_amount("total_flops", 4e11) == "4.00e11 FLOPs"
    assert [decimals_for(x) for x in ([0.028, 0.3], [12.0], [0.0, None], [1e-9])] == [3, 0, 0, 6]


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("a.c", "a has no 'c'", "one of: b"),
        ("a.bb", "a has no 'bb'", "did you mean b?"),
        ("l.7", "l has 2 entries, no '7'", "entries are counted from 0 to 1"),
        ("a.b.x", "a.b is a single value", None),
        ("", "the document has no ''", "one of: a, l"),
    ],
)
def test_a_wrong_path_says_what_is_there(path: str, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        value_at({"a": {"b": 1}, "l": [1, 2]}, path)
    assert caught.value.message.endswith(message)
    assert caught.value.hint == hint


def test_what_a_plan_may_lose_is_in_the_metrics_unit(plan: Plan) -> None:
    """'fall 6.8e-5 short' says nothing of what."""
    text = render(plans.document(dataclasses.replace(plan, regret=Regret(6.8e-5, 0.99, 20))), "table")
    assert "fall 6.8e-5 nats short of the best of 20 plans." in " ".join(text.split())
