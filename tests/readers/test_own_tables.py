"""Tables as people keep them in spreadsheets: gaps, commas, percent signs, titles; every repair is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.readers.cells import Quantity, comma_of, plain
from ftplan.readers.numbers import CellError
from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable

Read = Callable[..., RunTable]

HEAD = "run,examples,avg_tokens,tokens,epochs,params,method,seed,loss"
ROWS = [
    ["a", "100", "50", "", "1", "1B", "random", "1", "3.0"],
    ["b", "200", "50", "", "1", "1B", "random", "2", "2.8"],
    ["c", "400", "50", "", "1", "1B", "random", "3", "2.6"],
    ["d", "800", "50", "", "2", "1B", "less", "4", "2.4"],
    ["e", "1600", "50", "", "1", "1B", "less", "5", "2.2"],
]


def table(column: str, cell: str = "", line: int = 4) -> str:
    """The rows with one cell changed."""
    rows = [list(row) for row in ROWS]
    rows[line - 2][HEAD.split(",").index(column)] = cell
    return "\n".join([HEAD, *map(",".join, rows)]) + "\n"


@pytest.mark.parametrize("cell", ["", "N/A", "-", "n.a.", "#DIV/0!", "?"])
@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("examples", "neither examples nor tokens"),
        ("avg_tokens", "no avg_tokens, and the data of the others are counted in tokens"),
        ("epochs", "no number of epochs (epochs)"),
        ("params", "no size of its model (params)"),
        ("loss", "no loss"),
    ],
)
def test_a_single_gap_leaves_its_row_out(read: Read, column: str, why: str, cell: str) -> None:
    found = read(table(column, cell))
    assert found.names == ("a", "b", "d", "e")
    assert found.notes[-1] == f"left out line 4 (1 of 5 runs): {why}"
    assert found.data_unit == "tokens"
    assert any("read as empty (line 4" in note for note in found.notes) == bool(cell)


def test_a_gap_in_the_method_where_random_is_named(read: Read) -> None:
    found = read(table("method"))
    assert found.notes[-1] == "left out line 4 (1 of 5 runs): no method (method), and random is named elsewhere"


def test_a_gap_that_nothing_needs(read: Read) -> None:
    """A run without a seed is one more run; tokens follow from examples and their length."""
    found = read(table("seed"))
    assert (len(found), bool(np.isnan(found.seed[2]))) == (5, True)
    assert not any("left out" in note for note in found.notes)


def test_a_gap_that_another_column_fills(read: Read) -> None:
    found = read("examples,avg_tokens,tokens,loss\n100,50,5000,3\n200,,10000,2.8\n,50,20000,2.6\n800,50,,2.4\n")
    assert found.examples.tolist() == [100, 200, 400, 800]
    assert found.avg_tokens.tolist() == [50] * 4
    assert not any("left out" in note for note in found.notes)


def test_gaps_in_most_rows_have_their_usual_meaning(read: Read) -> None:
    found = read("examples,avg_tokens,epochs,loss\n100,50,,3\n200,,,2.8\n400,,,2.6\n800,,2,2.4\n")
    assert (found.epochs.tolist(), found.data_unit) == ([1, 1, 1, 2], "examples")


def test_a_chosen_run_without_its_pool(read: Read) -> None:
    rows = "100,less,1000,3\n200,less,,2.8\n400,less,1000,2.6\n400,random,,2.9\n"
    found = read(f"examples,method,pool_examples,loss\n{rows}")
    assert found.examples.tolist() == [100, 400, 400]
    assert "left out line 3 (1 of 4 runs): no pool_examples: what a method is worth depends on it" in found.notes


def test_a_gap_in_the_series(read: Read) -> None:
    found = read("group,examples,loss\nx,100,3\nx,200,2.8\n,400,2.6\ny,100,2.9\ny,200,2.7\n")
    assert (len(found), found.groups) == (4, ("x", "y"))
    assert found.notes[-1] == "left out line 4 (1 of 5 runs): no group, which names the series"


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        ('"1,000"', 1000, "commas between thousands"),
        ("1 000", 1000, "spaces between thousands"),
        ("1\u202f000", 1000, "spaces between thousands"),
        ("1'000", 1000, "spaces between thousands"),
        ("12k", 12000, "k for thousands"),
        ("1.2 M", 1.2e6, "M for millions"),
        ("1.2e5", 1.2e5, ""),
        ("1000 rows", 1000, "a word after it"),
        ("~1000", 1000, "about so many, taken as it stands"),
        ("1.500", 1500, "points between thousands"),
        ('"1,234,567"', 1234567, "commas between thousands"),
        ("1.234.567", 1234567, "points between thousands"),
        ("1000*", 1000, "a mark beside it is not used"),
    ],
)
def test_counts_as_written(read: Read, cell: str, value: float, said: str) -> None:
    found = read(f"examples,loss\n{cell},3\n50,4\n")
    assert found.examples.tolist() == [value, 50]
    assert [note.split(": ")[1].split(" (")[0] for note in found.notes] == ([said] if said else [])


@pytest.mark.parametrize(
    ("column", "cells", "values"),
    [
        ("accuracy", ["41.5%", "44.9 %"], [41.5, 44.9]),
        ("accuracy", ["41.5%", "0.449"], [41.5, 44.9]),
        ("accuracy", ["0.8%", "1.2%"], [0.008, 0.012]),
        ("accuracy (%)", ["41.5", "44.9"], [41.5, 44.9]),
        ("loss", ['"1,412"', '"1,361"'], [1.412, 1.361]),  # no loss is 1412 nats
        ("loss", ['"1,4"', '"1,36"'], [1.4, 1.36]),
        ("ppl", ['"1,412"', '"4,36"'], [1.412, 4.36]),  # the other cell tells
        ("ppl", ['"1,412"', "4.36"], [1412, 4.36]),
        ("loss", ["1.41 ± 0.02", "1.36 (best)"], [1.41, 1.36]),
        ("loss", ["**1.41**", "'1.36"], [1.41, 1.36]),
    ],
)
def test_results_as_written(read: Read, column: str, cells: list[str], values: list[float]) -> None:
    found = read(f"examples,{column}\n100,{cells[0]}\n200,{cells[1]}\n")
    assert found.value.tolist() == pytest.approx(values)


def test_semicolons_stand_beside_decimal_commas(read: Read) -> None:
    found = read("sep=;\nexamples;avg_tokens;ppl\n1.000;412,5;1,412\n16.000;1.024;1,361\n")
    assert found.examples.tolist() == [1000, 16000]
    assert found.avg_tokens.tolist() == [412.5, 1024]
    assert found.value.tolist() == [1.412, 1.361]


@pytest.mark.parametrize(
    ("header", "cell", "column", "value"),
    [
        ("tokens (M)", "1.5", "tokens", 1.5e6),
        ("Tokens [k]", "1.5", "tokens", 1500),
        ("tokens_millions", "2", "tokens", 2e6),
        ("# examples", "100", "examples", 100),
        ("Number of training examples", "100", "examples", 100),
    ],
)
def test_units_in_the_header(read: Read, header: str, cell: str, column: str, value: float) -> None:
    found = read(f"{header},loss\n{cell},3\n")
    assert getattr(found, column).tolist() == [value]


def test_a_size_with_a_suffix_under_a_header_in_billions(read: Read) -> None:
    found = read("params (B),examples,loss\n1.54,10,3\n7B,20,2\n0.494,30,2\n")
    assert found.model_params.tolist() == [1.54e9, 7e9, 0.494e9]
    assert (
        "column 'params (B)': times 1,000,000,000, as its header says (every line: '1.54' is 1540000000)" in found.notes
    )


def test_what_a_header_says_beside_the_unit_stays_a_part_of_the_name(read: Read) -> None:
    with pytest.raises(InputError, match="no column for the number of examples or tokens"):
        read("tokens (padded),loss\n1,3\n")


def test_a_title_totals_and_remarks_are_no_runs(read: Read) -> None:
    runs = "run,examples,loss\na,100,3\nb,200,2.5\nrun,examples,loss\nc,300,2.2\n"
    found = read(f"My runs\n,,\n{runs}* rerun in May,,\nmean,200,2.57\n")
    assert found.names == ("a", "b", "c")
    assert found.notes == (
        "the header stands on line 3, below 1 line of title",
        "line 6 is the header again: left out",
        "line 8 holds a remark and no run ('* rerun in May'): left out",
        "line 9 is a mean of others and no run: left out",
    )


def test_models_with_a_size_each_are_one_series(read: Read) -> None:
    rows = [f"m{size},{size}B,{n},3" for size in (1, 3, 7) for n in (10, 20)]
    found = read("\n".join(["model,params,examples,loss", *rows]))
    assert (found.groups, sorted(set(found.model_params.tolist()))) == (("",), [1e9, 3e9, 7e9])
    assert any(note.startswith("model says what params does: one series over the sizes") for note in found.notes)
    assert read("\n".join(["model,params,examples,loss", *rows]), by="model").groups == ("m1", "m3", "m7")
    # two models of one size, or only two sizes: the name tells more than the size
    other = [*rows, *(f"n7,7B,{n},2" for n in (10, 20))]
    assert len(read("\n".join(["model,params,examples,loss", *other])).groups) == 4
    assert len(read("\n".join(["model,params,examples,loss", *rows[:4]])).groups) == 2


def test_a_benchmark_is_a_percentage_and_higher_is_better(read: Read) -> None:
    metric = read("examples,MMLU 5-shot\n10,40\n20,42\n").metric
    assert (metric.direction, metric.unit) == ("max", "percent")


@pytest.mark.parametrize("text", ["1,412", "16.000"])
def test_two_readings_are_refused_where_nothing_tells(text: str) -> None:
    with pytest.raises(CellError, match="could be"):
        plain(text, Quantity(items=True, whole=text.endswith("000")), None)


def test_what_commas_are_is_told_by_cells_that_can_mean_one_thing() -> None:
    assert comma_of(["1,5", "1,500"]) == "decimals"
    assert comma_of(["1.5", "1,500"]) == "thousands"
    assert comma_of(["1,5", "1.5"]) is None
    assert comma_of(["1,500", "x"]) is None


def test_a_typo_is_left_out_and_named(read: Read) -> None:
    rows = [f"{n},{3.0 * n**-0.2:.4f}" for n in (500, 1000, 2000, 4000, 8000, 16000)]
    rows[3] = "4000,5.7097"
    found = read("\n".join(["examples,loss", *rows]))
    assert len(found) == 5
    assert found.repairs == found.notes[-1:]
    assert found.notes[-1].startswith("line 5: loss 5.7097 does not go with the other runs, which say about ")
    assert found.notes[-1].endswith("; 0.57097 with its decimal point moved would: left out")


@pytest.mark.parametrize(
    ("row", "examples", "length"),
    [("1,000,400,2.5", 1000, 400), ("16,000,1,024,2.5", 16000, 1024), ("1,000,000,50,2.5", 10**6, 50)],
)
def test_commas_without_quotes_that_fit_one_way(read: Read, row: str, examples: int, length: int) -> None:
    found = read(f"examples,avg_tokens,loss\n500,400,3\n{row}\n")
    assert (found.examples[1], found.avg_tokens[1], found.value[1]) == (examples, length, 2.5)
    assert found.repairs[0].startswith("line 3: 1")
    assert found.repairs[0].endswith("without quotes read as one number")


def test_what_spreadsheets_of_other_countries_write(read: Read) -> None:
    rows = [
        "examples,loss",
        '"1,00,000",2.0*',
        '"2,00,000",1.9¹',
        '"4,00,000",1.8 [1]',
        '"8,00,000",#NV',
        '"9,00,000",k. A.',
    ]
    table = read("\n".join(rows) + "\n")
    assert table.examples.tolist() == [1e5, 2e5, 4e5]
    assert table.value.tolist() == [2.0, 1.9, 1.8]
    assert len(table.repairs) == 5


def test_a_line_of_units_is_no_run(read: Read) -> None:
    table = read("examples,avg_tokens,loss\n#,tokens,nats\n1000,200,2.0\n2000,200,1.9\n")
    assert table.examples.tolist() == [1000.0, 2000.0]
    assert table.repairs == ("line 2 names units (#, tokens, nats) and is no run: left out",)
    with pytest.raises(InputError):  # thousands change the numbers
        read("examples,avg_tokens,loss\nk,tokens,nats\n1,200,2.0\n2,200,1.9\n")


@pytest.mark.parametrize(("encoding", "said"), [("cp1252", "Windows-1252"), ("utf-16", "UTF-16"), ("utf-8-sig", "")])
def test_encodings_of_spreadsheets(encoding: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "läufe.csv"
    path.write_bytes("run;examples;loss;Größe\na;1.000;2,0;groß\nb;2.000;1,9;\n".encode(encoding))
    table = read_runs(str(path))
    assert table.examples.tolist() == [1000.0, 2000.0]
    assert any(said in text for text in table.repairs) or not said


def test_a_share_among_percentages_is_said(read: Read) -> None:
    rows = [f"{100 * i},{v}" for i, v in enumerate((0.5, 0.55, 58, 60, 62, 64), start=1)]
    table = read("\n".join(["examples,accuracy", *rows]) + "\n")
    assert table.repairs == (
        "lines 2, 3: accuracy 0.5 is taken for 0.5 %, since the others are percentages; if it is a share, write 50",
    )
    assert not read("examples,accuracy\n0,0.9\n100,1.4\n200,2.0\n").repairs


def test_a_length_that_stands_alone_is_said(read: Read) -> None:
    rows = [f"{1000 * 2**i},{20000 if i == 2 else 200},{2 - i / 10}" for i in range(7)]
    table = read("\n".join(["examples,avg_tokens,loss", *rows]) + "\n")
    assert table.repairs == (
        "line 4: 20,000 tokens each, where the other runs have about 200: kept, but check it, for it alone tells what "
        "length does",
    )


def test_a_run_that_is_written_twice_counts_once(read: Read) -> None:
    table = read("run,examples,loss\na,1000,2.1\na,1000,2.1\na,1000,2.2\nb,2000,2.0\n")
    assert table.value.tolist() == [2.1, 2.2, 2.0]
    assert table.repairs == ("line 3: the same as an earlier line, name and all: left out",)
    assert len(read("examples,accuracy\n1000,0.4\n1000,0.4\n2000,0.5\n")) == 3  # two seeds, perhaps


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        ("train_loss,train_accuracy", "add a column eval_loss, measured on data that the run was not trained on"),
        ("best_eval_loss,final_eval_loss", "--metric final_eval_loss"),
        ("train_loss,mmlu,gsm8k", "--metric mmlu"),
    ],
)
def test_hints_of_metrics_are_held_out_and_last(columns: str, hint: str, read: Read) -> None:
    cells = ",0.4" * len(columns.split(","))
    with pytest.raises(InputError) as caught:
        read(f"examples,{columns}\n1000{cells}\n2000{cells}\n")
    assert caught.value.hint == hint
