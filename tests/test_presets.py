"""Shipped facts: every file loads, adds up and says where it is from; anything less is refused."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ftplan import presets, selection
from ftplan.errors import InputError
from ftplan.pool import from_histogram
from ftplan.units import parse_budget

PACKAGE = Path(presets.__file__).parent


def each(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", presets.names(kind))


@pytest.mark.parametrize("kind", presets.KINDS)
def test_every_kind_has_presets_with_lower_case_names(kind: str) -> None:
    found = presets.names(kind)
    assert found == sorted(found)
    assert found
    assert all(name == name.lower() for name in found)


@each("models")
def test_a_model_adds_up(name: str) -> None:
    model = presets.load_model(name)
    attention = 2 * model.d_model * model.q_dim + 2 * model.d_model * model.kv_dim
    feed_forward = (3 if model.gated else 2) * model.d_model * model.d_ff
    # the measured models count their layer norms, 2 % of the smallest
    assert model.block_params == pytest.approx(model.layers * (attention + feed_forward), rel=0.02)
    matrices = 1 if model.tied else 2
    assert model.total_params == model.block_params + matrices * model.embedding_params + model.position_params
    assert model.embedding_params % model.d_model == 0
    assert model.name == name


@pytest.mark.parametrize(
    ("name", "billions"), [("qwen2.5-7b", 7.61), ("llama-3.1-8b", 8.03), ("qwen2.5-0.5b", 0.494), ("phi-4", 14.7)]
)
def test_totals_are_those_of_the_model_cards(name: str, billions: float) -> None:
    assert presets.load_model(name).total_params == pytest.approx(billions * 1e9, rel=0.005)


@pytest.mark.parametrize(
    ("name", "model_params", "total"), [("xs", 55_776, 178_656), ("s", 333_120, 578_880), ("m", 1_772_928, 2_264_448)]
)
def test_the_measured_models_are_those_of_the_run_table(name: str, model_params: int, total: int) -> None:
    model = presets.load_model(f"pyfunc-{name}")
    assert (model.block_params, model.total_params) == (model_params, total)


@each("gpus")
def test_a_gpu_is_plausible_and_its_price_dated(name: str) -> None:
    gpu = presets.load_gpu(name)
    assert 5e13 < gpu.peak_flops < 1e16
    assert set(gpu.mfu) == {"full", "lora", "qlora"}
    assert all(0.1 < share < 0.7 for share in gpu.mfu.values())
    assert (gpu.usd_per_hour is None) == (gpu.price_date == "") == (gpu.price_source == "")
    if gpu.price_date:
        assert datetime.date.fromisoformat(gpu.price_date) <= datetime.date.today()


@each("selectors")
def test_a_selection_model_loads(name: str) -> None:
    assert 1e6 < presets.load_selector(name).params < 1e9


@each("laws")
def test_a_law_is_borrowed_and_its_methods_and_selectors_exist(name: str) -> None:
    law = presets.load_law(name)
    assert law["borrowed"] is True
    assert law["date"] <= datetime.date.today()
    # a paper by its number, or a table that ships
    assert "arXiv " in law["source"] or "presets/runs/" in law["source"]
    quoted = [p["how"] for p in law["params"].values() if p["how"].startswith("quoted")]
    assert len(quoted) == (len(law["params"]) if law["origin"] == "quoted" else 0)
    for method, kap in law.get("selection", {}).items():
        needed = selection.load(method).selector_kind
        assert selection.load(method).name == method
        assert kap["estimate"] < 1
        assert ("selector" in kap) == bool(needed)
        if needed:
            assert kap["selector"] in presets.names(needed)


@each("problems")
def test_a_problem_names_what_ships(name: str) -> None:
    tables = presets.load_problem(name).tables
    presets.load_model(tables["training"]["model"])
    if "gpu" in tables.get("hardware", {}):
        presets.load_gpu(tables["hardware"]["gpu"])
    data = tables["data"]
    assert data.get("runs", "pyfunc") in presets.names("runs")
    assert data.get("law", "ccds-mmlu-7b") in presets.names("laws")
    assert from_histogram(tables["pool"]["histogram_tokens"], name=name, source="").examples > 1000
    assert [parse_budget(text) for text in tables["budget"]["limits"]]
    assert [selection.load(method) for method in tables["selection"]["methods"]]


def test_a_name_is_found_in_any_case_and_with_its_owner() -> None:
    assert presets.load_model("Qwen2.5-0.5B").name == "qwen2.5-0.5b"
    assert presets.load_model("meta-llama/Llama-3.1-8B").name == "llama-3.1-8b"
    assert presets.load_gpu(" H100-SXM ").name == "h100-sxm"
    assert presets.runs_path("PyFunc").name == "pyfunc.csv"


def test_a_misspelt_name_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="no GPU preset is named 'h100-smx'") as caught:
        presets.load_gpu("h100-smx")
    assert caught.value.hint == "did you mean 'h100-sxm'?"
    with pytest.raises(InputError) as caught:
        presets.load_gpu("zzz")
    assert "known: a100-40gb, " in str(caught.value.hint)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of presets to spoil."""
    shutil.copytree(presets.folder(), tmp_path / "presets")
    monkeypatch.setattr(presets, "folder", lambda: tmp_path / "presets")
    return tmp_path / "presets"


LOADERS = {
    "gpus": ("h100-sxm", presets.load_gpu),
    "models": ("qwen2.5-7b", presets.load_model),
    "selectors": ("gtr-t5-base", presets.load_selector),
    "laws": ("ccds-mmlu-7b", presets.load_law),
    "problems": ("quickstart", presets.load_problem),
}


@pytest.mark.parametrize("key", ["source", "date"])
@pytest.mark.parametrize("kind", LOADERS)
def test_a_preset_without_provenance_is_refused(copied: Path, kind: str, key: str) -> None:
    name, load = LOADERS[kind]
    path = copied / kind / f"{name}.toml"
    lines = path.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(f"{key} = "))
    path.write_text("".join(lines[:at] + lines[at + 1 :]))
    with pytest.raises(InputError, match=rf"{name}\.toml: key '(problem\.)?{key}' is missing"):
        load(name)


@pytest.mark.parametrize("kind", LOADERS)
def test_an_unknown_key_is_refused_with_a_suggestion(copied: Path, kind: str) -> None:
    name, load = LOADERS[kind]
    path = copied / kind / f"{name}.toml"
    path.write_text(path.read_text().replace("\nsource = ", '\nsuorce = "x"\nsource = ', 1))
    if not path.read_text().count("suorce"):
        path.write_text('suorce = "x"\n' + path.read_text())
    with pytest.raises(InputError, match=rf"{name}\.toml: unknown key '(problem\.)?suorce'") as caught:
        load(name)
    assert caught.value.hint == "did you mean 'source'?"


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("bf16_tflops = 989", 'bf16_tflops = "989"', "bf16_tflops' is '989', not a number above 0"),
        ("mfu_full = 0.35", "mfu_full = 40", "'mfu_full' is 40, not a number above 0 and below 1"),
        ("bf16_tflops = 989", "bf16_tflops = nan", "bf16_tflops' is nan"),
        ("bf16_tflops = 989", "bf16_tflops = true", "bf16_tflops' is True"),
        ("date = 2026", 'date = "2026', "not TOML"),
        ("date = 2026", "usd_per_gpu_hour = 2.0\ndate = 2026", "'price_source' is missing"),
    ],
)
def test_a_wrong_value_is_refused_by_name(copied: Path, old: str, new: str, seen: str) -> None:
    path = copied / "gpus" / "h100-sxm.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=r"h100-sxm\.toml: ") as caught:
        presets.load_gpu("h100-sxm")
    assert seen in caught.value.message


def test_a_law_outside_its_own_interval_is_refused(copied: Path) -> None:
    path = copied / "laws" / "ccds-mmlu-7b.toml"
    path.write_text(path.read_text().replace("low = 46.93", "low = 47.2"))
    with pytest.raises(InputError, match=r"'params\.Pbar\.estimate' is 47\.15, outside 47\.2 to"):
        presets.load_law("ccds-mmlu-7b")


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ('origin = "measured"', 'origin = "guessed"', "'origin' is 'guessed', not one of quoted, recovered, measured"),
        ('["E", "y0", ', '["E", "z0", ', "'correlation' of 'E' and 'z0': not two of its params"),
        ('["E", "y0", -0.', '["E", "y0", -1.', "not a list of [parameter, parameter, correlation]"),
        ("avg_tokens = [35.97", "tokens_each = [35.97", "key 'ranges.avg_tokens' is missing"),
        ("L_ref_tokens =", 'counts = "bytes"\nL_ref_tokens =', "'counts' is 'bytes', not tokens or examples"),
    ],
)
def test_a_mistake_in_a_law_is_named(copied: Path, old: str, new: str, seen: str) -> None:
    path = copied / "laws" / "pyfunc-s.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=r"pyfunc-s\.toml: ") as caught:
        presets.load_law("pyfunc-s")
    assert seen in caught.value.message


def test_a_problem_of_your_own_needs_no_provenance(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[budget]\nlimits = ["5usd"]\n[training]\nepochs = [1, 2]\n')
    problem = presets.load_problem(str(path))
    assert problem.name == "mine"
    assert problem.tables["training"]["epochs"] == [1, 2]
    assert problem.relative("runs.csv") == tmp_path / "runs.csv"


OWN_MODEL = """layers = 2
d_model = 64
d_ff = 256
q_dim = 64
kv_dim = 64
gated = true
tied = true
context_tokens = 512
block_params = 131072
embedding_params = 64000
total_params = 195072
"""


def test_a_model_of_your_own_is_a_file_without_provenance(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN_MODEL)
    model = presets.load_model(str(path))
    assert (model.name, model.layers, model.total_params, model.source) == ("mine", 2, 195072, str(path))
    shipped = presets.folder() / "models" / "llama-3.1-8b.toml"
    assert presets.load_model(str(shipped)) == presets.load_model("llama-3.1-8b")


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("layers = 2\n", "", "mine.toml: key 'layers' is missing"),
        ("layers = 2", 'layers = "two"', "mine.toml: 'layers' is 'two', not a whole number above 0"),
        ("d_model", "d_modell", "mine.toml: key 'd_model' is missing"),
        ("gated", "heads = 4\ngated", "mine.toml: unknown key 'heads'"),
        ("layers = 2", "layers 2", "mine.toml: not TOML"),
    ],
)
def test_a_mistake_in_a_model_of_your_own_is_named(tmp_path: Path, old: str, new: str, seen: str) -> None:
    (tmp_path / "mine.toml").write_text(OWN_MODEL.replace(old, new))
    with pytest.raises(InputError) as caught:
        presets.load_model(str(tmp_path / "mine.toml"))
    assert seen in caught.value.message
    with pytest.raises(InputError, match=r"gone\.toml: No such file"):
        presets.load_model("gone.toml")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("[trianing]\n", "unknown key 'trianing'"),
        ("[training]\nmax_lenght = 5\n", "unknown key 'training.max_lenght'"),
        ("[training]\nepochs = 0\n", "training.epochs: 0 is not a number above 0, or a list of them"),
        ("[training]\nepochs = []\n", "training.epochs: [] is not a number above 0, or a list of them"),
        ("[budget]\nlimits = 5\n", "budget.limits: 5 is not a list of text"),
        ("training = 5\n", "training: 5 is not a table"),
        ("[goal]\nseed = -1\n", "goal.seed: -1 is not a whole number, 0 or more"),
        ("[pool]\nhistogram_tokens = [[1, 2]]\n", "pool.histogram_tokens: [[1, 2]] is not a list of [shortest,"),
    ],
)
def test_a_mistake_in_a_problem_is_named(tmp_path: Path, text: str, seen: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"mine\.toml: ") as caught:
        presets.load_problem(str(path))
    assert seen in caught.value.message


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.toml: No such file"):
        presets.load_problem(str(tmp_path / "gone.toml"))
    (tmp_path / "latin.toml").write_bytes(b'[problem]\ntitle = "\xe9"\n')
    with pytest.raises(InputError, match=r"latin\.toml: not UTF-8"):
        presets.load_problem(str(tmp_path / "latin.toml"))


LIST_ALL = (
    "import sys; from ftplan import presets; print(presets.folder().resolve());"
    "assert all(presets.names(kind) for kind in presets.KINDS);"
    "presets.load_model('llama-3.1-8b'); presets.load_gpu('h200'); assert 'numpy' not in sys.modules"
)


def listed_from(path: Path, cwd: Path) -> Path:
    env = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, "-c", LIST_ALL], env=env, cwd=cwd, check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip())


def test_presets_of_a_source_tree_are_found_from_anywhere_without_numpy(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "src" / "ftplan", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(presets.folder(), tmp_path / "presets")
    assert listed_from(tmp_path / "src", Path.home()) == (tmp_path / "presets").resolve()


def test_presets_inside_the_package_come_first(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "lib" / "ftplan", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(presets.folder(), tmp_path / "lib" / "ftplan" / "_presets", dirs_exist_ok=True)
    found = listed_from(tmp_path / "lib", tmp_path)
    assert found == (tmp_path / "lib" / "ftplan" / "_presets").resolve()


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "a" / "b" / "ftplan", ignore=shutil.ignore_patterns("__pycache__", "_presets"))
    code = "from ftplan import presets, errors\ntry: presets.folder()\nexcept errors.InputError as e: print(e)"
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "a" / "b")}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)
    assert "lacks its presets folder" in done.stdout
