"""A model small enough to train on a CPU in seconds, and its tokenizer: made here, downloaded from nowhere.

It is the model of ftplan's preset pyfunc-xs, two layers of width 48, so the plan's costs are those of what is trained.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

VOCABULARY = 2_048
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
#: ChatML: five tokens a turn around its content, as `ftplan profile` counts them
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_model(folder: Path, pool: Path) -> None:
    """A byte-level BPE tokenizer trained on the pool, and a randomly initialised GPT-2 of two layers, in `folder`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_turns(pool), trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=SPECIAL[2], pad_token=SPECIAL[0])
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)

    torch.manual_seed(0)
    ends = {"bos_token_id": fast.eos_token_id, "eos_token_id": fast.eos_token_id, "pad_token_id": fast.pad_token_id}
    config = GPT2Config(vocab_size=len(fast), n_positions=512, n_embd=48, n_layer=2, n_head=4, n_inner=192, **ends)
    GPT2LMHeadModel(config).save_pretrained(folder)


def _turns(pool: Path) -> Iterator[str]:
    """What the chat template makes of every turn, without its special tokens."""
    with pool.open(encoding="utf-8") as lines:
        for line in lines:
            for turn in json.loads(line)["messages"]:
                yield f"{turn['role']}\n"
                yield turn["content"]
