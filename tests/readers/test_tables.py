"""Tables that read without a flag, and what they mean."""

from __future__ import annotations

import gzip
import io
import math
import sys
import types
from collections.abc import Callable

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, RunTable

Read = Callable[..., RunTable]

PLAIN = "examples,avg_tokens,loss\n100,32,3.5\n200,64.5,3.25\n"
ROWS = [
    {"examples": 100, "avg_tokens": 32, "tokens": 3200, "epochs": 1, "loss": 3.5},
    {"examples": 200, "avg_tokens": 64.5, "tokens": 12900, "epochs": 1, "loss": 3.25},
]
JSONL = '{"examples": 100, "avg_tokens": 32, "loss": 3.5}\n\n{"examples": "200", "avg_tokens": 64.5, "loss": 3.25}\n'


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", " , ").upper(),
        "\ufeff" + PLAIN,
        "\n" + PLAIN.replace("\n", "\n\n"),
        PLAIN + ",,\n , ,\n",
        PLAIN.rstrip(),
        '"examples","avg_tokens","loss"\n"100","32","3.5"\n"200","64.5","3.25"\n',
        # an index column without a name, as pandas writes it
        ",examples,avg_tokens,loss,\n0,100,32,3.5,\n1,200,64.5,3.25,\n",
        JSONL,
        "\ufeff" + JSONL,
        JSONL.replace("}", ', "method": null}'),
        gzip.compress(PLAIN.encode()),
        gzip.compress(JSONL.encode()),
        gzip.compress(PLAIN.replace(",", "\t").encode()),
    ],
)
def test_format_is_told_by_content(read: Read, content: str | bytes) -> None:
    table = read(content, "table.dat")
    assert table.rows() == ROWS
    assert table.metric == Metric("loss", "min", "nats")
    assert table.notes == ()
    assert table.source == "table.dat"


@pytest.mark.parametrize("data", [PLAIN.encode(), JSONL.encode(), gzip.compress(PLAIN.encode())])
def test_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    table = read_runs("-")
    assert table.rows() == ROWS
    assert table.source == "stdin"


def test_stdin_in_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"examples,loss\n1,x\n")))
    with pytest.raises(InputError) as caught:
        read_runs("-")
    assert caught.value.message == "stdin:2: column 'loss': 'x' is not a number"


def test_closed_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError) as caught:
        read_runs("-")
    assert caught.value.message == "stdin is closed"


def test_quoted_cells_may_span_lines(read: Read) -> None:
    text = 'examples,note,loss\n100,"two\nlines, and a ""quote""",3\n200,x,oops\n'
    with pytest.raises(InputError) as caught:
        read(text)
    assert caught.value.message == "runs.csv:4: column 'loss': 'oops' is not a number"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("examples,tokens\n100,3200", (100, 32, 3200, 1)),
        ("avg_tokens,tokens\n32,3200", (100, 32, 3200, 1)),
        ("examples,avg_tokens\n100,32", (100, 32, 3200, 1)),
        ("examples,avg_tokens,tokens\n100,32,3215", (100, 32, 3215, 1)),  # 0.5 % apart: kept as written
        ("tokens\n3200", (math.nan, math.nan, 3200, 1)),
        ("examples\n100", (100, math.nan, math.nan, 1)),
        ("tokens_seen,epochs\n9600,3", (math.nan, math.nan, 3200, 3)),
        ("tokens_seen,epochs,examples\n9600,3,100", (100, 32, 3200, 3)),
        ("tokens,tokens_seen,epochs\n3200,1600,0.5", (math.nan, math.nan, 3200, 0.5)),
        ("fraction,pool_examples,avg_tokens\n0.1,1000,32", (100, 32, 3200, 1)),
        ("examples,avg_tokens,epochs\n0,,", (0, math.nan, 0, 1)),
        ("examples,avg_tokens,epochs\n0,0,0", (0, math.nan, 0, 1)),
        ("tokens\n0", (0, math.nan, 0, 1)),
        ("tokens_seen,epochs\n0,3", (0, math.nan, 0, 1)),
    ],
)
def test_sizes_are_derived(read: Read, given: str, expected: tuple[float, ...]) -> None:
    header, row = given.split("\n")
    trained = ",".join("1" for _ in header.split(","))  # base rows alone are no table
    table = read(f"{header},loss\n{row},3\n{trained},2\n")
    got = [table.examples[0], table.avg_tokens[0], table.tokens[0], table.epochs[0]]
    np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_counts_may_carry_a_suffix(read: Read) -> None:
    text = "examples,model_params,selector_params,avg_tokens,loss\n12k,7B,110M,32.,3\n1e3,7e9,0,.5e2,3\n20,350M,,64,3\n"
    table = read(text)
    assert table.examples.tolist() == [12000, 1000, 20]
    assert table.model_params.tolist() == [7e9, 7e9, 3.5e8]
    assert table.avg_tokens.tolist() == [32, 50, 64]
    # selector_params 0: no model scored the pool
    np.testing.assert_array_equal(table.selector_params, [1.1e8, np.nan, np.nan])


def test_method_and_pool(read: Read) -> None:
    text = "examples,fraction,method,loss\n100,0.1,less,3\n100,0.1,,3\n1000,1,,2\n0,,,5\n"
    table = read(text)
    assert table.method == ("less", "random", "random", "random")
    np.testing.assert_array_equal(table.pool_examples, [1000, 1000, 1000, np.nan])
    # a count rounded down from the fraction is no contradiction
    assert read("examples,fraction,pool_examples,loss\n9,0.025,395,3\n").pool_examples.tolist() == [395]


def test_without_a_method_column_nothing_is_said_about_methods(read: Read) -> None:
    assert read(PLAIN).method == ("", "")


def test_standard_errors(read: Read) -> None:
    assert read("examples,loss,sem\n1,2,0.5\n").stderr.tolist() == [0.5]
    text = 'examples,"acc,none","acc_stderr,none",loss_stderr\n10,0.5,0.01,7\n'
    table = read(text)
    assert table.metric == Metric("acc", "max", "fraction")
    assert table.stderr.tolist() == [0.01]


def test_map(read: Read) -> None:
    text = "rows,len,examples,outcome,loss\n100,32,5,0.5,3\n"
    table = read(text, column_map={"rows": "examples", "len": "mean_length", "outcome": "accuracy"}, metric="accuracy")
    assert table.rows() == [{"examples": 100, "avg_tokens": 32, "tokens": 3200, "epochs": 1, "accuracy": 0.5}]
    assert table.notes == ("read rows as examples, len as avg_tokens", "not used: examples")
    own = read(text, column_map={"outcome": "quality"}, metric="quality", direction="max")
    assert own.metric == Metric("quality", "max", "fraction")


def test_notes_say_what_was_assumed(read: Read) -> None:
    header = "Num Samples,train_model,eval/loss,accuracy,epoch_s,host,gpu,empty,method"
    rows = ["1,a,3,.1,1,x,y,,", "2,a,2,.2,1,x,y,,", "3,b,1,.3,1,x,y,,"]
    assert read("\n".join([header, *rows])).notes == (
        "metric eval_loss (lower is better); --metric chooses another: accuracy",
        "read Num Samples as examples, train_model as group",
        "column 'epoch_s' is not used: did you mean epochs?",
        "not used: host, gpu",
    )


def test_tokens_in_some_rows_only(read: Read) -> None:
    table = read("examples,avg_tokens,loss\n100,32,3\n200,,2\n0,,5\n")
    assert table.data_unit == "examples"
    assert table.notes == ("1 of 3 runs have no tokens: data are counted in examples",)


def test_a_training_loss_is_the_last_choice(read: Read) -> None:
    table = read("examples,train/loss\n1,3\n")
    assert table.metric == Metric("train_loss", "min", "nats")
    assert table.notes == ("train_loss was measured on the training data; eval_loss says more",)


def test_parquet_needs_the_extra(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError) as caught:
        read(b"PAR1....PAR1", "runs.parquet")
    assert caught.value.message == "runs.parquet is Parquet, and pyarrow is not installed"
    assert caught.value.hint == "pip install pyarrow"


class _Column(list[object]):
    def to_pylist(self) -> list[object]:
        return list(self)


def _pyarrow(monkeypatch: pytest.MonkeyPatch, columns: dict[str, list[object]] | Exception) -> None:
    """Stands in for pyarrow.parquet, which the tests must do without."""

    def read_table(_: io.BytesIO) -> object:
        if isinstance(columns, Exception):
            raise columns
        return types.SimpleNamespace(
            column_names=list(columns), columns=[_Column(c) for c in columns.values()], validate=lambda **_: None
        )

    facts = types.SimpleNamespace(num_rows=2, num_columns=4)
    monkeypatch.setitem(sys.modules, "pyarrow", types.ModuleType("pyarrow"))
    monkeypatch.setitem(
        sys.modules, "pyarrow.parquet", types.SimpleNamespace(read_table=read_table, read_metadata=lambda _: facts)
    )


def test_parquet(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    _pyarrow(
        monkeypatch, {"examples": [100, 200], "avg_tokens": [32, 64.5], "loss": [3.5, 3.25], "method": [None, None]}
    )
    assert read(b"PAR1").rows() == ROWS
    _pyarrow(monkeypatch, {"examples": [100, 200], "loss": [3.5, float("nan")]})
    gap = read(b"PAR1", "runs.parquet")
    assert (len(gap), gap.notes[-1]) == (1, "left out runs.parquet, row 2 (1 of 2 runs): no loss")
    _pyarrow(monkeypatch, OSError("Couldn't deserialize thrift\nmore"))
    with pytest.raises(InputError) as caught:
        read(b"PAR1", "runs.parquet")
    assert caught.value.message == "runs.parquet: damaged Parquet (Couldn't deserialize thrift)"
