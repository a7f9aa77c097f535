"""Headers -> canonical columns: exact names, aliases, and what `--map` says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from shlex import quote

from ftplan.errors import InputError
from ftplan.readers import numbers
from ftplan.readers.raw import RawTable, normalise, suggest

#: canonical column -> aliases in normalised form, by rank: a later rank is used only where no earlier one is there.
#: Two columns of one rank are an error, since nothing says which is meant.
ALIASES: dict[str, tuple[tuple[str, ...], ...]] = {
    "examples": (
        (
            *("n_examples", "num_examples", "train_examples", "training_examples", "unique_examples", "example_count"),
            *("n_train_examples", "num_train_examples", "n_training_examples", "num_training_examples"),
            *("samples", "n_samples", "num_samples", "train_samples", "training_samples", "sample_count"),
            *("n_train_samples", "num_train_samples", "n_training_samples", "num_training_samples", "sample_size"),
            *("n_rows", "num_rows", "train_rows", "training_rows", "n_train_rows", "num_train_rows"),
            *("n_train", "num_train", "train_size", "train_set_size", "training_set_size", "dataset_size", "n"),
        ),
    ),
    "avg_tokens": (
        (
            *("mean_tokens", "average_tokens", "tokens_per_example", "tokens_per_sample", "avg_example_tokens"),
            *("avg_tokens_per_example", "mean_tokens_per_example", "avg_tokens_per_sample", "mean_tokens_per_sample"),
            *("avg_length", "mean_length", "average_length", "avg_len", "mean_len", "avg_token_length"),
            *("avg_seq_len", "mean_seq_len", "avg_seq_length", "mean_seq_length", "avg_example_length"),
            *(
                "tokens_per_row",
                "avg_tokens_per_row",
                "mean_tokens_per_row",
                "average_tokens_per_example",
                "tokens_each",
            ),
            *("avg_sequence_length", "mean_sequence_length", "average_sequence_length", "mean_example_length"),
        ),
    ),
    "tokens": (
        (
            *("n_tokens", "num_tokens", "token_count", "total_tokens", "unique_tokens", "dataset_tokens"),
            *("train_tokens", "training_tokens", "n_train_tokens", "num_train_tokens", "total_train_tokens"),
        ),
    ),
    # train/num_tokens is TRL's counter in a W&B export; num_input_tokens_seen may count padding and is left to --map
    "tokens_seen": (
        ("total_tokens_seen", "num_tokens_seen", "n_tokens_seen", "train_tokens_seen", "train_num_tokens"),
    ),
    "model_params": (
        (
            *("params_non_embedding", "non_embedding_params", "non_embedding_parameters"),
            *("n_params_non_embedding", "num_params_non_embedding", "model_params_non_embedding"),
        ),
        (
            *("params", "n_params", "num_params", "train_params", "param_count", "params_count"),
            *("parameters", "n_parameters", "num_parameters", "model_parameters", "parameter_count"),
            *("model_num_parameters", "model_size", "model_size_params"),
        ),
        ("params_total", "total_params", "total_parameters", "n_params_total"),
        ("size",),
    ),
    "epochs": (("epoch", "n_epochs", "num_epochs", "train_epochs", "num_train_epochs", "training_epochs"),),
    "method": (("selection_method", "selection", "selector", "data_selection", "selection_strategy"),),
    "selector_params": (
        (
            *("selection_params", "selection_model_params", "selector_model_params", "selector_size"),
            *("selection_model_size", "selector_model_size", "selector_parameters"),
        ),
    ),
    "pool_examples": (
        (
            *("pool_size", "pool_rows", "pool_samples", "n_pool", "num_pool", "n_pool_examples", "num_pool_examples"),
            *("eligible_examples", "candidate_examples", "n_candidates"),
        ),
    ),
    "fraction": (
        (
            *("data_fraction", "train_fraction", "selected_fraction", "selection_fraction", "fraction_selected"),
            *("pool_fraction", "subset_fraction", "fraction_of_pool", "data_ratio", "selection_ratio", "keep_ratio"),
        ),
    ),
    "group": ((),),  # what may name the series is weighed in `groups`
    "seed": (("random_seed", "data_seed", "train_seed", "training_seed", "run_seed", "rng_seed"),),
    "rate": (("lr_share", "rate_over_peak"),),
    "rate_tokens": (("rate_weighted_tokens", "lr_tokens"),),
    # learning_rate, lr_scheduler_type and warmup_ratio of trainers are settings of finished runs: --map reads them
    "schedule": (("lr_schedule",),),
    "warmup": (("warmup_share",),),
    "peak_rate": (("peak_lr", "peak_learning_rate"),),
    "batch_tokens": (("tokens_per_batch", "tokens_per_step"),),
    "stderr": (("std_err", "std_error", "standard_error", "sem", "se"),),
}
#: alias -> canonical column
CANONICAL = {alias: name for name, ranks in ALIASES.items() for rank in ranks for alias in rank}
#: what stands beside N where it is the number of parameters: data and compute of a scaling law, D in tokens
_TOKENS_OF_LAWS = "d"
_COMPUTE = {"c", "flops", "train_flops", "training_flops", "total_flops", "pflops", "compute", "train_compute"}
_PARAMETERS = re.compile(r"(^|_)(params?|parameters|non?_emb\w*|nonemb\w*)($|_)")
#: what a header says its numbers count
_FACTORS = {
    **dict.fromkeys(("k", "thousand", "thousands", "1000", "1k", "1e3"), 1e3),
    **dict.fromkeys(("m", "mio", "mn", "million", "millions", "1e6"), 1e6),
    **dict.fromkeys(("b", "bn", "g", "mrd", "billion", "billions", "1e9"), 1e9),
}
_PLAIN = {"tokens", "tok", "examples", "rows", "samples", "nats", "n", "#", "count"}
_PERCENT = {"%", "pct", "percent", "percentage"}
_BRACKETS = re.compile(r"(?P<name>[^()\[\]]*[^()\[\]\s])\s*[(\[](?P<unit>[^()\[\]]*)[)\]]")
_NUMBER_OF = re.compile(r"^(#_?|(number|no|nr|num|count)_of_)(train(ing)?_)?")
#: aliases that people also use for labels: a number column only where every cell is a number
_NUMBER_OR_LABEL = {"model_size"}
#: of a model where it is written like 7B or 160M, beside a column of the data
_SIZE = "size"
_AS_MODELS_ARE = re.compile(r"[0-9.,]+ ?[MB]", re.IGNORECASE)
_DATA = ("examples", "tokens", "tokens_seen", "fraction")
#: what trackers write before the name of what was set or measured: W&B, Neptune, ClearML, Aim, Lightning
_SECTION = re.compile(
    r"(config|params?|parameters|h_?params|hyper_?parameters|general|args|metrics|summary)[./](?=.)", re.IGNORECASE
)


@dataclass(frozen=True)
class Columns:
    """canonical column -> header in the file; keys: header -> the name it is known by (normalised, after --map).

    scale: header -> what its numbers count, 1e6 for 'tokens (M)'; percent: headers that say so, 'accuracy (%)'.
    """

    header: Mapping[str, str]
    keys: Mapping[str, str]
    scale: Mapping[str, float] = field(default_factory=dict)
    percent: frozenset[str] = frozenset()

    def renamed(self) -> list[str]:
        """'n_samples as examples' for each header that is not the canonical name itself."""
        return [f"{h} as {name}" for name, h in self.header.items() if normalise(h) != name]


def resolve(raw: RawTable, column_map: Mapping[str, str]) -> Columns:
    """Which header holds which canonical column. `column_map`: {header in the file: canonical column or metric}.

    Columns without any text count as absent. Raises InputError where two columns claim one name, or a map is wrong.
    """
    keys = _keys(raw, column_map)
    filled = {header: key for header, key in keys.items() if key and not raw.is_blank(header)}
    filled |= _of_laws(raw, filled)
    found: dict[str, str] = {}
    for name, ranks in ALIASES.items():
        for rank in ((name,), *ranks):
            headers = [h for h, key in filled.items() if key in rank and _fits(raw, h, key)]
            if len(headers) > 1:
                raise InputError(
                    f"{raw.source}: columns {headers[0]!r} and {headers[1]!r} both mean {name}",
                    hint=f"choose one with --map {quote(headers[0])}={name}",
                )
            if headers:
                found[name] = headers[0]
                break
    units = {header: name for header in raw.headers if (name := _unit(header)[1])}
    counts = {found[name] for name in (*numbers.COUNTS, "avg_tokens") if name in found}
    scale = {header: _FACTORS[unit] for header, unit in units.items() if unit in _FACTORS and header in counts}
    percent = frozenset(header for header, unit in units.items() if unit in _PERCENT)
    if "fraction" in found and found["fraction"] in percent:
        scale[found["fraction"]] = 0.01
    return Columns(found, keys, scale, percent)


def _of_laws(raw: RawTable, keys: Mapping[str, str]) -> dict[str, str]:
    """{header: name} for N and D of a table of scaling laws, where N is the size of the model and D are tokens.

    Raises InputError where a column of parameters stands beside N too: nothing says then what N counts.
    """
    header = {key: h for h, key in keys.items()}
    if "n" not in header:
        return {}
    known = {CANONICAL.get(key, key) for key in keys.values() if key != "n"}
    if _TOKENS_OF_LAWS not in header and not _COMPUTE & set(header):
        sized = "model_params" in known or any(map(_PARAMETERS.search, header))
        if not sized or "examples" in known:
            return {}
        N = header["n"]
        raise InputError(
            f"{raw.source}: column {N!r} may be the number of examples or the model's size, since there is a column of "
            "parameters too",
            hint=f"--map {quote(N)}=examples where it counts training examples, else --map {quote(N)}=model_params",
        )
    found = {header["n"]: "" if "model_params" in known else "model_params"}
    if _TOKENS_OF_LAWS in header and not known & {"tokens", "tokens_seen"}:
        found[header[_TOKENS_OF_LAWS]] = "tokens"
    return found


def _keys(raw: RawTable, column_map: Mapping[str, str]) -> dict[str, str]:
    # what stands aside in a log is found by --map and not by its name
    written = Counter(map(normalise, raw.headers))
    keys = {header: "" if header in raw.aside else _key(header, written) for header in raw.headers}
    chosen: dict[str, str] = {}
    for theirs, ours in column_map.items():
        name = CANONICAL.get(normalise(ours), normalise(ours))
        header = raw.find(theirs, option="--map")
        if name in chosen:
            raise InputError(f"--map gives {name} to both {chosen[name]!r} and {header!r}", hint="map one of them")
        chosen[name] = header
    # what the user mapped is the only column of that name
    for header, key in keys.items():
        if CANONICAL.get(key, key) in chosen:
            keys[header] = ""
    for name, header in chosen.items():
        keys[header] = name
    return keys


def _key(header: str, written: Mapping[str, int]) -> str:
    """The name of a column; a tracker's section before it means nothing, unless there is a column without it too."""
    key = _unit(_SECTION.sub("", header, count=1) if _SECTION.match(header) else header)[0]
    return normalise(header) if written.get(key, 0) > (normalise(header) == key) else key


def _unit(header: str) -> tuple[str, str]:
    """The name of a column and the unit in its header: 'Tokens (M)' -> ('tokens', 'm'), 'params_b' -> ('params', 'b').

    Anything else in brackets says what is counted, and stays a part of the name: 'tokens (padded)'.
    """
    whole = normalise(header)
    bare = _bare(whole)
    if bare in CANONICAL or bare in ALIASES:
        return bare, ""
    if found := _BRACKETS.fullmatch(header.strip()):
        unit = normalise(found["unit"]).removeprefix("in_")
        if unit in _FACTORS or unit in _PERCENT or unit in _PLAIN:
            return _bare(normalise(found["name"])), unit
    name, _, unit = bare.rpartition("_")
    name = name.removesuffix("_in")
    counted = CANONICAL.get(name, name) in (*numbers.COUNTS, "avg_tokens")
    if (unit in _FACTORS and counted and len(name) > 1) or (unit in _PERCENT and name):
        return name, unit
    return whole, ""


def _bare(key: str) -> str:
    """Without '# ', 'no. of', 'number of' where what follows is a column."""
    name = _NUMBER_OF.sub("", key)
    return name if CANONICAL.get(name, name) in ALIASES else key


def _fits(raw: RawTable, header: str, key: str) -> bool:
    """False for a column of labels whose name could also be a number's: model_size = small, large."""
    if key == _SIZE:
        data = {CANONICAL.get(name, name) for other in raw.headers for name in (_unit(other)[0],) if other != header}
        return bool(data & set(_DATA)) and all(_AS_MODELS_ARE.fullmatch(row[header] or "1M") for row in raw.rows)
    if key not in _NUMBER_OR_LABEL:
        return True
    try:
        for row in raw.rows:
            if row[header]:
                numbers.parse(row[header], counts=True)
    except numbers.CellError:
        return False
    return True


def names_column(header: str) -> bool:
    """Whether a header is the name or an alias of a canonical column, or 'loss', which every table may be judged by."""
    key = _unit(header)[0]
    return key in ALIASES or key in CANONICAL or key.endswith(("loss", "accuracy", "score"))


def near_misses(raw: RawTable, columns: Columns) -> dict[str, str]:
    """{header: 'did you mean X?'} for unused headers that look like a misspelt canonical column that is absent."""
    absent = [name for name in ALIASES if name not in columns.header]
    unused = [h for h in raw.headers if h not in columns.header.values() and columns.keys[h] and not raw.is_blank(h)]
    hints = {header: suggest(header, absent) for header in unused}
    return {header: hint for header, hint in hints.items() if hint is not None}
