"""Whole pools: every form and packing gives the same counts, in any number of processes and blocks."""

from __future__ import annotations

import gzip
import importlib
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.profile import Profile
from ftplan.readers.examples import blocks, count
from ftplan.readers.examples.pool import open_pool, profiled

Rows = list[dict[str, Any]]


def chat(count: int, seed: int = 0) -> Rows:
    """Rows of OpenAI messages with long and short texts, not all of them ASCII."""
    rng = random.Random(seed)
    rows: Rows = []
    for i in range(count):
        question, answer = ("wörd " * rng.randint(1, 9), "语言 answer " * rng.randint(1, 60))
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": f"{answer}{rng.random()}"}]
        rows.append({"id": i, "messages": turns})
    return rows


def tokens(row: dict[str, Any]) -> int:
    """The estimate, counted in the plainest way."""
    texts = [turn["content"] for turn in row["messages"]]
    return -(-sum(len(text.encode()) for text in texts) // 4) + 5 * len(texts)


def jsonl(rows: Rows) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Writes a pool file and gives its path."""

    def once(content: bytes | Rows, name: str = "pool.jsonl") -> str:
        data = content if isinstance(content, bytes) else jsonl(content)
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return once


Write = Callable[..., str]
ROWS = chat(400)
EXACT = Counter(map(tokens, ROWS))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and pieces so small that rows lie across their ends."""
    monkeypatch.setattr(blocks, "BLOCK", 3000)
    monkeypatch.setattr(blocks, "PIECE", 700)


def profile(path: str, jobs: int = 1) -> Profile:
    return profiled(open_pool(path), jobs, lambda _: None)


def histogram(found: Profile) -> dict[int, int]:
    return dict(zip(found.pool.lengths.tolist(), found.pool.counts.tolist(), strict=True))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("pool.jsonl", jsonl(ROWS)),
        ("no-end.jsonl", jsonl(ROWS)[:-1]),
        ("bom.jsonl", b"\xef\xbb\xbf" + jsonl(ROWS)),
        ("crlf.jsonl", jsonl(ROWS).replace(b"\n", b"\r\n")),
        ("blank.jsonl", b"\n" + jsonl(ROWS).replace(b"\n", b"\n \n")),
        ("pool.jsonl.gz", jsonl(ROWS)),
        ("pool.json", json.dumps(ROWS).encode()),
        ("indented.json", json.dumps(ROWS, indent=1, ensure_ascii=False).encode()),
        ("pool.json.gz", json.dumps(ROWS, indent=3).encode()),
    ],
)
def test_the_histogram_is_an_exact_count_however_rows_are_written(write: Write, name: str, data: bytes) -> None:
    found = profile(write(data, name))
    assert histogram(found) == EXACT
    assert (found.rows, found.empty, found.repeated) == (400, 0, 0)
    assert found.measure.content_sha256 == profile(write(jsonl(ROWS))).measure.content_sha256


@pytest.mark.usefixtures("small_blocks")
def test_processes_and_blocks_change_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(ROWS)
    found = [profile(path), profile(path, jobs=2)]
    monkeypatch.setattr(blocks, "BLOCK", 1 << 20)
    found.append(profile(path))
    assert [histogram(f) for f in found] == [EXACT] * 3
    assert len({f.measure.content_sha256 for f in found}) == 1


def test_parquet_is_read(write: Write, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    path = str(tmp_path / "pool.parquet")
    parquet.write_table(arrow.Table.from_pylist(ROWS), path, row_group_size=64)
    found = profile(path)
    assert histogram(found) == EXACT
    assert found.measure.content_sha256 == profile(write(ROWS)).measure.content_sha256


@pytest.mark.parametrize("loads", [None, json.loads])
def test_without_the_fast_parsers_the_numbers_are_the_same(
    write: Write, monkeypatch: pytest.MonkeyPatch, loads: Callable[[bytes], Any] | None
) -> None:
    odd = {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"f": 1}]}]}
    path = write([*ROWS, odd, *ROWS])
    expected = profile(path)
    assert expected.repeated == 400
    monkeypatch.setattr(count, "plain_reader", lambda _: None)
    if loads:
        monkeypatch.setattr(count, "_loads", loads)
    found = profile(path)
    assert (found.measure, histogram(found), found.repeated) == (expected.measure, histogram(expected), 400)


def test_a_tokenizer_counts_every_text_by_itself(write: Write, tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    words.enable_truncation(3)
    path = str(tmp_path / "tokenizer.json")
    words.save(path)
    rows = [
        {"prompt": "a a b c d e", "completion": "a"},
        {"prompt": "a", "completion": ""},
        {"prompt": "", "completion": " "},
    ]
    found = profiled(open_pool(write(rows), tokenizer=path), 1, lambda _: None)
    assert histogram(found) == {8: 1, 2: 1}
    assert found.empty == 1
    assert not found.measure.estimated


def test_repeats_are_of_what_rows_say_and_not_of_how_they_are_written(write: Write) -> None:
    rows = [
        b'{"text": "a b", "id": 1}',
        b'{"id": 2, "text": "a\\u0020b"}',
        b'{"text": "a c"}',
        b'{"text": ""}',
        b'{"text": " \\n"}',
    ]
    found = profile(write(b"\n".join(rows)))
    assert (found.rows, found.empty, found.repeated) == (5, 2, 1)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("name", ["pool.jsonl", "pool.jsonl.gz"])
@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"messages": [}', "not JSON"),
        (b'{"messages": []}, {"messages": []}', "not JSON"),
        (b"[1, 2]", "[1, 2] is not an object"),
        (b'{"text": "a"}', 'no key \'messages\' in {"text": "a"}'),
        (b'{"messages": [{"role": "user", "content": 3}]}', "content is 3, not text"),
        (b'{"messages": [{"role": "user", "content": "\xff"}]}', "not JSON"),
    ],
)
def test_a_broken_row_is_named_by_its_line(write: Write, name: str, line: bytes, said: str, jobs: int) -> None:
    lines = jsonl(ROWS).split(b"\n")
    lines[250] = line
    path = write(b"\n".join(lines), name)
    with pytest.raises(InputError) as error:
        profile(path, jobs)
    assert error.value.message.startswith(f"{path}:251: ")
    assert said in error.value.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b'{"a": 1}\n', r":1: no known form of training data has the keys a"),
        (b"hello\n", r":1: not JSON"),
        (b"[]", "has no rows"),
        (b'[{"text": "a"}, {"text"', "row 2: not JSON"),
        (b"\xff\xfe{\x00", "not UTF-8"),
        (b'{"text": " "}\n', "none of 1 rows has a text"),
        (b"PAR1 and no more", "damaged Parquet|pyarrow is not installed"),
        (b"\x1f\x8b and no more", "gzip data is damaged"),
    ],
)
def test_a_file_that_is_no_pool_says_so(write: Write, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        profile(write(data))


def test_a_missing_file_and_a_pipe_say_so(tmp_path: Path, write: Write) -> None:
    write(ROWS)
    with pytest.raises(InputError, match="no such file") as error:
        profile(str(tmp_path / "pol.jsonl"))
    assert error.value.hint == f"did you mean {tmp_path / 'pool.jsonl'}?"
    for path, said in ((str(tmp_path / "none"), "no such file"), ("-", "cannot come through a pipe")):
        with pytest.raises(InputError, match=said):
            profile(path)


def test_every_usual_form_is_shown_where_a_row_has_none(write: Write) -> None:
    with pytest.raises(InputError) as error:
        profile(write(b'{"q": "a", "a": "b"}\n'))
    for key in ("messages", "conversations", "instruction", "prompt", "text"):
        assert f'{{"{key}": ' in (error.value.hint or "")


def test_a_model_named_as_a_tokenizer_says_where_its_file_is(tmp_path: Path, write: Write) -> None:
    pool = write(jsonl([{"text": "x"}]))
    for named, said in (("Qwen/Qwen2.5-0.5B", "no such file"), (str(tmp_path), "is a folder, not a file")):
        with pytest.raises(InputError, match=said) as error:
            open_pool(pool, tokenizer=named)
        assert error.value.hint == (
            "a tokenizer.json lies in the model's folder, and on the hub among the model's files: name that file"
        )
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError) as error:
        open_pool(pool, tokenizer=str(tmp_path))
    assert error.value.hint == f"--tokenizer {tmp_path / 'tokenizer.json'}"


def test_a_row_longer_than_a_block_is_one_row(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr(blocks, "PIECE", 16)
    rows = [{"text": "x" * n} for n in (4, 4000, 8, 1, 400)]
    found = profile(write(jsonl(rows)))
    assert histogram(found) == Counter(-(-len(row["text"]) // 4) + 1 for row in rows)


@pytest.mark.usefixtures("small_blocks")
def test_progress_ends_at_the_size_of_the_file(write: Write) -> None:
    for name in ("pool.jsonl", "pool.jsonl.gz"):
        path, seen = write(ROWS, name), list[int]()
        profiled(open_pool(path), 1, seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == Path(path).stat().st_size
    assert np.all(np.array(seen) > 0)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\x1bb", "a\nb"])
def test_any_name_of_a_column_is_read(tmp_path: Path, name: str) -> None:
    rows = [{"text": "word " * n, name: "beside"} for n in range(1, 6)]
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    opened = open_pool(str(path))
    assert profiled(opened, 1, lambda _: None).measure.rows == len(rows)
