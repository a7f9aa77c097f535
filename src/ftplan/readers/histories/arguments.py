"""The settings that Hugging Face's Trainer saves beside its states, in training_args.bin, without running any of it.

The file is a pickle in a zip, as torch.save writes: classes that it names are replaced by an inert one, so that
nothing of what it holds is imported or called.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

FILE = "training_args.bin"
_LARGEST = 2**20
#: settings that say how a run was trained
_KEPT = (
    *("learning_rate", "lr_scheduler_type", "warmup_ratio", "warmup_steps", "seed", "per_device_train_batch_size"),
    *("gradient_accumulation_steps", "include_num_input_tokens_seen", "packing"),
)


class _Inert:
    """Stands for any class: takes what it is given, and keeps its state."""

    def __new__(cls, *values: Any, **_: Any) -> Any:
        # an enum is called with its value: keep that
        return values[0] if len(values) == 1 and isinstance(values[0], str) else object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ARG002
        return _Inert

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002
        return _Inert()


def arguments(folder: Path) -> dict[str, str]:
    """{setting: text} of the training_args.bin in a folder; {} where there is none, or it cannot be read."""
    file = folder / FILE
    try:
        with zipfile.ZipFile(file) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            if archive.getinfo(name).file_size > _LARGEST:
                return {}
            value = _Unpickler(io.BytesIO(archive.read(name))).load()
    except Exception:  # a damaged pickle raises what it likes; the settings only add to the log
        return {}
    held = getattr(value, "__dict__", {})
    return {key: _text(held[key]) for key in _KEPT if isinstance(held.get(key), str | int | float)}


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)
