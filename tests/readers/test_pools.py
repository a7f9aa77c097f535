"""A histogram of lengths, however it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ftplan.errors import InputError
from ftplan.measure import Measure
from ftplan.pool import Pool
from ftplan.presets import names
from ftplan.readers.pools import read_pool

BINS = [[10, 19, 100], [20, 20, 5]]
FILES = {
    "pool.csv": "lo,hi,examples\n10,19,100\n20,20,5\n",
    "pool.tsv": "lo\thi\texamples\n10\t19\t100\n20\t20\t5\n",
    "pool.toml": f"histogram_tokens = {BINS}\n",
    "section.toml": f"[pool]\nhistogram_tokens = {BINS}\n",
    "pool.json": json.dumps({"histogram_tokens": BINS}),
    "list.json": json.dumps(BINS),
}


def counts(pool: Pool) -> dict[int, int]:
    return dict(zip(pool.lengths.tolist(), pool.counts.tolist(), strict=True))


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_way_to_write_a_histogram(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name])
    pool = read_pool(str(path))
    assert counts(pool) == {**dict.fromkeys(range(10, 20), 10), 20: 5}
    assert (pool.name, pool.source, pool.exact, len(pool.sha256)) == (name.split(".")[0], str(path), False, 64)


def test_single_lengths_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "lengths.csv"
    path.write_text("tokens,examples\n20,2\n10,3\n")
    pool = read_pool(str(path))
    assert (counts(pool), pool.exact) == ({10: 3, 20: 2}, True)


@pytest.mark.parametrize("name", names("problems"))
def test_the_pool_of_a_shipped_problem(name: str) -> None:
    assert read_pool(name).examples > 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "length,count\n1,2\n", "the columns are length, count"),
        ("a.csv", "lo,examples\n1,2\n", "the columns are lo, examples"),
        ("a.csv", "tokens,examples\n1,two\n", "a.csv:2: column 'examples': 'two' is not a number"),
        ("a.csv", "tokens,examples\n1.5,2\n", "a.csv:2: column 'tokens': '1.5' is not a whole number"),
        ("a.csv", "tokens,examples\n", "no run below it"),
        ("a.json", "{", "a.json:1: not JSON"),
        ("a.json", '{"histogram": []}', "no list histogram_tokens"),
        ("a.json", "[1, 2]", "no list histogram_tokens"),
        ("a.json", "[[1, 2]]", "bin 1 is [1, 2]"),
        ("a.toml", "x =", "not TOML"),
        ("a.toml", "pool = 3", "no list histogram_tokens"),
    ],
)
def test_what_is_no_histogram_is_one_message(name: str, text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_pool(str(path))
    assert message in caught.value.message


def test_a_missing_file() -> None:
    with pytest.raises(InputError, match="no such file"):
        read_pool("nowhere.csv")


POOL_FILE = """\
schema_version: 1
kind: pool
name: pool.jsonl
data: {path: pool.jsonl, shape: messages, rows: 13, content_sha256: ab}
lengths: {counted_by: estimate, conversation: true, turn_tokens: 4, tokenizer: null, relative_error: 0.2}
histogram:
  tokens: [10, 20]
  examples: [7, 5]
"""


def test_a_pool_file_tells_how_its_lengths_were_counted(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text(POOL_FILE)
    pool = read_pool(str(path))
    assert counts(pool) == {10: 7, 20: 5}
    assert pool.exact
    assert pool.measure == Measure("messages", turn_tokens=4, rows=13, content_sha256="ab")
    assert pool.measure.relative_error == 0.2
    path.write_text(json.dumps(yaml.safe_load(POOL_FILE)))
    assert read_pool(str(path)).measure == pool.measure
    # the digest is of the lengths alone, as for any other histogram
    other = tmp_path / "lengths.csv"
    other.write_text("tokens,examples\n10,7\n20,5\n")
    assert read_pool(str(other)).sha256 == pool.sha256


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[7, 5]", "[7]", "histogram has 2 lengths and 1 numbers of examples"),
        ("turn_tokens: 4, ", "", "key 'lengths.turn_tokens' is missing"),
        ("[10, 20]", "[10, x]", "histogram.tokens[1]: 'x' is not a whole number"),
    ],
)
def test_a_damaged_pool_file_says_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text(POOL_FILE.replace(old, new))
    with pytest.raises(InputError) as error:
        read_pool(str(path))
    assert error.value.message == f"{path}: {said}"


def test_a_histogram_from_a_spreadsheet_and_what_was_mended(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text('Lengths of our rows\ntokens,examples\n"1,000","2,000"\n500,1k\n')
    pool = read_pool(str(path))
    assert (pool.lengths.tolist(), pool.counts.tolist()) == ([500, 1000], [1000, 2000])
    assert pool.repairs == (
        "the header stands on line 2, below 1 line of title",
        "column 'tokens': commas between thousands (line 3: '1,000' is 1000)",
        "column 'examples': commas between thousands (line 3: '2,000' is 2000)",
        "column 'examples': k for thousands (line 4: '1k' is 1000)",
    )
