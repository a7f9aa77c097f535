"""What `--assume` borrows."""

from __future__ import annotations

import pytest

from ftplan.errors import InputError
from ftplan.presets import load_assumption, load_law, load_model, names
from ftplan.readers.assumptions import read_assumed, read_selector, selectors_of, selectors_of_law

WITH_METHODS = [name for name in names("laws") if load_law(name).get("selection")]


@pytest.mark.parametrize("name", WITH_METHODS)
def test_a_law_preset_lends_its_methods_with_their_range(name: str) -> None:
    law = load_law(name)
    assumed = read_assumed(name)
    for method, kap in law["selection"].items():
        assert assumed.params[f"kap[{method}]"] == (kap["estimate"], kap["low"], kap["high"])
    assert law["source"] in assumed.why
    assert {s.name for s in selectors_of([name], load_model("llama-2-7b"))} == {s.name for s in selectors_of_law(law)}
    measured = [(m["selector"], m["selector_params"]) for m in law["selection"].values() if "selector" in m]
    for selector, params in measured:
        assert read_selector(selector).params == pytest.approx(params, rel=0.1)


@pytest.mark.parametrize("name", names("assumptions"))
def test_every_shipped_assumption_lends_ranges_with_their_source(name: str) -> None:
    assumed = read_assumed(name)
    assert assumed.params
    assert assumed.why
    assert all(low <= estimate <= high for estimate, low, high in assumed.params.values())
    for key, written in load_assumption(name).get("params", {}).items():
        assert assumed.params[key] == (written["estimate"], written["low"], written["high"])


@pytest.mark.parametrize(("name", "hint"), [("selektion", "did you mean selection?"), ("zzz", "one of: ")])
def test_an_unknown_name(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"--assume {name}") as caught:
        read_assumed(name)
    assert hint in (caught.value.hint or "")
