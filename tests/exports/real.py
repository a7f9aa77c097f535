"""What the trainers' own packages say: their field names, and what they make of a configuration. Run by their Python.

    python tests/exports/real.py fields trl                    field names, as tests/exports/fields/trl.json keeps them
    python tests/exports/real.py rows trl sft.yaml             what the package reads, in the configuration's folder
    python tests/exports/real.py texts trl sft.yaml ...        each row as its converter hands it on, as one text
    python tests/exports/real.py model trl FOLDER              a tiny model, for `tests.exports.trained` and for `rows`

They are installed beside TRL: `pip install torch trl==1.16.0 peft`, then with --no-deps axolotl==0.19.0,
llamafactory==0.9.5, torchtune==0.6.1, torchao==0.10.0 and torchdata==0.11.0, then what they import (addict av blobfile
colorama distro einops fire kagglehub librosa numba omegaconf pillow posthog requests sentencepiece tiktoken), and what
tests need (pytest hypothesis typer rich scipy). Then with that Python, its path being src:. here:
`python -m pytest tests/exports -m trainers --confcutdir=tests/exports`.

Each prints one JSON object as its last line. A section of fields is named by where it stands ('' is the top,
`datasets[]` an entry of a list); '*' takes any key.
"""

from __future__ import annotations

import dataclasses
import importlib.machinery
import importlib.metadata
import inspect
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

Fields = dict[str, list[str]]
#: a chat template that leaves nothing out, as not every model's own does; Axolotl finds only keys named after a dot
WRITES_ALL = (
    "{% if tools %}{{ tools | tojson }}\n{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}{{ message.reasoning_content }}{% endif %}{{ message.content or '' }}"
    "{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}<|im_end|>\n{% endfor %}"
)
#: package whose version is meant
PACKAGES = {
    "trl": "trl",
    "axolotl": "axolotl",
    "llama_factory": "llamafactory",
    "unsloth": "unsloth",
    "torchtune": "torchtune",
}


def _names(*classes: Any) -> list[str]:
    return sorted({f.name for cls in classes for f in dataclasses.fields(cls)})


def trl_fields() -> Fields:
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig
    from trl.scripts.utils import DatasetConfig

    return {
        "": _names(ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig),
        "datasets[]": _names(DatasetConfig),
    }


def trl_rows(path: str) -> dict[str, Any]:
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, TrlParser, get_dataset

    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
    _, training, model, data = parser.parse_args_and_config(
        ["--config", path, "--use_cpu", "true", "--bf16", "false"], fail_with_unknown_args=True
    )
    return {
        "rows": len(get_dataset(data)["train"]),
        "max_length": training.max_length,
        "packing": training.packing,
        "epochs": training.num_train_epochs,
        "batch": training.per_device_train_batch_size,
        "accumulation": training.gradient_accumulation_steps,
        "tuning": ("qlora" if model.load_in_4bit else "lora") if model.use_peft else "full",
        "lora_r": model.lora_r if model.use_peft else 0,
    }


def trl_texts(path: str) -> list[str]:
    """As its SFT trainer tokenizes them, and back; with a chat template that writes all it is given."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_dataset

    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
    _, training, model, data = parser.parse_args_and_config(
        ["--config", path, "--use_cpu", "true", "--bf16", "false"], fail_with_unknown_args=True
    )
    training.max_length, training.packing = None, False
    tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path)
    tokenizer.chat_template = WRITES_ALL
    tiny = AutoModelForCausalLM.from_pretrained(model.model_name_or_path)
    rows = get_dataset(data)["train"]
    trainer = SFTTrainer(tiny, args=training, train_dataset=rows, processing_class=tokenizer)
    return [tokenizer.decode(row["input_ids"]) for row in trainer.train_dataset]


def axolotl_fields() -> Fields:
    os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from axolotl.utils.schemas.datasets import SFTDataset, UserDefinedPrompterType

    return {
        "": sorted(AxolotlInputConfig.model_fields),
        "datasets[]": sorted(SFTDataset.model_fields),
        "datasets[].type": sorted(UserDefinedPrompterType.model_fields),
        "datasets[].message_property_mappings": ["*"],
        "datasets[].roles": ["*"],
    }


def axolotl_rows(path: str) -> dict[str, Any]:
    """With a made-up GPU, which its validation wants to see."""
    os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
    import yaml
    from axolotl.utils.config import validate_config
    from axolotl.utils.data.shared import load_dataset_with_config
    from axolotl.utils.dict import DictDefault

    gpu = {"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1, "n_node": 1, "compute_capability": "sm_80"}
    plain = yaml.safe_load(Path(path).read_text())
    config = validate_config(DictDefault(plain), capabilities=gpu, env_capabilities={"torch_version": "2.13.0"})
    assert config.excess_length_strategy == "truncate"
    return {
        "rows": len(load_dataset_with_config(config.datasets[0], False)),
        "max_length": config.sequence_len,
        "packing": config.sample_packing,
        "epochs": config.num_epochs,
        "batch": config.micro_batch_size,
        "accumulation": config.gradient_accumulation_steps,
        "tuning": config.adapter or "full",
        "lora_r": config.lora_r or 0,
    }


def axolotl_texts(path: str) -> list[str]:
    """As its prompt strategy tokenizes them, and back; with a chat template that writes all it is given."""
    os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
    import yaml
    from axolotl.prompt_strategies import load
    from axolotl.utils.config import validate_config
    from axolotl.utils.data.shared import load_dataset_with_config
    from axolotl.utils.data.wrappers import get_dataset_wrapper
    from axolotl.utils.dict import DictDefault
    from transformers import AutoTokenizer

    del load
    gpu = {"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1, "n_node": 1, "compute_capability": "sm_80"}
    plain = yaml.safe_load(Path(path).read_text()) | {"sequence_len": 100_000}
    config = validate_config(DictDefault(plain), capabilities=gpu, env_capabilities={"torch_version": "2.13.0"})
    tokenizer = AutoTokenizer.from_pretrained(config.base_model)
    tokenizer.chat_template = WRITES_ALL
    described = config.datasets[0]
    base, style = [*described.type.split(":"), None][:2] if isinstance(described.type, str) else (described.type, None)
    rows, _ = get_dataset_wrapper(
        dataset_config=described,
        tokenizer=tokenizer,
        cfg=config,
        dataset_base_type=base,
        dataset=load_dataset_with_config(described, False),
        dataset_prompt_style=style,
    )
    return [tokenizer.decode(row["input_ids"]) for row in rows]


def _llama_factory() -> None:
    """It imports torchaudio, which no text needs, and refuses newer versions of what it builds on."""
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    import transformers  # noqa: F401  (looks for torchaudio itself)

    if importlib.util.find_spec("torchaudio") is None:
        stub = types.ModuleType("torchaudio")
        stub.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        sys.modules["torchaudio"] = stub


def llama_factory_fields() -> Fields:
    _llama_factory()
    from llamafactory.data.parser import DatasetAttr
    from llamafactory.hparams import DataArguments, FinetuningArguments, ModelArguments, TrainingArguments

    known = set(_names(DatasetAttr))
    tags = {name for name in known if name.endswith("_tag")} - {"kto_tag"}
    plain = {"load_from", "dataset_name", "formatting", "ranking", "subset", "split", "folder", "num_samples"}
    return {
        "": _names(DataArguments, FinetuningArguments, ModelArguments, TrainingArguments),
        "dataset_info.json": ["*"],
        "dataset_info.json.*": sorted({"file_name", "columns", "tags"} | plain - {"load_from", "dataset_name"}),
        "dataset_info.json.*.columns": sorted(known - tags - plain),
        "dataset_info.json.*.tags": sorted(tags),
    }


def llama_factory_rows(path: str) -> dict[str, Any]:
    _llama_factory()
    import yaml
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    plain = yaml.safe_load(Path(path).read_text()) | {"use_cpu": True}
    # a GPU's business, and its rows are those of any packing
    quantized = plain.pop("quantization_bit", None)
    model, data, training, tuning, _ = get_train_args(plain)
    tokenizer = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(tokenizer["tokenizer"], data)
    rows = get_dataset(template, model, data, training, stage="sft", **tokenizer)["train_dataset"]
    examples = sum(max(row["attention_mask"]) for row in rows) if data.packing else len(rows)
    lora = tuning.finetuning_type == "lora"
    return {
        "rows": examples,
        "max_length": data.cutoff_len + (1 if data.packing else 0),
        "packing": bool(data.packing),
        "epochs": training.num_train_epochs,
        "batch": training.per_device_train_batch_size,
        "accumulation": training.gradient_accumulation_steps,
        "tuning": ("qlora" if quantized == 4 else "lora") if lora else "full",
        "lora_r": tuning.lora_rank if lora else 0,
    }


def llama_factory_texts(path: str) -> list[str]:
    """As its own converter hands them on; those that it drops are ''."""
    _llama_factory()
    import yaml
    from datasets import load_dataset
    from llamafactory.data.converter import get_dataset_converter
    from llamafactory.data.parser import get_dataset_list

    config = yaml.safe_load(Path(path).read_text())
    (described,) = get_dataset_list([config["dataset"]], config["dataset_dir"])
    convert = get_dataset_converter(described.formatting, described, types.SimpleNamespace(media_dir=""))
    rows = load_dataset("json", data_files=described.dataset_name, split=f"train[:{config['max_samples']}]")
    out = []
    for row in map(convert, rows):
        assert isinstance(row["_system"] or "", str)
        assert isinstance(row["_tools"] or "", str)
        kept = len(row["_prompt"]) % 2 == 1 and len(row["_response"]) == 1  # as its supervised processor wants it
        out.append(json.dumps(row, ensure_ascii=False) if kept else "")
    return out


def _unsloth() -> Any:
    """Its configuration module alone: the package wants a GPU."""
    import importlib.util

    spec = importlib.util.find_spec("unsloth_cli")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    file = Path(next(iter(spec.submodule_search_locations))) / "config.py"
    spec = importlib.util.spec_from_file_location("unsloth_config", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["unsloth_config"] = module
    spec.loader.exec_module(module)
    return module


def unsloth_fields() -> Fields:
    module = _unsloth()
    sections = {"data": "DataConfig", "training": "TrainingConfig", "lora": "LoraConfig", "logging": "LoggingConfig"}
    parts = {name: sorted(getattr(module, cls).model_fields) for name, cls in sections.items()}
    return {"": sorted(module.Config.model_fields), **parts}


def unsloth_rows(path: str) -> dict[str, Any]:
    config = _unsloth().load_config(Path(path))
    training = config.training
    lora = training.training_type == "lora"
    return {
        "rows": sum(1 for file in config.data.local_dataset for _ in Path(file).open(encoding="utf-8")),
        "max_length": training.max_seq_length,
        "packing": training.packing,
        "epochs": training.num_epochs,
        "batch": training.batch_size,
        "accumulation": training.gradient_accumulation_steps,
        "tuning": ("qlora" if training.load_in_4bit else "lora") if lora else "full",
        "lora_r": config.lora.lora_r if lora else 0,
    }


def torchtune_fields() -> Fields:
    import datasets
    import torchtune
    import yaml
    from torchtune import datasets as own
    from torchtune.models import llama3_1
    from torchtune.models.llama3 import llama3_tokenizer

    stock = Path(torchtune.__file__).parents[1] / "recipes" / "configs"
    top: set[str] = set()
    for file in (*stock.glob("*/*_full_single_device.yaml"), *stock.glob("*/*_lora_single_device.yaml")):
        top |= set(yaml.safe_load(file.read_text()))
    loading = set(inspect.signature(datasets.load_dataset).parameters) - {"config_kwargs"}
    out = {
        "": sorted(top),
        "tokenizer": sorted(inspect.signature(llama3_tokenizer).parameters),
        "model": sorted(inspect.signature(llama3_1.lora_llama3_1_8b).parameters),
    }
    for name in ("chat_dataset", "instruct_dataset", "alpaca_dataset", "text_completion_dataset"):
        mine = set(inspect.signature(getattr(own, name)).parameters) - {"tokenizer", "load_dataset_kwargs"}
        out[f"dataset torchtune.datasets.{name}"] = sorted(mine | loading | {"_component_"})
    kinds = [f"{tuning}{devices}" for tuning in ("full", "lora", "qlora") for devices in ("", "_single_device")]
    names = [f"{file.parent.name}/{file.stem}" for kind in kinds for file in stock.glob(f"*/*B_{kind}.yaml")]
    return out | {"dataset.column_map": ["input", "output", "system"], "stock configurations": sorted(names)}


def torchtune_rows(path: str) -> dict[str, Any]:
    """The script's overrides on the stock configuration it names; without the tokenizer's own files."""
    merged, texts = _torchtune(path)
    assert all(texts)
    lora = "lora_rank" in merged.model
    return {
        "rows": len(texts),
        "max_length": merged.tokenizer.max_seq_len,
        "packing": merged.dataset.packed,
        "epochs": merged.epochs,
        "batch": merged.batch_size,
        "accumulation": merged.gradient_accumulation_steps,
        "tuning": ("qlora" if "qlora" in merged.model._component_ else "lora") if lora else "full",
        "lora_r": merged.model.lora_rank if lora else 0,
    }


def torchtune_texts(path: str) -> list[str]:
    """As its data set gives them to the tokenizer."""
    return _torchtune(path)[1]


def _torchtune(path: str) -> tuple[Any, list[str]]:
    """What it is configured with, and its rows as a tokenizer sees them."""
    import shlex

    import torchtune
    from omegaconf import OmegaConf
    from torchtune import config as tune
    from torchtune.config._parse import TuneRecipeArgumentParser
    from torchtune.config._utils import _merge_yaml_and_cli_args

    lines = [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    words = shlex.split(" ".join(line.removesuffix("\\") for line in lines))
    at = words.index("--config")
    stock = Path(torchtune.__file__).parents[1] / "recipes" / "configs" / f"{words[at + 1]}.yaml"
    parser = TuneRecipeArgumentParser()
    sys.argv = ["tune", "--config", str(stock), *words[at + 2 :]]
    merged = _merge_yaml_and_cli_args(*parser.parse_known_args())
    # some stock configurations name an optimiser of a package that wants a GPU; the plan has no say in it
    merged.pop("optimizer", None)
    tune.validate(merged)

    seen: list[str] = []

    class Tokenizer:
        """One token a character, which is enough to read rows by."""

        max_seq_len, pad_id = merged.tokenizer.max_seq_len, 0

        def tokenize_messages(self, messages: list[Any], **_: Any) -> tuple[list[int], list[bool]]:
            seen.append("\n".join(message.text_content for message in messages))
            return [1] * len(seen[-1]), [False] * len(seen[-1])

        def encode(self, text: str, **_: Any) -> list[int]:
            seen.append(text)
            return [1] * len(text)

        def __call__(self, sample: Any, **_: Any) -> dict[str, Any]:
            tokens, mask = self.tokenize_messages(sample.pop("messages"))
            return {**sample, "tokens": tokens, "mask": mask}

    data = tune.instantiate(OmegaConf.merge(merged.dataset, {"packed": False}), Tokenizer())
    for at in range(len(data)):
        assert data[at]["tokens"]
    return merged, seen


def make_model(folder: str) -> None:
    """A byte-level tokenizer with a chat template, and a model of one layer and random weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = {letter: i for i, letter in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    plain = Tokenizer(models.BPE(letters, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    whole = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token=special[2], pad_token=special[0])
    whole.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    whole.save_pretrained(folder)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": whole.eos_token_id, "eos_token_id": whole.eos_token_id, "pad_token_id": whole.pad_token_id}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(whole), **sizes, **ends)).save_pretrained(folder)


if __name__ == "__main__":
    what, trainer, *rest = sys.argv[1:]
    if what == "fields":
        version = importlib.metadata.version(PACKAGES[trainer])
        found: Any = {
            "package": PACKAGES[trainer],
            "version": version,
            "fields": globals()[f"{trainer}_fields"](),
        }
    elif what == "model":
        make_model(*rest)
        found = {}
    elif what == "texts":  # of several configurations, since importing a trainer takes longer than reading them
        found = []
        for path in map(Path, rest):
            os.chdir(path.parent)
            found.append(globals()[f"{trainer}_texts"](path.name))
    else:
        found = globals()[f"{trainer}_rows"](*rest)
    print(json.dumps(found))
