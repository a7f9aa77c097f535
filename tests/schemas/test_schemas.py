"""Shipped schemas are valid JSON Schema, use only what the validator knows, and accept what ftplan ships and writes."""

from __future__ import annotations

import copy
import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ftplan import presets, schemas
from ftplan.cli import app
from ftplan.errors import InputError
from ftplan.schemas.validate import KEYWORDS, first_fault

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RUNS = "examples,avg_tokens,epochs,loss\n" + "".join(
    f"{n},{length},1,{2 + 9 * (n * length) ** -0.3:.5f}\n"
    for n in (50, 100, 200, 400, 800)
    for length in (60, 120, 240)
)


def test_there_is_one_for_each_kind_of_file() -> None:
    assert schemas.names() == ["fit", "plan", "pool", "problem"]


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in it; the names below `properties` and `$defs` are no keywords."""
    if isinstance(schema, dict):
        yield schema
        for key, inner in schema.items():
            if key in ("properties", "$defs"):
                for each in inner.values():
                    yield from subschemas(each)
            elif key in ("items", "additionalProperties", "if", "then", "else"):
                yield from subschemas(inner)
            elif key == "anyOf":
                for each in inner:
                    yield from subschemas(each)


@pytest.mark.parametrize("name", schemas.names())
def test_a_schema_is_valid_and_understood(name: str) -> None:
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for inner in subschemas(schema):
        assert set(inner) <= KEYWORDS
        if "$ref" in inner:
            assert inner["$ref"].removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize("name", presets.names("problems"))
def test_every_shipped_problem_fits_its_schema(name: str) -> None:
    text = (presets.folder() / "problems" / f"{name}.toml").read_text(encoding="utf-8")
    plain = json.loads(json.dumps(tomllib.loads(text), default=datetime.date.isoformat))
    jsonschema.Draft202012Validator(schemas.load("problem")).validate(plain)
    assert first_fault(plain, schemas.load("problem")) is None


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `fit -o` and `plan -o` really write: plain values by kind and case."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "runs.csv").write_text(RUNS)
    fit, money, tokens = (str(folder / name) for name in ("fit.json", "money.json", "tokens.json"))
    assert app.run(["fit", str(folder / "runs.csv"), "--bootstrap", "20", "-q", "-o", fit]) == 0
    assert app.run(["plan", "lora-8b", "-q", "--require", "accuracy>=40@0.5", "-o", money]) == 0
    assert app.run(["plan", "quickstart", "-q", "--fit", fit, "-o", tokens]) == 0
    (folder / "pool.jsonl").write_text('{"text": "a"}\n{"text": "b c d e f"}\n')
    pool, estimated = str(folder / "pool.json"), str(folder / "estimated.json")
    assert app.run(["profile", str(folder / "pool.jsonl"), "--max-length", "1", "--jobs", "1", "-q", "-o", pool]) == 0
    assert app.run(["plan", "lora-8b", "-q", "--pool", pool, "-o", estimated]) == 0
    paths = {"fit": fit, "plan": money, "plan 2": tokens, "plan 3": estimated, "pool": pool}
    return {case: json.loads(Path(path).read_text()) for case, path in paths.items()}


@pytest.mark.parametrize("case", ["fit", "plan", "plan 2", "plan 3", "pool"])
def test_what_is_written_fits_its_schema(written: dict[str, Any], case: str) -> None:
    name = case.split()[0]
    jsonschema.Draft202012Validator(schemas.load(name)).validate(written[case])
    schemas.check(name, written[case], "a file")


def described(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    """Paths of keys that no schema describes."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    options = [schema, *(schema[key] for key in ("then", "else") if key in schema), *schema.get("anyOf", ())]
    options = [root["$defs"][o["$ref"].removeprefix("#/$defs/")] if "$ref" in o else o for o in options]
    if isinstance(value, list):
        items: dict[str, Any] = next((o["items"] for o in options if "items" in o), {})
        for i, item in enumerate(value):
            yield from described(item, items, root, f"{path}[{i}]")
    if isinstance(value, dict):
        known = {key: inner for o in options for key, inner in o.get("properties", {}).items()}
        open_ = any(isinstance(o.get("additionalProperties"), dict) or o == {"type": "object"} for o in options)
        for key, item in value.items():
            if key not in known and not open_:
                yield f"{path}.{key}"
            yield from described(item, known.get(key, {}), root, f"{path}.{key}") if key in known else ()


@pytest.mark.parametrize("case", ["fit", "plan", "plan 2", "plan 3", "pool"])
def test_every_key_that_is_written_is_described(written: dict[str, Any], case: str) -> None:
    schema = schemas.load(case.split()[0])
    assert list(described(written[case], schema, schema, "")) == []


@pytest.mark.parametrize(
    ("case", "path", "value", "said"),
    [
        ("fit", ["series", 0, "selected", 0, "weight"], "x", "series[0].selected[0].weight: 'x' is not a number"),
        ("fit", ["metric", "direction"], "up", "metric.direction: 'up' is not one of min, max"),
        ("fit", ["series", 0, "laws", 0, "rmse"], None, "series[0].laws[0].rmse: null is not a number"),
        ("fit", ["series"], [], "series: [] has fewer entries than 1"),
        ("plan", ["data", "examples"], 0, "data.examples: 0 is below 1"),
        ("plan", ["budgets", 0, "kind"], "eur", "budgets[0].kind: 'eur' is not one of"),
        ("plan", ["inputs", "costs", "gpu"], "h100", "inputs.costs.gpu: 'h100' is not a mapping or null"),
        ("plan", ["prediction", "level"], 90, "prediction.level: 90 is not below 1"),
        ("pool", ["histogram", "tokens", 0], 0, "histogram.tokens[0]: 0 is below 1"),
    ],
)
def test_a_wrong_value_is_named(written: dict[str, Any], case: str, path: list[Any], value: Any, said: str) -> None:
    spoilt = copy.deepcopy(written[case])
    here = spoilt
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    assert not jsonschema.Draft202012Validator(schemas.load(case)).is_valid(spoilt)
    with pytest.raises(InputError) as caught:
        schemas.check(case, spoilt, "file.yaml", hint="write it again")
    assert caught.value.message.startswith(f"file.yaml: {said}")
    assert caught.value.hint is not None


def test_a_refusal_is_a_plan_file_too() -> None:
    refusal = {"schema_version": 1, "kind": "plan", "feasible": False, "reason": "too dear", "hint": None}
    schemas.check("plan", refusal, "plan.yaml")
    with pytest.raises(InputError, match="key 'reason' is missing"):
        schemas.check("plan", {"schema_version": 1, "kind": "plan", "feasible": False}, "plan.yaml")
    with pytest.raises(InputError, match="key 'inputs' is missing"):
        schemas.check("plan", {"schema_version": 1, "kind": "plan", "feasible": True}, "plan.yaml")
