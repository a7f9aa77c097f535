"""Unsloth: `unsloth train`, its command line, its reading of the rows, its packing and trainer, without its kernels.

Needs the packages that `unsloth[studio]` names; for QLoRA bitsandbytes too. No CUDA, triton or xformers.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from tests.exports.trained.watch import loaded, padding_of, watch_transformers


def trained(path: str) -> dict[str, Any]:
    """As `unsloth train --config PATH` does, but for what `_on_a_cpu` changes."""
    with tempfile.TemporaryDirectory() as home:
        # a run's folder is made in there, not beside the configuration
        os.environ |= {"UNSLOTH_COMPILE_DISABLE": "1", "UNSLOTH_STUDIO_HOME": home}
        _on_a_cpu()
        from unsloth_cli import app

        seen = watch_transformers(padding_of(loaded(path)["model"]))
        failed = app(["train", "--config", path], standalone_mode=False)
        assert not failed, f"unsloth train: exit status {failed}"
    return seen.told()


def _on_a_cpu() -> None:
    """Unsloth as on a GPU, with the least that a machine without one needs.

    Its switch UNSLOTH_ALLOW_CPU lets the GPU modules be imported, and leaves out three patches to TRL: they are made up
    for. Its CUDA kernels give way to the loader of its own CPU backend, which lacks one argument that its command line
    passes. bfloat16 is said to be there; two training arguments that a CPU needs are set: `use_cpu` and an optimiser
    without CUDA.
    """
    from unsloth_cli._inference import ensure_studio_backend_path

    ensure_studio_backend_path()  # also tells where compiled modules go: else into the folder at hand
    os.environ["UNSLOTH_ALLOW_CPU"] = "1"
    import unsloth

    del os.environ["UNSLOTH_ALLOW_CPU"]
    import unsloth.context_parallel
    import unsloth.models.rl
    import unsloth.trainer
    from unsloth_zoo.cpu.loader import FastCPUModel

    unsloth.models.rl.PatchFastRL()
    unsloth.trainer._patch_trl_trainer()
    unsloth.context_parallel.patch_sft_trainer()

    from studio.backend.core.training import trainer as studio

    class Loader(FastCPUModel):  # type: ignore[misc]
        @staticmethod
        def from_pretrained(*args: Any, **kwargs: Any) -> Any:
            kwargs.pop("on_model_resolved", None)
            return FastCPUModel.from_pretrained(*args, **kwargs)

    settings = studio.SFTConfig

    def on_cpu(**kwargs: Any) -> Any:
        return settings(**kwargs | {"use_cpu": True, "optim": "adamw_torch"})

    studio.FastLanguageModel = Loader
    studio.is_bfloat16_supported = lambda: True
    studio.SFTConfig = on_cpu
