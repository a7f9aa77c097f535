"""Files named where another kind belongs: one clear line each, and never a row of data taken for something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftplan.errors import InputError
from ftplan.readers.examples.pool import open_pool
from ftplan.readers.mistaken import kind_of
from ftplan.readers.plans import read_plan
from ftplan.readers.pools import read_pool
from ftplan.readers.problems import Flags, read_problem

ROWS = '{"prompt": "say \\"x\\"", "completion": "x"}\n{"prompt": "y", "completion": "z"}\n'
POOL = "schema_version: 1\nkind: pool\nname: a\n"
PLAN = "schema_version: 1\nkind: plan\nname: a\ndata: {examples: 10,\n"
PROBLEM = '[problem]\nname = "mine"\n[training]\nmodel = "llama-3.1-8b"\n'


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ROWS, "rows"),
        ('{"question": "a"}\n{"question": "b"}\n', "rows"),
        ('[{"text": "a"}]', "rows"),
        ("prompt,response\na,b\n", "rows"),
        (POOL, "pool"),
        (PLAN, "plan"),
        ('{"schema_version": 1, "kind": "fit"}', "fit"),
        (PROBLEM, "problem"),
        # a row may have any column and any text
        ('{"kind": "plan", "schema_version": 1, "text": "a"}\n', "rows"),
        ('{"text": "schema_version: 1\\nkind: plan cut of', None),
        ("tokens,examples\n10,5\n", None),
        ("histogram_tokens = [[16, 23, 390]]\n", None),
        ("text that is nothing at all", None),
    ],
)
def test_what_a_file_is(text: str, kind: str | None) -> None:
    assert kind_of(text.encode()) == kind


def test_parquet_holds_rows() -> None:
    assert kind_of(b"PAR1\x15\x04") == "rows"


def said(caught: pytest.ExceptionInfo[InputError]) -> tuple[str, str]:
    assert "\n" not in caught.value.message
    return caught.value.message, caught.value.hint or ""


def test_rows_as_a_pool_are_to_be_profiled(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(ROWS)
    with pytest.raises(InputError, match="these are training rows") as caught:
        read_pool(str(path))
    assert f"ftplan profile {path} -o pool.yaml" in said(caught)[1]


@pytest.mark.parametrize(
    ("name", "text", "message", "hint"),
    [
        ("pool.jsonl", ROWS, "these are training rows, not a plan file", "ftplan apply plan.yaml"),
        ("my.toml", PROBLEM, "this is a problem file, not a plan file", "my.toml -o plan.yaml"),
        ("pool.yaml", POOL, "this is the profile of a pool, not a plan file", "--pool"),
        ("plan.yaml", PLAN, "plan.yaml:5: this plan file is damaged or cut short", "ftplan plan ... -o plan.yaml"),
    ],
)
def test_what_is_no_plan_file(name: str, text: str, message: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        read_plan(str(tmp_path / name))
    assert message in said(caught)[0]
    assert hint in said(caught)[1]


@pytest.mark.parametrize(("text", "hint"), [(PLAN, "plan --check"), (POOL, "--pool"), (ROWS, "ftplan profile")])
def test_what_is_no_problem(text: str, hint: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="not a problem") as caught:
        read_problem(str(path), Flags())
    assert hint in said(caught)[1]


def test_a_profile_holds_no_rows_to_apply_a_plan_to(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text(POOL)
    with pytest.raises(InputError, match="the profile of a pool, not training rows"):
        open_pool(str(path))


def test_a_long_row_that_speaks_of_plans_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps({"text": "schema_version: 1\nkind: plan\n" + "x" * 9000}) + "\n")
    assert open_pool(str(path)).measure.shape == "text"
