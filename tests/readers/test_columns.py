"""Which header is which column."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ftplan.errors import InputError
from ftplan.readers.columns import ALIASES, CANONICAL, resolve
from ftplan.readers.metrics import known
from ftplan.readers.raw import RawTable, build, normalise, suggest
from ftplan.runs import HISTORY_NUMBERS, NUMBER_COLUMNS, TEXT_COLUMNS


def table(header: str, *rows: str) -> RawTable:
    places = [f"t:{i}" for i, _ in enumerate(rows, start=2)]
    return build("t", header.split(","), zip(places, (r.split(",") for r in rows), strict=True))


def test_every_canonical_column_is_known() -> None:
    known = {*NUMBER_COLUMNS, *TEXT_COLUMNS, *HISTORY_NUMBERS, "schedule", "tokens_seen", "fraction"}
    assert known == set(ALIASES)


def test_aliases_are_normalised_and_mean_one_thing() -> None:
    aliases = [alias for ranks in ALIASES.values() for rank in ranks for alias in rank]
    assert [a for a, n in Counter([*aliases, *ALIASES]).items() if n > 1] == []
    assert [a for a in aliases if normalise(a) != a or not re.fullmatch("[a-z_]+", a)] == []
    # an alias that were also a metric could be taken for either
    assert [a for a in (*aliases, *ALIASES) if known(a) is not None] == []


@pytest.mark.parametrize("alias", sorted({*CANONICAL} - {"size"}))
def test_alias(alias: str) -> None:
    assert resolve(table(f"{alias},x", "7,7"), {}).header[CANONICAL[alias]] == alias


@pytest.mark.parametrize(
    "header",
    ["eval/loss", "Eval-Loss", "EVAL LOSS", "eval.loss", "evalLoss", " eval__loss ", "eval:loss", "_eval loss"],
)
def test_headers_are_compared_without_punctuation(header: str) -> None:
    assert normalise(header) == "eval_loss"


def test_the_canonical_name_wins() -> None:
    assert resolve(table("num_tokens,Tokens,train_tokens", "1,2,3"), {}).header == {"tokens": "Tokens"}


def test_parameters_without_embeddings_come_first() -> None:
    assert resolve(table("params_total,params_non_embedding,params", "9,8,7"), {}).header == {
        "model_params": "params_non_embedding"
    }
    assert resolve(table("params_total,x", "9,8"), {}).header == {"model_params": "params_total"}


def test_a_blank_column_is_absent() -> None:
    assert resolve(table("tokens,n_tokens", ",2", " ,3"), {}).header == {"tokens": "n_tokens"}


def test_a_size_is_the_models_where_it_is_written_like_one() -> None:
    assert resolve(table("size,tokens", "70M,1e9", "1.5B,1e9"), {}).header["model_params"] == "size"
    for cells in (("70M,1",), ("10k,1e9", "20k,1e9"), ("m,1e9", "s,1e9")):
        assert (
            "model_params" not in resolve(table("size," + ("tokens" if "e9" in cells[0] else "x"), *cells), {}).header
        )


@pytest.mark.parametrize("before", ["parameters/", "hparams.", "General/", "Args/", "config/", "params.", "summary."])
def test_sections_of_trackers_are_no_part_of_a_name(before: str) -> None:
    assert resolve(table(f"{before}n_examples,x", "7,7"), {}).header == {"examples": f"{before}n_examples"}
    # with another of the name they stand apart
    assert resolve(table(f"{before}n_examples,n_examples", "7,8"), {}).header == {"examples": "n_examples"}


def test_model_size_may_be_a_label() -> None:
    assert resolve(table("model_size,x", "7B,1", "13B,1"), {}).header == {"model_params": "model_size"}
    assert resolve(table("model_size,x", "small,1", "13B,1"), {}).header == {}


def test_map_overrules_names_and_aliases() -> None:
    columns = resolve(table("rows,examples,n_samples", "1,2,3"), {"ROWS": "num_samples"})
    assert columns.header == {"examples": "rows"}
    assert columns.renamed() == ["rows as examples"]


def test_suggestions() -> None:
    assert suggest("exmples", ALIASES) == "did you mean examples?"
    assert suggest("colour", ALIASES) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("N,D,loss", {"model_params": "N", "tokens": "D"}),
        ("N,D,C,loss", {"model_params": "N", "tokens": "D"}),
        ("n,d,flops,loss", {"model_params": "n", "tokens": "d"}),
        ("N,D,tokens,loss", {"model_params": "N", "tokens": "tokens"}),
        ("N,compute,tokens,loss", {"model_params": "N", "tokens": "tokens"}),
        ("N,D,params,loss", {"model_params": "params", "tokens": "D"}),
        ("N,avg_tokens,loss", {"examples": "N", "avg_tokens": "avg_tokens"}),
        ("examples,D,loss", {"examples": "examples"}),
    ],
)
def test_n_and_d_of_scaling_laws(header: str, found: dict[str, str]) -> None:
    names = header.split(",")
    raw = build("x", names, [("x:2", ["9"] * len(names))])
    assert resolve(raw, {}).header == found


@pytest.mark.parametrize("beside", ["params", "model_params", "n_params", "N_no_emb", "non_embedding_params"])
def test_n_beside_parameters_is_a_question(beside: str) -> None:
    raw = build("x", ["N", beside, "loss"], [("x:2", ["9", "9", "9"])])
    with pytest.raises(InputError, match="may be the number of examples or the model's size") as caught:
        resolve(raw, {})
    assert caught.value.hint == "--map N=examples where it counts training examples, else --map N=model_params"
    assert resolve(raw, {"N": "examples"}).header["examples"] == "N"
    assert resolve(raw, {"N": "model_params"}).header["model_params"] == "N"
