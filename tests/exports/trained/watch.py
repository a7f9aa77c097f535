"""What passes through a model: rows counted where a batch reaches its forward pass, and optimiser steps."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
import unittest.mock
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

Row = tuple[int, ...]


class Seen:
    """What has passed through the model.

    epochs: the rows of each forward pass, by epoch; waiting: rows whose gradients no step has used yet.
    """

    def __init__(self) -> None:
        self.epochs: list[list[Row]] = []
        self.waiting = self.steps = 0

    def epoch(self, *_: Any, **__: Any) -> None:
        self.epochs.append([])

    def batch(self, rows: list[Row]) -> None:
        self.epochs[-1] += rows
        self.waiting += len(rows)

    def step(self, *_: Any, **__: Any) -> None:
        self.steps += 1
        self.waiting = 0

    def told(self) -> dict[str, Any]:
        return {
            "rows": [len(set(rows)) for rows in self.epochs],
            "again": sum(len(rows) - len(set(rows)) for rows in self.epochs),
            "lost": self.waiting,
            "steps": self.steps,
        }


def rows_in(tokens: torch.Tensor, positions: torch.Tensor | None, padding: int) -> list[Row]:
    """The rows of a batch: a sequence each, or from one position 0 to the next. The rest of a row that a pack's border
    cut, which begins at a later position, is none.
    """
    out: list[Row] = []
    positions = None if positions is None else positions.expand_as(tokens)
    for at, line in enumerate(tokens.tolist()):
        begins = [0]
        if positions is not None:
            begins = [i for i, position in enumerate(positions[at].tolist()) if position == 0]
        for begin, end in zip(begins, [*begins[1:], len(line)], strict=True):
            row = line[begin:end]
            while row and row[-1] == padding:
                row.pop()
            if row:
                out.append(tuple(row))
    return out


def before_every_call(cls: Any, name: str, watch: Any) -> None:
    """`watch` sees the arguments of every call of a method from now on."""
    plain = getattr(cls, name)

    @functools.wraps(plain)
    def watched(*args: Any, **kwargs: Any) -> Any:
        watch(*args, **kwargs)
        return plain(*args, **kwargs)

    setattr(cls, name, watched)


def watch_transformers(padding: int) -> Seen:
    """Every trainer that builds on transformers' Trainer, with the model that make_model makes."""
    from transformers import LlamaModel
    from transformers.trainer_callback import CallbackHandler

    seen = Seen()

    def batch(model: Any, input_ids: Any, attention_mask: Any = None, position_ids: Any = None, **_: Any) -> None:
        if model.training:
            positions, mask = position_ids, attention_mask
            if positions is None and mask is not None and _packed(mask):
                positions = _positions(mask)
            seen.batch(rows_in(input_ids, positions, padding))

    before_every_call(LlamaModel, "forward", batch)  # not LlamaForCausalLM's: TRL puts another in its place
    before_every_call(CallbackHandler, "on_epoch_begin", seen.epoch)
    register_optimizer_step_post_hook(seen.step)
    return seen


def _packed(mask: torch.Tensor) -> bool:
    """A mask of rows against columns, or one that numbers the rows of a pack 1, 2, 3."""
    return mask.dim() == 4 or int(mask.max()) > 1


def _positions(mask: torch.Tensor) -> torch.Tensor:
    """Where each token stands in its own row, by a mask: how many tokens before it it may look at."""
    if mask.dim() == 4:
        allowed = mask if mask.dtype == torch.bool else mask == 0
        return allowed[:, 0].sum(-1) - 1
    out = torch.zeros_like(mask)
    for i in range(1, mask.shape[1]):
        out[:, i] = torch.where(mask[:, i] == mask[:, i - 1], out[:, i - 1] + 1, 0)
    return out


def stub(*names: str) -> None:
    """Modules that are imported and that no run here calls, where they are not installed."""
    if importlib.util.find_spec(names[0]) is None:
        for name in names:
            stub = unittest.mock.MagicMock(name=name)
            stub.__spec__ = importlib.machinery.ModuleSpec(name, None)
            sys.modules[name] = stub


def padding_of(folder: str) -> int:
    from transformers import AutoTokenizer

    return int(AutoTokenizer.from_pretrained(folder).pad_token_id)


def loaded(path: str) -> dict[str, Any]:
    import yaml

    plain: dict[str, Any] = yaml.safe_load(Path(path).read_text())
    return plain
