"""Axolotl: what `axolotl train` calls."""

from __future__ import annotations

import os
from typing import Any

import torch

from tests.exports.trained.watch import loaded, padding_of, stub, watch_transformers


def trained(path: str) -> dict[str, Any]:
    """For the CPU: validated with a made-up GPU, so that packs are those of flash attention, and only then bf16 off,
    attention of torch's own and no Triton kernels. That changes the loss, and no row.
    """
    os.environ |= {"AXOLOTL_DO_NOT_TRACK": "1", "ACCELERATE_USE_CPU": "true"}
    stub("wandb")
    from axolotl.common.datasets import load_datasets
    from axolotl.train import train as run
    from axolotl.utils.config import normalize_config, validate_config
    from axolotl.utils.dict import DictDefault

    gpu = {"bf16": True, "fp8": False, "tf32": True, "n_gpu": 1, "n_node": 1, "compute_capability": "sm_80"}
    here = {"output_dir": "out", "save_strategy": "no", "dataset_prepared_path": "prepared", "dataset_num_proc": 0}
    config = validate_config(
        DictDefault(loaded(path) | here),
        capabilities=gpu,
        env_capabilities={"torch_version": torch.__version__.split("+")[0]},
    )
    packs = config.attn_supports_packing
    config.update({"bf16": False, "tf32": False, "fp16": False, "use_cpu": True, "attn_implementation": "sdpa"})
    config.update({f"lora_{part}_kernel": False for part in ("mlp", "qkv", "o", "embedding")})
    assert config.attn_supports_packing == packs
    normalize_config(config)
    config.update({"device": "cpu", "device_map": None, "torch_dtype": torch.float32})
    seen = watch_transformers(padding_of(config.base_model))
    run(cfg=config, dataset_meta=load_datasets(cfg=config))
    return seen.told()
