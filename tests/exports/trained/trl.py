"""TRL: its own SFT script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.exports.trained.watch import loaded, padding_of, watch_transformers


def trained(path: str) -> dict[str, Any]:
    """For the CPU: use_cpu, bf16 off."""
    from trl.scripts.sft import main, make_parser

    plain = loaded(path)
    here = {"use_cpu": True, "bf16": False, "report_to": "none", "save_strategy": "no", "output_dir": "out"}
    file = Path(path).with_suffix(".run.yaml")
    file.write_text(json.dumps(plain | here))
    arguments = make_parser().parse_args_and_config(["--config", str(file)], fail_with_unknown_args=True)
    seen = watch_transformers(padding_of(plain["model_name_or_path"]))
    main(*arguments)
    return seen.told()
