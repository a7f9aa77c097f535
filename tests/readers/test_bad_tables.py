"""What cannot be read: one message each, with the place and the value seen, and what to do."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ftplan.errors import FtplanError, InputError
from ftplan.runs import RunTable

Read = Callable[..., RunTable]

HEAD = "examples,avg_tokens,loss\n"
GOOD = "100,32,3.2\n"
NUMBER_HINT = "numbers are written like 3.25 or 1e-3"
COUNT_HINT = "counts are written like 12000, 1.2e4 or 12k"
NO_ROW = "runs.csv:2: neither examples nor tokens in this row, and no other row can be used"
FILL = "fill in what the runs were"
TWO = "could be {} or {}, and nothing in the table tells which"
BASE_HINT = "the model before tuning is a row with examples = 0"
SIZE_HINT = "a run table needs a column examples or tokens; name yours with --map theirs=examples"
JSON_HINT = "JSONL has one object a line; from an array: jq -c '.[]'"
QUOTE_HINT = 'a cell with quotes in it is written "like ""this"""'
CELLS_HINT = "write one cell per column: examples, avg_tokens, loss"

BAD: list[tuple[str, str, str | None]] = [
    # nothing there
    ("", "runs.csv is empty", None),
    (" \n\n", "runs.csv is empty", None),
    (HEAD, "runs.csv: there is a header but no run below it", "write one row per finished run"),
    (HEAD + "\n,,\n", "runs.csv: there is a header but no run below it", "write one row per finished run"),
    (
        "100,32,3.2\n200,32,3.1\n",
        "runs.csv:1: the first line holds numbers, not the names of the columns",
        "begin with a line of names: examples,avg_tokens,loss",
    ),
    # columns
    (
        "avg_tokens,loss\n32,3\n",
        "runs.csv: no column for the number of examples or tokens; the columns are avg_tokens, loss",
        SIZE_HINT,
    ),
    (
        "N,C,loss\n1e8,1e18,3.1\n1e8,2e18,2.9\n",
        "runs.csv: column 'N' stands beside compute, where it is the model's size, and no column says how much data "
        "the runs saw",
        "add a column tokens (D = C / 6N), or --map N=examples where it counts training examples",
    ),
    (
        "examples,model_size,loss\n100,0.5,3\n100,7,2\n",
        "runs.csv:2: column 'model_size': 0.5 parameters are no model",
        "in billions or millions: write 0.5B or 0.5M, or call it params_b",
    ),
    (
        "exmaples,loss\n32,3\n",
        "runs.csv: no column for the number of examples or tokens; the columns are exmaples, loss",
        "did you mean examples for 'exmaples'? --map exmaples=examples",
    ),
    (
        "train/num_input_tokens_seen,loss\n32,3\n",
        "runs.csv: no column for the number of examples or tokens; the columns are train/num_input_tokens_seen, loss",
        "if train/num_input_tokens_seen does not count padding: --map train/num_input_tokens_seen=tokens_seen",
    ),
    (
        "examples,avg_tokens\n100,32\n",
        "runs.csv: no metric column; the columns are examples, avg_tokens",
        "name it: --metric COL --direction min (or max)",
    ),
    ("examples,los\n1,2\n", "runs.csv: no metric column; the columns are examples, los", "did you mean loss?"),
    (
        "tokens_seen,loss\n100,3\n",
        "runs.csv: column 'tokens_seen' counts every epoch, and there is no column epochs",
        "add a column epochs, or give the unique tokens in a column tokens",
    ),
    (
        "examples,loss,loss\n1,2,3\n",
        "runs.csv:1: duplicate column 'loss' in the header",
        "rename or remove one of them",
    ),
    (
        "\nn,N,loss\n1,2,3\n",
        "runs.csv:2: duplicate column 'n' and 'N' in the header",
        "rename or remove one of them",
    ),
    (
        "n_samples,Num Samples,loss\n1,2,3\n",
        "runs.csv: columns 'n_samples' and 'Num Samples' both mean examples",
        "choose one with --map n_samples=examples",
    ),
    (
        "examples,test_loss,val_loss\n1,2,3\n",
        "runs.csv: several columns could be the metric: test_loss, val_loss",
        "--metric test_loss",
    ),
    (HEAD + "100,32,\n", "runs.csv: column 'loss' is empty in every row", None),
    ("n,loss\n,3\n", "runs.csv: column 'n' is empty in every row", "fill in examples or tokens"),
    # rows
    (HEAD + GOOD + "100,32\n", "runs.csv:3: the row has 2 cells and the header 3 columns", CELLS_HINT),
    (HEAD + GOOD + "100,32,3,4\n", "runs.csv:3: the row has 4 cells and the header 3 columns", CELLS_HINT),
    (
        HEAD + "1,200,320,3\n",  # 1,200 examples of 320 tokens, or 1 of 200,320
        "runs.csv:2: the row has 4 cells and the header 3 columns",
        "write numbers without commas: 1200, not 1,200",
    ),
    (
        'examples,loss,note\n100,3,"oops\n200,2,x\n',
        "runs.csv:2: the quoting is broken (unexpected end of data)",
        QUOTE_HINT,
    ),
    # numbers
    (HEAD + GOOD + "100,32,low\n", "runs.csv:3: column 'loss': 'low' is not a number", NUMBER_HINT),
    (HEAD + "\n\nmany,32,3\n", "runs.csv:4: column 'examples': 'many' is not a number", COUNT_HINT),
    ("N,loss\n١٠٠,3\n", "runs.csv:2: column 'N': '١٠٠' is not a number", COUNT_HINT),
    ("examples,params,loss\n1,7X,3\n", "runs.csv:2: column 'params': '7X' is not a number", COUNT_HINT),
    (HEAD + "100,32,nan\n", "runs.csv: column 'loss' is empty in every row", None),
    ("examples,avg_tokens,loss,run\n,,3,a\n,,2,b\n1,,,c\n", NO_ROW, FILL),
    (
        HEAD + "100,32,Infinity\n",
        "runs.csv:2: column 'loss': 'Infinity' is not a finite number",
        "remove the rows of runs that diverged",
    ),
    (HEAD + "1e999,32,3\n", "runs.csv:2: column 'examples': '1e999' is too large for a number", None),
    (HEAD + '"1,234.5",32,3\n', "runs.csv:2: column 'examples': '1,234.5' has decimals, and a count has none", None),
    (HEAD + '"1,5",32,3\n', "runs.csv:2: column 'examples': '1,5' has decimals, and a count has none", None),
    (HEAD + "16.000,32,3\n", f"runs.csv:2: column 'examples': '16.000' {TWO.format(16000, 16)}", "write 16000 or 16"),
    (
        'examples,ppl\n9,"1,412"\n',
        f"runs.csv:2: column 'ppl': '1,412' {TWO.format(1412, 1.412)}",
        "write 1412 or 1.412",
    ),
    (HEAD + "5%,32,3\n", "runs.csv:2: column 'examples': '5%' is not a plain number", "write 5, or 0.05 as a share"),
    (HEAD + "-5,32,3\n", "runs.csv:2: column 'examples': -5 is negative", None),
    (HEAD + GOOD + "5,32,-3\n", "runs.csv:3: column 'loss': -3 is negative", None),
    (
        HEAD + "0.1,32,3\n",
        "runs.csv:2: column 'examples': 0.1 is less than one example",
        "a share of the pool goes in a column fraction",
    ),
    (HEAD + "100,0,3\n", "runs.csv:2: column 'avg_tokens': 0 is not above zero", BASE_HINT),
    (HEAD + "100,0.5,3\n", "runs.csv:2: column 'avg_tokens': 0.5 is less than one token per example", None),
    ("examples,epochs,loss\n100,0,3\n", "runs.csv:2: column 'epochs': 0 is not above zero", BASE_HINT),
    (
        "examples,fraction,loss\n100,1.5,3\n",
        "runs.csv:2: column 'fraction': 1.5 is not a share between 0 and 1",
        "write 0.015 for 1.5 %",
    ),
    (
        "examples,fraction,loss\n100,5000,3\n",
        "runs.csv:2: column 'fraction': 5000 is not a share between 0 and 1",
        "a count goes in a column examples",
    ),
    ("examples,fraction,loss\n100,0,3\n", "runs.csv:2: column 'fraction': 0 is not above zero", BASE_HINT),
    (
        "examples,accuracy\n100,0.4\n200,1.2\n",
        "runs.csv:3: column 'accuracy': 1.2 is above 1, and too small to tell percent",
        "write fractions (0.012)",
    ),
    (
        "examples,accuracy\n100,120\n",
        "runs.csv:2: column 'accuracy': 120 is neither a fraction nor a percentage",
        None,
    ),
    # contradictions
    (
        "examples,avg_tokens,tokens,loss\n100,32,3240,3\n",
        "runs.csv:2: column 'tokens': 3240 is not examples × avg_tokens = 100 × 32 = 3200 within 1 %",
        "tokens are unique tokens, without padding: examples × average tokens",
    ),
    (
        "examples,avg_tokens,num_tokens,epochs,loss\n100,32,6400,2,3\n",
        "runs.csv:2: column 'num_tokens': 6400 is not examples × avg_tokens = 100 × 32 = 3200 within 1 %",
        "these are the tokens of 2 epochs: use --map num_tokens=tokens_seen",
    ),
    (
        "tokens,tokens_seen,epochs,loss\n100,300,2,3\n",
        "runs.csv:2: column 'tokens_seen': 300 is not tokens × epochs = 200 within 1 %",
        None,
    ),
    (
        "examples,avg_tokens,tokens_seen,epochs,loss\n100,32,3200,2,3\n",
        "runs.csv:2: column 'tokens_seen': 1600 is not examples × avg_tokens = 100 × 32 = 3200 within 1 %",
        "tokens are unique tokens, without padding: examples × average tokens",
    ),
    (
        "examples,tokens,loss\n100,10,3\n",
        "runs.csv:2: column 'tokens': 10 is less than one token for each of 100 examples",
        None,
    ),
    (
        "examples,pool_examples,loss\n100,50,3\n",
        "runs.csv:2: column 'pool_examples': 50 is less than the 100 examples chosen from it",
        None,
    ),
    (
        "examples,pool_examples,fraction,loss\n100,1000,0.5,3\n",
        "runs.csv:2: column 'fraction': 0.5 of 1000 is 500 examples, not 100",
        None,
    ),
    (
        "examples,tokens,loss\n0,100,3\n",
        "runs.csv:2: column 'tokens': 100 contradicts the 0 in another column of this row",
        None,
    ),
    ("examples,loss\n0,3\n", "runs.csv: every run has 0 examples", "add runs that were trained"),
    (
        "group,examples,loss\na,100,3\n,200,2\n",
        "runs.csv:3: column 'group' names the series and is empty",
        "write a name there",
    ),
    (
        "model,task,examples,loss\na,x,1,3\na,y,2,3\nb,x,3,3\nb,y,4,3\n",
        "runs.csv: columns 'model' and 'task' could each name the series, and together leave one run in each",
        "choose with --by model",
    ),
    # JSONL
    (
        '{"examples": 100, "loss": 3}\n{"examples": 200,\n',
        "runs.csv:2: not a JSON object (Expecting property name enclosed in double quotes)",
        JSON_HINT,
    ),
    ("[1, 2]", "runs.csv: item 1 of its array is not a JSON object", "one object per run: [{...}, {...}]"),
    ("[]", "runs.csv: there is a header but no run below it", "write one row per finished run"),
    (
        '{\n "predict_bleu-4": 2.2,\n "predict_runtime": 610.2\n}',
        "runs.csv: a JSON object that no known tool wrote (keys predict_bleu-4, predict_runtime)",
        "a run table is CSV or JSONL with one row per finished run, or a trainer's own log",
    ),
    (
        '{\n "version": 1,\n "runs": [{"examples": 100, "loss": 3}]\n}',
        "runs.csv: a JSON object that no known tool wrote (keys version, runs): its rows are under the key runs",
        "jq -c '.runs[]'",
    ),
    ('{"examples": 1, "loss": 1}\n5\n', "runs.csv:2: not a JSON object", JSON_HINT),
    (
        '{"examples": 1, "examples": 2, "loss": 1}',
        "runs.csv:1: key 'examples' is written twice",
        "rename or remove one of them",
    ),
    ('{"examples": 1, "loss": NaN}', "runs.csv: column 'loss' is empty in every row", None),
    ('{"examples": true, "loss": 1}', "runs.csv:1: column 'examples': 'true' is not a number", COUNT_HINT),
    ('{"examples": [1], "loss": 1}', "runs.csv:1: column 'examples': '[\"1\"]' is not a number", COUNT_HINT),
    ("{}\n{}\n", "runs.csv: there is a header but no run below it", "write one row per finished run"),
]


@pytest.mark.parametrize(("content", "message", "hint"), BAD)
def test_message(read: Read, content: str, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        read(content)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert caught.value.exit_code == 2


TABLE = "rows,examples,quality,loss,tag\n5,100,3,2,a\n"
COLUMNS = "the columns are rows, examples, quality, loss, tag"
DIRECTION_HINT = "--direction max where higher is better, --direction min where lower is"


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"metric": "quality"}, "runs.csv: nothing is known about the metric 'quality'", DIRECTION_HINT),
        ({"metric": "qualty"}, f"runs.csv: no column 'qualty' for --metric; {COLUMNS}", "did you mean quality?"),
        ({"metric": "examples"}, "runs.csv: column 'examples' holds examples and cannot be the metric", None),
        (
            {"metric": "tag", "direction": "max"},
            "runs.csv:2: column 'tag': 'a' is not a number",
            NUMBER_HINT,
        ),
        ({"by": "modle"}, f"runs.csv: no column 'modle' for --by; {COLUMNS}", None),
        ({"column_map": {"rws": "examples"}}, f"runs.csv: no column 'rws' for --map; {COLUMNS}", "did you mean rows?"),
        (
            {"column_map": {"examples": "rows"}},
            "--map examples=rows: 'rows' is neither a column of a run table nor a known metric",
            "the file's column comes first: --map rows=examples",
        ),
        (
            {"column_map": {"rows": "exmaples"}},
            "--map rows=exmaples: 'exmaples' is neither a column of a run table nor a known metric",
            "did you mean examples?",
        ),
        (
            {"column_map": {"rows": "examples", "quality": "n_samples"}},
            "--map gives examples to both 'rows' and 'quality'",
            "map one of them",
        ),
    ],
)
def test_options_that_do_not_fit(read: Read, options: dict[str, Any], message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        read(TABLE, **options)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@example(b"\r\x80")
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_cause_a_traceback(read: Read, content: bytes) -> None:
    for data in (content, HEAD.encode() + content, gzip.compress(content), b"{" + content, b"\x1f\x8b" + content):
        try:
            message = f"runs.csv: {len(read(data))} runs"
        except FtplanError as error:
            message = error.message
        assert message.startswith("runs.csv")
