"""The check of a plan in every format a build server reads, against files; `python tests/formats/test_check.py` writes
them again.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from ftplan.costs.bill import Bill, Job
from ftplan.costs.model import Model
from ftplan.errors import Infeasible
from ftplan.formats import render
from ftplan.formats.documents import Check, Document, Prose
from ftplan.formats.documents import plan as plans
from ftplan.formats.documents.check import document, judged
from ftplan.origin import Origin
from ftplan.plan.check import Committed, Report, Verdict
from ftplan.plan.result import Plan, Prediction
from ftplan.runs import Metric
from ftplan.units import Budget

GOLDEN = Path(__file__).parent / "golden"
FILES = {
    "table": "check.txt",
    "github": "check.github.txt",
    "junit": "check.xml",
    "markdown": "check.md",
    "json": "check.json",
    "yaml": "check.yaml",
    "csv": "check.csv",
}

MODEL = Model("toy|b", 2, 64, 256, 64, 64, 1e6, 1e5, 1.1e6, 512, "made up")
COMMITTED = Committed(
    name="nightly",
    job=Job(MODEL, "full", 0, peak_flops=1e14, mfu=0.4, gpus=2, usd_per_gpu_hour=2.5),
    gpu="h100-sxm",
    mfu_origin=Origin("preset", "gpus/h100-sxm", "0.40: 36-46 % <measured> & more"),
    price_origin=Origin("asked", "--price"),
    examples=1402,
    avg_tokens=131.4,
    epochs=1.0,
    band=(61, 243),
    mean_tokens=None,
    method="random",
    selector=None,
    max_length=512,
    packing=True,
    batch_examples=4,
    budgets=(Budget("usd", 8.0), Budget("wall_hours", 4.0)),
    prediction=Prediction(Metric("loss", "min", "nats"), 4.7, 4.6, 4.8, 0.9, 1.0),
    pool_path="lengths.csv",
    pool_sha256="ab",
    cost={"total_flops": 4e17, "gpu_hours": 2.0, "wall_hours": 1.0, "usd": 5.0, "examples": 1402.0},
)
VERDICTS = (
    Verdict("pool", "pool", True, 1402.0, 30_411.0, "30,411 examples of 61 to 243 tokens, 1,402 needed"),
    Verdict(
        "budget usd",
        "usd",
        False,
        8.0,
        10.24,
        "10.24 USD of 8.00 USD, 128 %",
        "raise it to 10.3usd, or train on at most 1,095 examples",
    ),
    Verdict("budget wall_hours", "wall_hours", True, 4.0, 2.05, "2.05 h of 4 h, 51.25 %"),
    Verdict(
        "loss<=4.65@0.9",
        "requirement",
        False,
        0.9,
        0.205,
        "loss is at most 4.65 with probability 0.205, 0.9 required; expected 4.7",
        "the plan keeps loss<=4.778@0.9",
    ),
)
BILL = Bill(8.192e17, 0.0, 8.192e17, 4.096, 2.048, 10.24, 0.0, 10.24)


def report() -> Document:
    changed = ("the pool lengths,\nnew: has changed since the plan was made",)
    return document(Report(COMMITTED, VERDICTS, BILL, 30_411, changed), "plan.yaml", ("a price is newer",))


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_format_of_a_check(name: str) -> None:
    expected = (GOLDEN / FILES[name]).read_text(encoding="utf-8")
    assert render(report(), name) == expected, "python tests/formats/test_check.py"


def test_the_golden_folder_holds_no_other_check() -> None:
    assert sorted(path.name for path in GOLDEN.glob("check*")) == sorted(FILES.values())


def test_a_check_that_holds_says_so() -> None:
    kept = tuple(replace(v, passed=True, hint="") for v in VERDICTS)
    shown = render(document(Report(COMMITTED, kept, BILL, 30_411, ()), "plan.yaml"), "table")
    assert shown.startswith("plan.yaml holds today: 4 constraints kept.\n")
    assert "FAILS" not in shown


def test_a_check_without_a_bill_or_a_gpu_shows_no_costs() -> None:
    bare = replace(COMMITTED, gpu="", job=Job(MODEL))
    shown = document(Report(bare, VERDICTS, None, 0, ()), "plan.yaml")
    assert shown.data["cost"] is None
    assert shown.data["rates"]["gpu"] is None
    assert "Cost" not in render(shown, "table")
    unpriced = replace(COMMITTED, job=replace(COMMITTED.job, usd_per_gpu_hour=None))
    assert "USD per GPU-hour" not in render(document(Report(unpriced, VERDICTS, BILL, 1, ()), "p"), "table")


UNFIT = Check("a:b,c\n<&\"'\x00", False, "::d%\n,:")
NASTY = Document({"kind": "check"}, (), (), (Prose("x"),), ("50 %\r\nmore",), (UNFIT,))


def test_github_lines_are_escaped() -> None:
    lines = render(NASTY, "github").splitlines()
    assert lines == [
        "::error title=ftplan check%3A a%3Ab%2Cc\\n<&\"'\\x00::::d%25\\n,:",
        "::warning title=ftplan check::50 %25\\r\\nmore",
    ]


def test_junit_is_xml_whatever_is_in_it() -> None:
    (suite,) = ET.fromstring(render(NASTY, "junit"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("1", "1", None)
    case, out = suite
    assert case.get("name") == "a:b,c\\n<&\"'\\x00"
    assert (failure := case.find("failure")) is not None
    assert failure.get("message") == "::d%\\n,:"
    assert out.text == "50 %\\r\\nmore"


@pytest.mark.parametrize("passed", [True, False])
def test_requirements_of_a_fresh_plan_stand_before_what_explains_it(plan: Plan, passed: bool) -> None:
    wanted = replace(VERDICTS[3], passed=passed, hint="" if passed else VERDICTS[3].hint)
    shown = judged(plans.document(plan), (VERDICTS[2], wanted))
    assert [check.passed for check in shown.checks] == [True, passed]
    assert shown.data["requirements"][0]["requirement"] == "loss<=4.65@0.9"
    text = render(shown, "table")
    assert text.index("Required") < text.index("From pool to cost")
    assert ("To make it hold" in text) == (not passed)


def test_a_plan_without_requirements_is_shown_as_it_was(plan: Plan) -> None:
    shown = judged(plans.document(plan), (VERDICTS[2],))
    assert (shown.screen, shown.data) == (plans.document(plan).screen, plans.document(plan).data)
    assert render(shown, "github").startswith("::notice title=ftplan plan%3A budget wall_hours::2.05 h of 4 h")


def test_no_plan_at_all_is_a_failure_to_a_build() -> None:
    no = plans.refusal(Infeasible("nothing fits", hint="more money"))
    assert render(no, "github") == "::error title=ftplan plan%3A feasible::nothing fits; more money\n"
    assert 'failures="1"' in render(no, "junit")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for form, file in FILES.items():
        (GOLDEN / file).write_text(render(report(), form), encoding="utf-8")
