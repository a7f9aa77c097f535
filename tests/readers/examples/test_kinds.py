"""Kinds of rows that people have, each with what counts of it and what is only named, recounted in the plainest way.

The rows were first written by datasets 5.2 and pandas 3.1, and look as they wrote them.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import json
import lzma
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ftplan.errors import InputError
from ftplan.profile import Profile
from ftplan.readers.examples.pool import PoolRows, open_pool, profiled

Q, A, C, R = "Name a river, please.", 'The Rhine, "Rhein" in German; 莱茵河.', "In Europe\nit is.", "No, sorry."
USER, ANSWER = {"role": "user", "content": Q}, {"role": "assistant", "content": A}
CHAT = [USER, ANSWER]
HUMAN, GPT = {"from": "human", "value": Q}, {"from": "gpt", "value": A}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"city": {"type": "string"}}}}}


@dataclass(frozen=True)
class Kind:
    """A row; texts: those that count, a turn each; named: what is named instead; columns, shape: as the user says."""

    row: dict[str, Any]
    texts: list[str]
    named: tuple[str, ...] = ()
    chat: bool = True
    columns: tuple[tuple[str, str], ...] = ()
    shape: str = ""


def call(arguments: Any, **beside: Any) -> dict[str, Any]:
    return {"type": "function", **beside, "function": {"name": "f", "arguments": arguments}}


CALL = '{"name": "f", "arguments": {"city": "Bonn"}}'
KINDS = {
    "TRL language modelling": Kind({"text": A}, [A], chat=False),
    "TRL prompt and completion": Kind({"prompt": Q, "completion": A}, [Q, A], chat=False),
    "TRL prompt and completion as messages": Kind({"prompt": [USER], "completion": [ANSWER]}, [Q, A]),
    "TRL preference": Kind({"prompt": Q, "chosen": A, "rejected": R}, [Q, A], ("rejected",), chat=False),
    "TRL preference as messages": Kind(
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [{"role": "assistant", "content": R}]}, [Q, A], ("rejected",)
    ),
    "TRL preference, prompt inside": Kind({"chosen": CHAT, "rejected": [USER]}, [Q, A], ("rejected",)),
    "TRL unpaired preference": Kind({"prompt": Q, "completion": A, "label": True}, [Q, A], chat=False),
    "UltraFeedback": Kind(
        {"prompt": Q, "prompt_id": "ab1", "chosen": CHAT, "rejected": CHAT, "messages": CHAT, "score_chosen": 8.5},
        [Q, A],
        ("chosen", "rejected", "prompt", "prompt_id"),
    ),
    "HH-RLHF": Kind(
        {"chosen": f"Human: {Q} Assistant: {A}", "rejected": R}, [f"Human: {Q} Assistant: {A}"], ("rejected",)
    ),
    "LLaMA-Factory preference": Kind({"conversations": [HUMAN], "chosen": GPT, "rejected": GPT}, [Q, A], ("rejected",)),
    "LLaMA-Factory preference, Alpaca": Kind(
        {"instruction": Q, "input": C, "chosen": A, "rejected": R}, [f"{Q}\n{C}", A], ("rejected",)
    ),
    "ms-swift preference": Kind({"messages": CHAT, "rejected_response": R}, [Q, A], ("rejected_response",)),
    "OpenAI preference": Kind(
        {
            "input": {"messages": [USER], "tools": [TOOL]},
            "preferred_output": [ANSWER],
            "non_preferred_output": [ANSWER],
        },
        [Q, json.dumps([TOOL]), A],
        ("non_preferred_output",),
    ),
    "OpenAI fine-tuning": Kind(
        {
            "messages": [USER, {"role": "assistant", "weight": 0, "tool_calls": [call('{"city": "Bonn"}', id="c1")]}],
            "tools": [TOOL],
            "parallel_tool_calls": False,
        },
        [Q, CALL, json.dumps([TOOL])],
    ),
    "OpenAI functions": Kind({"messages": CHAT, "functions": [TOOL]}, [Q, A, json.dumps([TOOL])]),
    "answer of a tool": Kind(
        {"messages": [USER, {"role": "tool", "tool_call_id": "c1", "name": "f", "content": C}]},
        [Q, C],
        ("messages[].name", "messages[].tool_call_id"),
    ),
    "calls with arguments as objects": Kind(
        {
            "messages": [
                USER,
                {"role": "assistant", "content": "", "tool_calls": [call({"city": "Bonn", "days": None})]},
            ]
        },
        [Q, CALL],
    ),
    "calls as JSON": Kind({"messages": [USER, {"role": "assistant", "tool_calls": f"[{CALL}]"}]}, [Q, f"[{CALL}]"]),
    "tools of Arrow": Kind({"messages": CHAT, "tools": [{**TOOL, "strict": None}]}, [Q, A, json.dumps([TOOL])]),
    "tools as JSON": Kind({"messages": CHAT, "tools": json.dumps([TOOL])}, [Q, A, json.dumps([TOOL])]),
    "tools in a message": Kind(
        {"messages": [{"role": "system", "content": "", "tools": [TOOL]}, *CHAT]}, [json.dumps([TOOL]), Q, A]
    ),
    "reasoning_content": Kind({"messages": [USER, {**ANSWER, "reasoning_content": C}]}, [Q, f"{C}\n{A}"]),
    "thinking": Kind({"messages": [USER, {**ANSWER, "thinking": C}]}, [Q, f"{C}\n{A}"]),
    "reasoning in a column": Kind({"messages": CHAT, "reasoning": C}, [Q, A], ("reasoning",)),
    "Anthropic": Kind(
        {
            "system": "Be kind.",
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": C, "signature": "abc"},
                        {"type": "tool_use", "id": "t1", "name": "f", "input": {"city": "Bonn"}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": A}]},
            ],
        },
        ["Be kind.", Q, f'{C}\n{{"name": "f", "input": {{"city": "Bonn"}}}}', A],
        ("messages[].content[].signature", "messages[].content[].id", "messages[].content[].tool_use_id"),
    ),
    "images in parts": Kind(
        {
            "messages": [
                {"role": "user", "content": [{"type": "image", "text": None}, {"type": "text", "text": Q}]},
                ANSWER,
            ],
            "images": ["a.png"],
        },
        [Q, A],
        ("images", "messages[].content[].image"),
    ),
    "sound in parts": Kind(
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "QUJD"}}]}, ANSWER]},
        ["", A],
        ("messages[].content[].input_audio",),
    ),
    "images of datasets": Kind(
        {"image": {"bytes": "QUJD", "path": None}, "prompt": Q, "response": A}, [Q, A], ("image",)
    ),
    "LLaMA-Factory v1": Kind(
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "value": Q}]},
                {"role": "assistant", "content": [{"type": "reasoning", "value": C}, {"type": "text", "value": A}]},
            ]
        },
        [Q, f"{C}\n{A}"],
    ),
    "ShareGPT": Kind({"id": "identity_0", "conversations": [HUMAN, GPT]}, [Q, A], ("id",)),
    "ShareGPT with tools": Kind(
        {
            "conversations": [
                HUMAN,
                {"from": "function_call", "value": CALL},
                {"from": "observation", "value": C},
                GPT,
            ],
            "system": "Be kind.",
            "tools": json.dumps([TOOL]),
        },
        ["Be kind.", json.dumps([TOOL]), Q, CALL, C, A],
    ),
    "ShareGPT with OpenAI's names": Kind({"conversations": CHAT}, [Q, A]),
    "LLaVA": Kind({"image": "a.jpg", "conversations": [HUMAN, GPT]}, [Q, A], ("image",)),
    "pairs of turns": Kind({"conversation": [{"human": Q, "assistant": A, "system": "S."}]}, ["S.", Q, A]),
    "XTuner": Kind({"conversation": [{"system": "S.", "input": Q, "output": A}]}, ["S.", Q, A]),
    "Alpaca": Kind({"instruction": Q, "input": C, "output": A}, [f"{Q}\n{C}", A]),
    "Alpaca with text": Kind({"instruction": Q, "input": "", "output": A, "text": f"{Q} {A}"}, [Q, A], ("text",)),
    "Alpaca with history": Kind(
        {"instruction": Q, "output": A, "history": [[C, R]], "system": "S."}, ["S.", C, R, Q, A]
    ),
    "Dolly": Kind({"instruction": Q, "context": C, "response": A, "category": "qa"}, [f"{Q}\n{C}", A], ("category",)),
    "ms-swift query": Kind({"query": Q, "response": A, "history": [[C, R]]}, [C, R, Q, A]),
    "OpenOrca": Kind({"id": "x.1", "system_prompt": "S.", "question": Q, "response": A}, ["S.", Q, A], ("id",)),
    "GSM8K": Kind({"question": Q, "answer": A}, [Q, A]),
    "input and output": Kind({"input": Q, "output": A}, [Q, A]),
    "FLAN": Kind({"inputs": Q, "targets": A, "task": "t"}, [Q, A], ("task",)),
    "spreadsheet": Kind({"Instruction": Q, "Response": A, "Date": "2024-01-01"}, [Q, A]),
    "NuminaMath": Kind({"problem": Q, "solution": A, "messages": CHAT}, [Q, A], ("problem", "solution")),
    "mapped": Kind(
        {"frage": Q, "antwort": A, "id": 3},
        [Q, A],
        chat=False,
        columns=(("frage", "prompt"), ("antwort", "completion")),
    ),
    "mapped over its own column": Kind(
        {"instruction": C, "query": Q, "output": A}, [Q, A], ("instruction",), columns=(("query", "instruction"),)
    ),
    "the second form": Kind(
        {"messages": CHAT, "text": C, "prompt": R, "completion": R},
        [Q, A],
        ("prompt", "completion", "text"),
        shape="messages",
    ),
    "nested": Kind({"text": A, "meta": {"from": {"site": "example"}, "n": [1, 2]}}, [A], ("meta",), chat=False),
}


def length(kind: Kind) -> int:
    size = sum(len(text.encode()) for text in kind.texts)
    return -(-size // 4) + (5 * len(kind.texts) if kind.chat else 1)


def counted(*paths: Path, kind: Kind | None = None) -> Profile:
    rows = PoolRows(kind.shape, dict(kind.columns)) if kind else None
    return profiled(open_pool(*map(str, paths), rows=rows), 1, lambda _: None)


def histogram(found: Profile) -> dict[int, int]:
    return dict(zip(found.pool.lengths.tolist(), found.pool.counts.tolist(), strict=True))


@pytest.mark.parametrize("name", KINDS)
def test_a_row_is_counted_and_the_rest_of_it_named(tmp_path: Path, name: str) -> None:
    kind, path = KINDS[name], tmp_path / "pool.jsonl"
    path.write_text((json.dumps(kind.row, ensure_ascii=False) + "\n") * 3)
    found = counted(path, kind=kind)
    assert histogram(found) == {length(kind): 3}
    assert {where: what.rows for where, what in found.uncounted.items()} == dict.fromkeys(kind.named, 3)


@pytest.mark.parametrize("name", KINDS)
def test_columns_that_only_some_rows_have_are_named_with_their_share(tmp_path: Path, name: str) -> None:
    kind, path = KINDS[name], tmp_path / "pool.jsonl"
    odd = {**kind.row, "remark": "some words", "marks": [{"by": "me"}], "photos": None, "empty": ""}
    rows = [kind.row, kind.row, odd, kind.row]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = counted(path, kind=kind)
    assert histogram(found) == {length(kind): 4}
    shares = {**dict.fromkeys(kind.named, 4), "remark": 1, "marks": 1}
    assert {where: what.rows for where, what in found.uncounted.items()} == shares
    assert found.uncounted["remark"].bytes == len("some words")


@pytest.mark.parametrize("name", KINDS)
def test_parquet_with_the_columns_of_all_kinds_counts_the_same(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    kind = KINDS[name]
    rows = [{**kind.row, "later": None}, {**kind.row, "later": "word"}]
    try:
        table = arrow.Table.from_pylist(rows)
    except arrow.ArrowInvalid:
        pytest.skip("Arrow has no column for texts and lists in one")
    parquet.write_table(table, tmp_path / "pool.parquet")
    found = counted(tmp_path / "pool.parquet", kind=kind)
    assert histogram(found) == {length(kind): 2}
    assert {w: u.rows for w, u in found.uncounted.items()} == {**dict.fromkeys(kind.named, 2), "later": 1}


def test_a_union_with_null_columns_counts_one_form_and_names_the_other(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    rows = [{"messages": CHAT, "text": None}] * 3 + [{"messages": None, "text": A}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = counted(path)
    assert (found.measure.shape, found.rows, found.empty) == ("messages", 4, 1)
    assert found.others == ("text",)
    assert found.uncounted["text"].rows == 1


CHATS = [{"messages": [USER, {"role": "assistant", "content": f"{A} {i}"}], "n": i} for i in range(30)]
LINES = "".join(json.dumps(row) + "\n" for row in CHATS).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("pool.jsonl.gz", gzip.compress(LINES)),
        ("pool.jsonl.xz", lzma.compress(LINES)),
        ("pool.jsonl.bz2", bz2.compress(LINES)),
        ("indented.json", json.dumps(CHATS, indent=2).encode()),
        ("under_a_key.json", json.dumps({"version": 1, "info": {"by": ["x"]}, "data": CHATS}, indent=2).encode()),
        ("one_line.json", json.dumps({"version": 1.25, "data": CHATS, "n": 30}).encode()),
        ("under_a_key.json.xz", lzma.compress(json.dumps({"rows": CHATS}).encode())),
        ("one_after_the_other.json", "\n".join(json.dumps(row, indent=2) for row in CHATS).encode()),
    ],
)
def test_files_of_every_kind_count_the_same(
    tmp_path: Path, name: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "plain.jsonl").write_bytes(LINES)
    plain = counted(tmp_path / "plain.jsonl")
    for size in (1 << 20, 300):
        monkeypatch.setattr("ftplan.readers.examples.blocks.BLOCK", size)
        if size > 300 or name != "one_line.json":  # what is one line is known by its first block
            assert counted(tmp_path / name).measure == plain.measure


def test_zstandard_and_arrow_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    arrow, ipc = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.ipc")
    (tmp_path / "plain.jsonl").write_bytes(LINES)
    with arrow.CompressedOutputStream(str(tmp_path / "pool.jsonl.zst"), "zstd") as file:
        file.write(LINES)
    table = arrow.Table.from_pylist(CHATS)
    with ipc.new_stream(str(tmp_path / "stream.arrow"), table.schema) as writer:
        writer.write_table(table)
    with ipc.new_file(str(tmp_path / "file.arrow"), table.schema) as writer:
        writer.write_table(table)
    plain = counted(tmp_path / "plain.jsonl")
    for name in ("pool.jsonl.zst", "stream.arrow", "file.arrow"):
        assert counted(tmp_path / name).measure == plain.measure


@pytest.mark.parametrize(
    ("name", "delimiter"), [("pool.csv", ","), ("pool.tsv", "\t"), ("pool.csv", ";"), ("x.txt", ",")]
)
def test_sheets_are_read_with_conversations_in_their_cells(tmp_path: Path, name: str, delimiter: str) -> None:
    path = tmp_path / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["", "question", "answer", "note"])
        writer.writerows([[i, Q, A, "" if i else "seen"] for i in range(3)])
    found = counted(path)
    assert histogram(found) == {length(KINDS["GSM8K"]): 3}
    assert {where: what.rows for where, what in found.uncounted.items()} == {"note": 1}
    for cell in (json.dumps(CHAT), repr(CHAT)):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter).writerows([["id", "messages"], [1, cell]])
        assert histogram(counted(path)) == {length(KINDS["ShareGPT with OpenAI's names"]): 1}


def test_files_and_folders_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    for i in range(3):
        (folder / f"part-{i}.jsonl").write_text(json.dumps({"text": "word " * (i + 1)}) + "\n")
    (folder / "dataset_info.json").write_text("{}")
    (folder / "README.md").write_text("# Rows")
    found, named = counted(folder), counted(*sorted(folder.glob("*.jsonl")))
    assert found.measure == named.measure
    assert found.rows == 3
    (folder / "part-1.jsonl").write_text('{"text": "a"}\n{"text": 3}\n')
    with pytest.raises(InputError, match=r"part-1\.jsonl:2: text is 3, not text"):
        counted(folder)
    with pytest.raises(InputError, match="is named twice"):
        open_pool(str(folder), str(folder / "part-0.jsonl"))
    with pytest.raises(InputError, match="a folder without a file of rows") as error:
        open_pool(str(tmp_path))
    assert error.value.hint == f"{folder} has some"


def test_a_column_that_is_empty_so_far_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text(f"instruction,output\n{Q.replace(',', '')},\n")
    found = counted(path)
    assert (found.measure.shape, histogram(found)) == ("alpaca", {-(-(len(Q) - 1) // 4) + 10: 1})


def test_a_broken_row_is_told_by_the_files_own_names(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"question": "a", "answer": "b"}\n{"question": "a", "answer": 2}\n{"question": "a"}\n')
    with pytest.raises(InputError, match=r"pool\.jsonl:2: answer is 2, not text"):
        counted(path)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (POINTER, "is a Git LFS pointer, not the data"),
        (b"<!DOCTYPE html>\n<html></html>", "is a web page"),
        (
            json.dumps({"train": CHATS, "test": CHATS}, indent=1).encode(),
            "there are rows under the keys train and test",
        ),
        (b'{"instruction": {"0": "a"}, "output": {"0": "b"}}', "one object with a table's columns"),
        (b'{"instruction": ["a", "b"], "output": ["c", "d"]}', "one object with a table's columns"),
        (b"question,answer\na,b,c\n", "row 1: 3 cells, and the header has 2 columns"),
        (b"question,question,answer\na,b,c\n", "duplicate column 'question'"),
        (b'question,answer\na,"b\n', "row 1: the quoting is broken"),
        (lzma.compress(LINES)[:-40], "the xz data is damaged or cut short"),
        (bz2.compress(LINES)[:-40], "the bzip2 data is damaged or cut short"),
    ],
)
def test_what_is_no_pool_says_what_it_is(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        counted(path)


def test_a_pointer_is_no_table_either(tmp_path: Path) -> None:
    from ftplan.readers.source import read_bytes

    (tmp_path / "runs.csv").write_bytes(POINTER)
    with pytest.raises(InputError, match="is a Git LFS pointer"):
        read_bytes(str(tmp_path / "runs.csv"))


def test_not_a_number_in_a_column_that_is_not_read_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"text": "a b", "score": 0.5}\n{"text": "a b", "score": NaN}\n{"text": "a", "x": -Infinity}\n')
    assert counted(path).rows == 3


CASES = Path(__file__).parents[4] / "shared" / "cases"
#: tokens of each row, as right.txt says them, and what is named
RIGHT = {
    "07-preference-rows-without-their-answers/input.jsonl": (264, "rejected"),
    "08-alpaca-history-not-counted/input.json": (254, ""),
    "09-reasoning-content-not-counted/input.jsonl": (265, ""),
    "09-reasoning-content-not-counted/input_thinking.jsonl": (265, ""),
    "10-tool-calls-inside-conversations-not-counted/input.jsonl": (310, ""),
    "12-two-forms-in-one-row/input.jsonl": (271, "instruction, output"),
    "12-two-forms-in-one-row/input_prompt.jsonl": (12, "messages"),
    "20-pool-as-csv/input.csv": (16, ""),
    "26-usual-forms-of-rows-refused/input_chosen.jsonl": (7, "rejected"),
    "26-usual-forms-of-rows-refused/input_conversation.jsonl": (16, ""),
    "26-usual-forms-of-rows-refused/input_dolly.jsonl": (16, ""),
    "26-usual-forms-of-rows-refused/input_query.jsonl": (16, ""),
    "26-usual-forms-of-rows-refused/input_value_parts.jsonl": (18, ""),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_cases_have_their_right_answers(name: str) -> None:
    path = CASES / name
    if not path.exists():
        pytest.skip("the cases lie beside the repository")
    found, (tokens, named) = counted(path), RIGHT[name]
    assert abs(found.pool.mean - tokens) <= 1
    assert ", ".join(found.uncounted) == named


def test_counters_add_up(tmp_path: Path) -> None:
    rows = [kind.row for name, kind in KINDS.items() if name.startswith("ShareGPT")]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = Counter(length(kind) for name, kind in KINDS.items() if name.startswith("ShareGPT"))
    assert histogram(counted(path)) == expected


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ({"instruction": "a long text"}, "--map instruction=text counts that alone"),
        ({"prompt": "a", "rejected": "b"}, "a row is one of"),
        ({"context": "a long text", "question": "what", "answers": {"text": ["x"]}}, "a row is one of"),
        ({"question": "what", "choices": ["a", "b"], "answer": 1}, "such rows look like"),
    ],
)
def test_hints_name_what_can_be_trained_on(row: dict[str, object], hint: str, tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError) as caught:
        counted(path)
    assert (caught.value.hint or "").startswith(hint)
