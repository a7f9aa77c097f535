"""`ftplan compare strategies`: what it reads, and that its optimum is what `ftplan plan` says to the same question."""

from __future__ import annotations

import csv
import io
import json

import pytest

from ftplan.cli import app


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = app.run(list(args))
    out, err = capsys.readouterr()
    return code, out, err


def test_each_budget_is_compared_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    budgets = ("1e11flops", "4e11flops")
    args = [word for text in budgets for word in ("--budget", text)]
    code, out, err = run(
        capsys, "compare", "strategies", "quickstart", "--fit", "pyfunc-s", *args, "--format", "csv", "-q"
    )
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["strategy"] for row in rows] == 2 * ["optimum", "few long", "many short", "balanced"]
    for text, row in zip(budgets, rows[::4], strict=True):
        found = run(
            capsys, "plan", "quickstart", "--fit", "pyfunc-s", "--budget", text, "--get", "data.examples", "-q"
        )[1]
        assert row["examples"] == found.strip()


def test_without_a_budget_the_problem_s_own_count_together(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "compare", "strategies", "lora-8b", "--price", "2", "--format", "json")
    assert code == 0
    found = json.loads(out)
    assert (found["schema_version"], found["kind"], found["length_identified"]) == (1, "strategies", False)
    (budget,) = found["budgets"]
    assert [limit["kind"] for limit in budget["limits"]] == ["usd", "wall_hours"]
    assert budget["rows"][1]["value"] is None


def test_the_same_question_gives_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    args = ("compare", "strategies", "quickstart", "--fit", "pyfunc-s", "--format", "json")
    assert run(capsys, *args) == run(capsys, *args)


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("quickstart", "--fit", "pyfunc-q"), 2, "no law of that name ships with ftplan\nhint: did you mean pyfunc-s?"),
        (("quickstart", "--fit", "pyfunc-s", "--budget", "1flops"), 1, "below one example"),
        (("quickstart", "--fit", "pyfunc-s", "--budget", "5usd"), 2, "needs a GPU"),
        (("quickstart", "--fit", "pyfunc-s", "--epochs", "0"), 2, "is not a list of numbers above 0"),
    ],
)
def test_what_cannot_be_answered(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, said: str
) -> None:
    seen, out, err = run(capsys, "compare", "strategies", *args)
    assert (seen, out) == (code, "")
    assert said in err
