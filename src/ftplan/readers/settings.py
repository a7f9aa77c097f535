"""Settings of the trainer that differ between runs and that no law looks at."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ftplan.readers.numbers import CellError, parse
from ftplan.readers.raw import RawTable, listed, plain

#: what changes a result at the same data; not what follows the data (steps, warm-up steps, the longest length)
SETTINGS = frozenset(
    {
        *("learning_rate", "lr", "max_lr", "peak_lr", "lr_scheduler_type", "weight_decay", "warmup_ratio", "optim"),
        *("optimizer", "adam_beta1", "adam_beta2", "max_grad_norm", "label_smoothing_factor", "neftune_noise_alpha"),
        *("batch_size", "train_batch_size", "per_device_train_batch_size", "gradient_accumulation_steps"),
        *("global_batch_size", "effective_batch_size", "total_batch_size", "packing", "completion_only_loss"),
        *("lora_r", "lora_rank", "lora_alpha", "lora_dropout", "use_peft"),
    }
)


def varying(raw: RawTable, used: Collection[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Headers of settings with several values within one series, in file order. used: headers that mean something."""
    found = []
    for header in raw.headers:
        if plain(header) not in SETTINGS or header in used:
            continue
        seen: dict[tuple[str, ...], set[str | float]] = {}
        for row in raw.rows:
            if row[header]:
                seen.setdefault(tuple(row[label] for label in labels), set()).add(_value(row[header]))
        if any(len(values) > 1 for values in seen.values()):
            found.append(header)
    return tuple(found)


def said(headers: Sequence[str]) -> str:
    """The note about them."""
    which = f"{listed(headers, 4)} {'differs' if len(headers) == 1 else 'differ'}"
    verb = "is" if len(headers) == 1 else "are"
    return (
        f"{which} between runs and {verb} not used: runs that differ in nothing else count as repeats; "
        "--by COLUMN keeps them apart"
    )


def _value(text: str) -> str | float:
    """1e-4 and 0.0001 are one value."""
    try:
        return parse(text)
    except CellError:
        return text
