"""Names of laws: what parses, to which law, and what is refused with which words."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations

import pytest

from ftplan.errors import InputError
from ftplan.laws import ALIASES, names, part_names
from ftplan.laws.law import parse


def test_a_listing_of_names_loads_no_numpy() -> None:
    """Tab completion starts Python for every press."""
    code = "import sys, ftplan.laws as laws; laws.names(); print([m for m in ('numpy', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [n for n in names() if n != "auto"])
def test_every_listed_name_is_a_law(name: str) -> None:
    law = parse(name)
    assert parse(law.name) == law
    assert law.formula.startswith(law.curve.formula)


def test_listed_names_are_distinct() -> None:
    assert len(set(names())) == len(names())
    assert "auto" in names()
    assert set(ALIASES) <= set(names())


def test_volume_is_the_power_law() -> None:
    assert parse("volume") == parse("power")
    assert parse("volume").name == "power"
    assert parse("volume+length+factor") == parse("power+length+factor")


def test_additive_is_the_power_law_with_an_added_size() -> None:
    assert parse("additive") == parse("power+added")
    assert parse("power+added").name == "additive"
    assert parse("additive+length").name == "additive+length"
    assert parse("additive+length") == parse("power+length+added")


@pytest.mark.parametrize("order", list(permutations(["length", "selection", "added"])))
def test_parts_come_in_any_order(order: tuple[str, ...]) -> None:
    law = parse("+".join(("rectified", *order)))
    assert law.name == "rectified+length+selection+added"
    assert parse(f" {law.name.upper()} ") == law


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cubic", "no curve is called 'cubic'"),
        ("", "no curve is called ''"),
        ("length", "no curve is called 'length'"),
        ("power+magic", "no term or size part is called 'magic'"),
        ("power+", "no term or size part is called ''"),
        ("power+rectified", "no term or size part is called 'rectified'"),
        ("power+__init__", "no term or size part is called '__init__'"),
    ],
)
def test_unknown_parts_name_the_known_ones(name: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(name)
    assert caught.value.message == f"law {name!r}: {said}"
    assert caught.value.hint is not None
    for part in (*part_names("curves"), *ALIASES, *part_names("terms"), *part_names("sizes")):
        assert part in caught.value.hint


@pytest.mark.parametrize(
    ("name", "twice"),
    [
        ("power+composition+length", "composition"),
        ("power+length+composition", "composition"),
        ("rectified+drift+length", "length"),
        ("rectified+composition+drift", "composition"),
        ("power+length+length", "length"),
        ("power+selection+selection", "selection"),
        ("power+added+levels", "model size"),
        ("power+added+added", "model size"),
        ("additive+factor", "model size"),
    ],
)
def test_nothing_is_in_a_law_twice(name: str, twice: str) -> None:
    with pytest.raises(InputError, match=rf"{twice} is in it twice"):
        parse(name)


def test_has_finds_terms_inside_larger_ones() -> None:
    assert parse("power+drift").has("length")
    assert parse("power+drift").has("composition")
    assert parse("power+length").has("composition")
    assert not parse("power+composition").has("length")
    assert not parse("power").has("selection")
