"""LLaMA-Factory: what `llamafactory-cli train` calls."""

from __future__ import annotations

import os
from typing import Any

from tests.exports.trained.watch import loaded, padding_of, stub, watch_transformers


def trained(path: str) -> dict[str, Any]:
    """For the CPU: use_cpu. It imports torchaudio, which no text needs."""
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    import transformers  # noqa: F401  (looks for torchaudio itself)

    stub("torchaudio")
    from llamafactory.train.tuner import run_exp

    here = {
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "output_dir": "out",
        "overwrite_output_dir": True,
    }
    plain = loaded(path) | here
    seen = watch_transformers(padding_of(plain["model_name_or_path"]))
    run_exp(plain)
    return seen.told()
