"""Small files that grow when they are read, and values that are not what they say: one refusal each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.plain import parse_json, parse_toml, parse_yaml


def _laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_yaml, _laughs(9), "aliases stand for more than"),
        (parse_yaml, "a: &a [1, *a]", "inside of what it names"),
        (parse_yaml, "a: !!bool maybe", "not what its tag says"),
        (parse_yaml, "a: !!timestamp x", "not what its tag says"),
        (parse_yaml, "a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        (parse_yaml, "a: 2026-13-45", "not YAML: month"),
        (parse_yaml, "a: " + "9" * 5000, "too many digits"),
        (parse_yaml, "a: 0x" + "f" * 5000, "too large"),
        (parse_yaml, "a: 1" + ":59" * 400, "too large"),
        (parse_yaml, "[" * 300 + "]" * 300, "nested too deeply"),
        (parse_json, '{"a": ' + "9" * 5000 + "}", "too many digits"),
        (parse_json, '{"a": ' + "9" * 400 + "}", "too large"),
        (parse_json, "[" * 100_000, "nested too deeply"),
        (parse_json, "[" * 300 + "]" * 300, "nested too deeply"),
        (parse_toml, "a = " + "9" * 5000, "too many digits"),
        (parse_toml, "a = " + "[" * 10_000 + "]" * 10_000, "nested too deeply"),
        (parse_toml, ".".join("a" * 50_000) + " = 1", "more than 100 parts"),
        (parse_toml, "[" + ".".join("a" * 50_000) + "]", "more than 100 parts"),
    ],
)
def test_what_grows_or_is_not_what_it_says_is_refused(parse: Callable[[str, str], Any], text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, "file")
    assert said in caught.value.message
    assert caught.value.message.startswith("file:")


def test_aliases_and_long_texts_of_honest_files_are_read() -> None:
    assert parse_yaml("a: &x {b: 1}\nc: *x\nd: *x\n", "file")["d"] == {"b": 1}
    assert parse_yaml("sha256: " + "ab" * 300, "file")["sha256"] == "ab" * 300
    assert parse_toml('note = "' + "." * 500 + '"', "file")["note"] == "." * 500
    assert parse_json('{"a": [' + "[1], " * 200 + "[1]]}", "file")["a"][0] == [1]
