"""`profile` and `apply` from the command line: a pool to a pool file to a plan to the rows to train on."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftplan.cli import app
from tests.cli.conftest import Run, interruptible

#: a shipped problem on a borrowed law, which needs no fit
RANDOM = ("lora-8b", "--methods", "random")


def rows(count: int) -> list[dict[str, Any]]:
    rng = random.Random(0)
    sizes = [int(rng.lognormvariate(5.5, 0.8)) + 1 for _ in range(count)]
    return [{"id": i, "text": f"{i} " + "lorem " * size, "score": rng.random()} for i, size in enumerate(sizes)]


def write_pool(path: str, found: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in found))


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pool of 600 rows, its pool file and a plan that draws from it at random."""
    folder = tmp_path_factory.mktemp("planned")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_pool("pool.jsonl", rows(600))
        assert app.run(["profile", "pool.jsonl", "-o", "pool.yaml", "-q", "--jobs", "1"]) == 0
        wanted = ["--pool", "pool.yaml", "--budget", "40examples", "-o", "plan.yaml", "-q"]
        assert app.run(["plan", *RANDOM, *wanted]) == 0
    return folder


@pytest.fixture
def plan(planned: Path, tmp_path: Path) -> str:
    """The pool and its plan in the empty folder."""
    shutil.copytree(planned, tmp_path, dirs_exist_ok=True)
    return "plan.yaml"


def test_a_pool_is_counted_and_a_plan_says_what_its_estimate_does(run: Run, plan: str) -> None:
    written = yaml.safe_load(Path(plan).read_text())
    (said,) = [a for a in written["assumptions"] if a["name"] == "pool lengths"]
    assert said["value"] == "estimated, ±20 %"
    data = written["data"]
    for word in ("tokens", "steps", "FLOPs", "GPU-h", "USD"):
        assert f" {word}" in said["why"]
    low, high = said["why"].split("so ")[1].split(" tokens")[0].split(" to ")
    assert float(low[:-1]) * 1e3 < data["total_tokens"] < float(high[:-1]) * 1e3
    assert written["inputs"]["pool"]["measure"]["shape"] == "text"
    assert run("plan", "--check", plan)[0] == 0


def test_apply_draws_what_was_planned_and_the_same_again(run: Run, plan: str) -> None:
    code, out, err = run("apply", plan, "pool.jsonl", "-o", "train.jsonl", "--format", "json", "--jobs", "1")
    assert (code, err) == (0, "wrote train.jsonl\n")
    seen = json.loads(out)
    assert seen["drawn"]["examples"] == seen["planned"]["examples"] == 40
    assert abs(seen["drawn"]["avg_tokens"] / seen["planned"]["avg_tokens"] - 1.0) <= 0.01
    lines = Path("train.jsonl").read_bytes().splitlines()
    assert len(set(lines)) == 40
    assert set(lines) <= set(Path("pool.jsonl").read_bytes().splitlines())
    lengths = [-(-len(json.loads(line)["text"].encode()) // 4) + 1 for line in lines]
    assert sum(min(length, seen["cut_tokens"]) for length in lengths) == seen["drawn"]["total_tokens"]
    assert run("apply", plan, "pool.jsonl", "-o", "again.jsonl", "-q", "--jobs", "2")[0] == 0
    assert Path("again.jsonl").read_bytes() == Path("train.jsonl").read_bytes()


def test_apply_killed_while_writing_leaves_nothing_and_then_gives_the_same_file(run: Run, plan: str) -> None:
    assert run("apply", plan, "pool.jsonl", "-o", "whole.jsonl", "-q")[0] == 0
    Path("train.jsonl").write_text("an older file\n")
    slow = (
        "import sys, time\n"
        "from ftplan.cli import app\n"
        "from ftplan.readers.examples import rows\n"
        "fast = rows.picked\n"
        "def picked(*args):\n"
        "    for i, line in enumerate(fast(*args)):\n"
        "        yield line\n"
        "        if i == 5:\n"
        "            print('half', flush=True); time.sleep(60)\n"
        "rows.picked = picked\n"
        "sys.exit(app.run(['apply', 'plan.yaml', 'pool.jsonl', '-o', 'train.jsonl', '--jobs', '1', '--force']))\n"
    )
    for stop in (signal.SIGINT, signal.SIGKILL):
        with subprocess.Popen(
            [sys.executable, "-c", slow], stdout=subprocess.PIPE, env={**os.environ}, preexec_fn=interruptible
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"half\n"
            time.sleep(0.1)
            process.send_signal(stop)
            assert process.wait() == (130 if stop == signal.SIGINT else -9)
        assert Path("train.jsonl").read_text() == "an older file\n"
        if stop == signal.SIGINT:
            assert not list(Path().glob(".train*"))
    assert run("apply", plan, "pool.jsonl", "-o", "train.jsonl", "-q", "--force")[0] == 0
    assert [path.name for path in Path().glob(".train*")] == [".train.jsonl.ftplan"]
    assert Path("train.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_another_pool_is_said_and_one_too_small_is_no(run: Run, plan: str) -> None:
    write_pool("other.jsonl", rows(700))
    code, out, _ = run("apply", plan, "other.jsonl", "-o", "train.jsonl", "-q")
    assert code == 0
    assert "not the pool that the plan was made from (700 rows, then 600; other texts)" in " ".join(out.split())
    write_pool("small.jsonl", rows(30))
    Path("train.jsonl").unlink()
    code, _, err = run("apply", plan, "small.jsonl", "-o", "train.jsonl")
    assert code == 1
    assert "the plan takes 40 examples" in err
    assert not Path("train.jsonl").exists()


def by_method(plan: str, method: str, sampling: str) -> None:
    """The plan as if it selected by a score."""
    values = yaml.safe_load(Path(plan).read_text())
    values["selection"]["method"] = method
    values["data"]["recipe"]["sampling"] = sampling
    Path(plan).write_text(yaml.safe_dump(values))


def eligible(plan: str) -> list[dict[str, Any]]:
    low, high = yaml.safe_load(Path(plan).read_text())["data"]["recipe"]["band"]
    return [row for row in rows(600) if low <= min(-(-len(row["text"]) // 4) + 1, high) <= high]


@pytest.mark.parametrize("where", ["score", "scores.txt"])
def test_scores_come_from_a_column_or_a_file(run: Run, plan: str, where: str) -> None:
    by_method(plan, "gradient", "top")
    Path("scores.txt").write_text("".join(f"{row['score']}\n" for row in rows(600)))
    code, _, err = run("apply", plan, "pool.jsonl", "-o", "train.jsonl")
    assert (code, "--scores FILE|COLUMN" in err) == (2, True)
    assert run("apply", plan, "pool.jsonl", "--scores", where, "-o", "train.jsonl", "-q")[0] == 0
    best = sorted((row["score"] for row in eligible(plan)), reverse=True)[:40]
    drawn = [json.loads(line)["score"] for line in Path("train.jsonl").read_text().splitlines()]
    assert sorted(drawn, reverse=True) == best


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ("1\n" * 599, "scores.txt has 599 scores, the pool 600 rows"),
        ("1\n" * 300 + "x\n" + "1\n" * 299, "scores.txt:301: 'x' is not a number"),
    ],
)
def test_scores_that_cannot_be_used_are_said(run: Run, plan: str, scores: str, said: str) -> None:
    by_method(plan, "perplexity", "mid")
    Path("scores.txt").write_text(scores)
    code, _, err = run("apply", plan, "pool.jsonl", "--scores", "scores.txt", "-o", "train.jsonl")
    assert (code, said in err) == (2, True)
    code, _, err = run("apply", plan, "pool.jsonl", "--scores", "nothing", "-o", "train.jsonl")
    assert (code, "pool.jsonl:1: no key 'nothing'" in err) == (2, True)


def test_the_longest_first_needs_no_scores(run: Run, plan: str) -> None:
    by_method(plan, "length", "top")
    code, out, _ = run("apply", plan, "pool.jsonl", "-o", "train.jsonl", "-q")
    assert code == 0
    assert "longer than the band's mean" in " ".join(out.split())
    drawn = [len(json.loads(line)["text"]) for line in Path("train.jsonl").read_text().splitlines()]
    assert min(drawn) >= sorted(len(row["text"]) for row in eligible(plan))[-40] - 4


def test_bm25_finds_the_rows_that_speak_of_the_target(run: Run, plan: str) -> None:
    pytest.importorskip("bm25s")
    found = rows(600)
    for row in found[::10]:
        row["text"] = row["text"].replace("lorem lorem", "zebra zebra")
    write_pool("pool.jsonl", found)
    write_pool("wanted.jsonl", [{"prompt": "What is a zebra?", "completion": "An animal."}])
    by_method(plan, "bm25", "top")
    for name in ("train.jsonl", "again.jsonl"):
        assert run("apply", plan, "pool.jsonl", "--target", "wanted.jsonl", "-o", name, "-q")[0] == 0
    lines = Path("train.jsonl").read_text().splitlines()
    assert all("zebra" in line for line in lines)
    assert len(lines) == 40
    assert Path("again.jsonl").read_text().splitlines() == lines


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "nothing says where the examples should go"),
        (("-o", "pool.jsonl"), "pool.jsonl is an input of this command"),
        (("-o", "no/where.jsonl"), "no such folder"),
        (("-o", "train.jsonl", "--scores", "score"), "the plan draws at random"),
        (("-o", "train.jsonl", "--tokenizer", "pool.yaml"), "the plan was made from estimated lengths"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, plan: str, args: tuple[str, ...], said: str) -> None:
    before = Path("pool.jsonl").read_bytes()
    code, _, err = run("apply", plan, "pool.jsonl", *args)
    assert (code, said in err) == (2, True)
    assert Path("pool.jsonl").read_bytes() == before


def test_the_plans_tokenizer_is_found_beside_its_pool_file_and_must_be_the_same(run: Run) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    Path("data").mkdir()
    words.save("data/tokenizer.json")
    write_pool("data/pool.jsonl", rows(300))
    asked = ("profile", "data/pool.jsonl", "--tokenizer", "data/tokenizer.json", "-o", "data/pool.yaml", "-q")
    assert run(*asked)[0] == 0
    assert yaml.safe_load(Path("data/pool.yaml").read_text())["lengths"]["tokenizer"]["path"] == "tokenizer.json"
    assert run("plan", *RANDOM, "--pool", "data/pool.yaml", "--budget", "30examples", "-o", "plan.yaml", "-q")[0] == 0
    written = yaml.safe_load(Path("plan.yaml").read_text())
    assert not [a for a in written["assumptions"] if a["name"] == "pool lengths"]
    code, out, _ = run("apply", "plan.yaml", "data/pool.jsonl", "-o", "train.jsonl", "--format", "json", "-q")
    lengths = [len(json.loads(line)["text"].split()) + 1 for line in Path("train.jsonl").read_text().splitlines()]
    assert (code, sum(min(n, 2048) for n in lengths)) == (0, json.loads(out)["drawn"]["total_tokens"])
    with Path("data/tokenizer.json").open("a") as file:
        file.write("\n")
    code, _, err = run("apply", "plan.yaml", "data/pool.jsonl", "-o", "train.jsonl")
    assert (code, "is not the tokenizer that the plan's pool was profiled with" in err) == (2, True)


def test_rows_on_stdout_leave_the_report_out(run: Run, plan: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ftplan", "apply", plan, "pool.jsonl", "-o", "-"], capture_output=True, check=True
    )
    assert run("apply", plan, "pool.jsonl", "-o", "train.jsonl", "-q")[0] == 0
    assert done.stdout == Path("train.jsonl").read_bytes()
    assert done.stderr == b""


def test_a_sheet_with_mapped_columns_is_profiled_planned_and_drawn_from(run: Run) -> None:
    found = rows(300)
    lines = [f'{row["id"]},"{row["text"]}",yes,"some remark"' for row in found]
    Path("pool.csv").write_text("id,frage,antwort,note\n" + "\n".join(lines) + "\n")
    mapped = ("--map", "frage=prompt", "--map", "antwort=completion")
    code, out, _ = run("profile", "pool.csv", *mapped, "-o", "pool.yaml", "-q")
    said = " ".join(out.split())
    assert code == 0
    assert "Read: frage as prompt, antwort as completion." in said
    assert "not counted: note (100 % of rows, about 3 tokens each)" in said
    written = yaml.safe_load(Path("pool.yaml").read_text())
    assert written["data"]["columns"] == {"prompt": "frage", "completion": "antwort"}
    assert [(u["where"], u["share"]) for u in written["uncounted"]] == [("note", 1.0)]
    assert run("plan", *RANDOM, "--pool", "pool.yaml", "--budget", "30examples", "-o", "plan.yaml", "-q")[0] == 0
    code, out, _ = run("apply", "plan.yaml", "pool.csv", "-o", "train.jsonl", "--format", "json", "-q")
    drawn = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    seen = json.loads(out)
    assert (code, len(drawn), set(drawn[0])) == (0, 30, {"id", "frage", "antwort", "note"})
    lengths = [-(-len(row["frage"] + row["antwort"]) // 4) + 1 for row in drawn]
    assert sum(min(n, seen["cut_tokens"]) for n in lengths) == seen["drawn"]["total_tokens"]
    assert not [w for w in json.loads(out)["warnings"] if "not the pool" in w]


def test_another_form_of_the_rows_is_said_and_can_be_asked_for(run: Run) -> None:
    row = {"prompt": "a b", "completion": "c d", "messages": [{"role": "user", "content": "e f g h"}]}
    Path("pool.jsonl").write_text(json.dumps(row) + "\n")
    code, out, _ = run("profile", "pool.jsonl", "-q")
    said = " ".join(out.split())
    assert code == 0
    assert "counted as prompts and completions. TRL trains on these. --shape messages counts OpenAI messages" in said
    assert "messages (100 % of rows, about 2 tokens each)" in said
    code, out, _ = run("profile", "pool.jsonl", "-q", "--shape", "messages", "--format", "json")
    assert json.loads(out)["tokens"]["total"] == 2 + 5
    assert "TRL trains on prompts and completions" in " ".join(json.loads(out)["warnings"])


@pytest.mark.parametrize(
    ("args", "said", "hint"),
    [
        (("--map", "q=prompt"), "no column 'q' for --map; the columns are query, answer_text", "query"),
        (("--map", "query=promt"), "no form of rows has a column 'promt'", "did you mean prompt?"),
        (("--map", "query"), "--map 'query' is not theirs=ours", "--map query=prompt"),
        (
            ("--map", "query=prompt"),
            "no known form of training data has the keys query, answer_text with query as prompt",
            "",
        ),
        (("--shape", "message"), "no form of rows is named 'message'", "did you mean messages?"),
        (("--shape", "text"), "no text row: it has the keys query, answer_text", ""),
        (
            (),
            "the keys query, answer_text",
            "--map query=prompt --map answer_text=completion says which column is what",
        ),
    ],
)
def test_columns_that_cannot_be_read_are_said(run: Run, args: tuple[str, ...], said: str, hint: str) -> None:
    Path("pool.jsonl").write_text('{"query": "a b", "answer_text": "c"}\n')
    code, _, err = run("profile", "pool.jsonl", *args)
    assert code == 2
    assert said in err
    assert hint in err
