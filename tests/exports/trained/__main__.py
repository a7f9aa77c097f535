"""What the trainers' own packages train on, on a CPU. Run by the Python of an environment that has the package:

    PYTHONPATH=/this/repository python -m tests.exports.trained trl sft.yaml     in the configuration's folder

Trains a tiny model as the exported configuration says, and prints one JSON object as its last line:

    rows     for each epoch, how many different rows reached the model's forward pass
    again    how many of them reached it a second time in the same epoch
    lost     rows of a forward pass after which no optimiser step came: their gradients were thrown away
    steps    optimiser steps

`model_name_or_path` and its like name a folder made by `real.py model`; torchtune makes its own. What a CPU needs is
overridden by each trainer's module. No two rows of train.jsonl may be equal.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

if __name__ == "__main__":
    trainer, path = sys.argv[1:]
    print(json.dumps(import_module(f"tests.exports.trained.{trainer}").trained(path)))
