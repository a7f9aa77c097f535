"""torchtune: `tune run`, with a tiny model of Llama 3.2's kind."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.exports.trained.watch import Seen, before_every_call, rows_in

#: torchtune's size of the tiny model; the rest of Llama 3.2's builder
_TINY = {"num_layers": 1, "num_heads": 2, "num_kv_heads": 2, "embed_dim": 16, "intermediate_dim": 32}
_LLAMA = {"vocab_size": 320, "max_seq_len": 4_096, **_TINY}


def trained(path: str) -> dict[str, Any]:
    """`tune run` as the script has it, of a stock configuration of Llama 3.2. For the CPU: device and dtype, the
    family's builder with sizes of its own in place of the stock model, its weights and a tokenizer of bytes made here,
    AdamW in place of bitsandbytes'.
    """
    from torchdata.stateful_dataloader.sampler import StatefulDistributedSampler
    from torchtune._cli.tune import main
    from torchtune.modules import TransformerDecoder

    lines = [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    words = shlex.split(" ".join(line.removesuffix("\\") for line in lines))
    assert words[words.index("--config") + 1].startswith("llama3_2/1B_")
    padding = make_torchtune_model(Path("llama"))
    builder = "lora_llama3_2" if any("lora" in word for word in words[:5]) else "llama3_2"
    here: dict[str, Any] = {
        "device": "cpu",
        "dtype": "fp32",
        "model._component_": f"torchtune.models.llama3_2.{builder}",
        **{f"model.{key}": value for key, value in _LLAMA.items()},
        "tokenizer.path": "llama/tokenizer.model",
        "tokenizer.special_tokens_path": "llama/tokenizer.json",
        "checkpointer.checkpoint_dir": "llama",
        "output_dir": "out",
        "optimizer._component_": "torch.optim.AdamW",
    }
    seen = Seen()

    def batch(_: Any, tokens: Any, *, input_pos: Any = None, **__: Any) -> None:
        seen.batch(rows_in(tokens, input_pos, padding))

    before_every_call(TransformerDecoder, "forward", batch)
    before_every_call(StatefulDistributedSampler, "set_epoch", seen.epoch)
    register_optimizer_step_post_hook(seen.step)
    sys.argv = [*words, *(f"{key}={value}" for key, value in here.items())]
    try:
        main()
    except SystemExit as end:  # of a recipe that went well, too
        if end.code:
            raise
    return seen.told()


def make_torchtune_model(folder: Path) -> int:
    """A checkpoint under the names that Llama's has on the hub, and a tokenizer of bytes in Llama's format; its token
    for padding.
    """
    import base64

    from safetensors.torch import save_file
    from torchtune.models.convert_weights import tune_to_hf
    from torchtune.models.llama3._tokenizer import SPECIAL_TOKENS
    from torchtune.models.llama3_2 import llama3_2

    folder.mkdir(exist_ok=True)
    model = llama3_2(**_LLAMA)
    heads = {"num_heads": _TINY["num_heads"], "num_kv_heads": _TINY["num_kv_heads"], "dim": _TINY["embed_dim"]}
    weights = {name: value.contiguous() for name, value in tune_to_hf(model.state_dict(), **heads).items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "num_attention_heads": _TINY["num_heads"],
        "num_key_value_heads": _TINY["num_kv_heads"],
        "hidden_size": _TINY["embed_dim"],
        "vocab_size": _LLAMA["vocab_size"],
    }
    (folder / "config.json").write_text(json.dumps(config))
    ranks = [f"{base64.b64encode(bytes([i])).decode()} {i}" for i in range(256)]
    (folder / "tokenizer.model").write_text("\n".join(ranks) + "\n")
    special = {token: 256 + i for i, token in enumerate(SPECIAL_TOKENS)}
    added = [{"content": token, "id": i} for token, i in special.items()]
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))
    return special["<|finetune_right_pad_id|>"]
