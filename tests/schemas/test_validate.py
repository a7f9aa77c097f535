"""Each keyword of the validator, its message, and agreement with the reference implementation."""

from __future__ import annotations

from typing import Any

import hypothesis
import jsonschema
import pytest
from hypothesis import strategies as st

from ftplan.schemas.validate import KEYWORDS, first_fault


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "number"}, "x", "'x' is not a number"),
        ({"type": "number"}, True, "true is not a number"),
        ({"type": "number"}, float("nan"), "nan is not a number"),
        ({"type": "integer"}, 1.5, "1.5 is not a whole number"),
        ({"type": ["number", "null"]}, [], "[] is not a number or null"),
        ({"type": "object"}, None, "null is not a mapping"),
        ({"type": "integer", "title": "a count"}, "7", "'7' is not a count"),
        ({"const": 1}, 2, "2 is not 1"),
        ({"enum": ["ok", "at_bound"]}, "bad", "'bad' is not one of ok, at_bound"),
        ({"minimum": 0}, -1, "-1 is below 0"),
        ({"maximum": 1}, 2, "2 is above 1"),
        ({"exclusiveMinimum": 0}, 0, "0 is not above 0"),
        ({"exclusiveMaximum": 1}, 1, "1 is not below 1"),
        ({"minItems": 1}, [], "[] has fewer entries than 1"),
        ({"maxItems": 1}, [1, 2], "[1, 2] has more entries than 1"),
        ({"pattern": "^a"}, "b", "'b' does not look like ^a"),
        ({"required": ["a"]}, {}, "key 'a' is missing"),
        ({"properties": {"size": {}}, "additionalProperties": False}, {"sise": 1}, "unknown key 'sise'"),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, "a: 1 is not text"),
        ({"items": {"properties": {"b": {"type": "null"}}}}, [{}, {"b": 1}], "[1].b: 1 is not null"),
        ({"properties": {"a": {"items": {"type": "number"}}}}, {"a": [1, "x"]}, "a[1]: 'x' is not a number"),
        ({"title": "numbers", "items": {"type": "number"}}, [1, "x"], "[1, 'x'] is not numbers"),
        ({"anyOf": [{"type": "null"}, {"items": {"type": "number"}}]}, ["x"], "[0]: 'x' is not a number"),
        ({"anyOf": [{"type": "null"}, {"type": "number"}], "title": "a size"}, "x", "'x' is not a size"),
        ({"if": {"type": "string"}, "then": {"pattern": "a"}, "else": {"minimum": 3}}, 2, "2 is below 3"),
        ({"if": {"type": "string"}, "then": {"pattern": "a"}, "else": {"minimum": 3}}, "b", "'b' does not look like a"),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}, "x", "'x' is not a number"),
    ],
)
def test_a_fault_is_said_in_words_with_its_path(schema: dict[str, Any], value: Any, said: str) -> None:
    fault = first_fault(value, schema)
    assert fault is not None
    assert str(fault) == said
    assert set(schema) <= KEYWORDS


def test_the_nearest_known_word_is_offered() -> None:
    closed = {"properties": {"size": {"title": "a number"}}, "additionalProperties": False, "required": ["size"]}
    assert first_fault({"size": 1, "sice": 1}, closed).hint == "did you mean 'size'?"  # type: ignore[union-attr]
    assert first_fault({"size": 1, "zzz": 1}, closed).hint == "known: size"  # type: ignore[union-attr]
    assert first_fault({}, closed).hint == "it is a number"  # type: ignore[union-attr]
    assert first_fault("at-bound", {"enum": ["ok", "at_bound"]}).hint == "did you mean 'at_bound'?"  # type: ignore[union-attr]


def test_a_long_value_is_cut() -> None:
    assert len(str(first_fault("x" * 1000, {"type": "number"}))) < 100


SCHEMA = {
    "type": "object",
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "n": {"type": ["integer", "null"], "minimum": 0, "exclusiveMaximum": 5},
        "rows": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"$ref": "#/$defs/row"}},
        "free": {"type": "object", "additionalProperties": {"type": "boolean"}},
    },
    "if": {"properties": {"kind": {"const": "b"}}},
    "then": {"required": ["n"]},
    "else": {"properties": {"n": {"type": "integer"}}},
    "$defs": {
        "row": {
            "anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 3}, {"type": "string", "pattern": "^x"}],
        }
    },
}
leaves = st.none() | st.booleans() | st.integers(-1, 6) | st.sampled_from([0.5, 2.0, 3.5, "a", "b", "x1", "yx"])
keys = st.sampled_from("pq")
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=2))
rows = st.lists(values, max_size=3) | values
documents = st.fixed_dictionaries(
    {}, optional={"kind": values, "n": values, "rows": rows, "free": values, "more": values}
)


@hypothesis.given(document=documents | values)
@hypothesis.settings(max_examples=500, deadline=None, derandomize=True)
def test_it_accepts_what_the_reference_accepts(document: Any) -> None:
    reference = jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
    assert (first_fault(document, SCHEMA) is None) == reference
