"""How long an example is, in tokens: text and what its template adds. Pure; reading rows is `readers.examples`.

Sources
    [1] UTF-8 bytes / 4 against Qwen2.5's tokenizer on seven kinds of real text: -4 % (tool JSON) to +21 % (English
        instructions), +13 % on Chinese, where characters / 4 is 56 % low.
    [2] ChatML writes <|im_start|>, role, newline, <|im_end|>, newline around a turn, Llama 3 <|start_header_id|>, role,
        <|end_header_id|>, blank line, <|eot_id|>: five tokens each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

#: UTF-8 bytes per token where there is no tokenizer [1]
BYTES_PER_TOKEN = 4
#: how far off that may be, either way, as a share of the length [1]
ESTIMATE_ERROR = 0.2
#: tokens that a chat template adds to each turn [2]
TURN_TOKENS = 5
#: tokens that a trainer adds to an example without a chat template: the end of the text
END_TOKENS = 1


@dataclass(frozen=True)
class Measure:
    """How the lengths of a pool were counted, and of which rows.

    shape             form of the rows, a name in `readers.examples.shapes`
    conversation      whether a chat template wraps their texts
    turn_tokens       tokens that the template adds to each turn of a conversation
    tokenizer         path of the tokenizer.json, as it was given; '' where lengths are estimated
    tokenizer_sha256  of that file
    rows, content     rows of the pool file, and a digest of the bytes of text in each, in order
    columns           part of the form -> column of the pool, of all that is counted and occurs
    """

    shape: str
    conversation: bool = True
    turn_tokens: int = TURN_TOKENS
    tokenizer: str = ""
    tokenizer_sha256: str = ""
    rows: int = 0
    content_sha256: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def estimated(self) -> bool:
        return not self.tokenizer_sha256

    @property
    def relative_error(self) -> float:
        """How far off every length may be, as a share of it; 0 where a tokenizer counted."""
        return ESTIMATE_ERROR if self.estimated else 0.0

    @property
    def how(self) -> str:
        """The rule in words."""
        added = f"plus {self.turn_tokens} per turn" if self.conversation else f"plus {END_TOKENS} for the end"
        if self.estimated:
            return f"UTF-8 bytes / {BYTES_PER_TOKEN} {added}"
        return f"tokens of {PurePath(self.tokenizer).name} {added}"


def estimated_tokens(text_bytes: Ints) -> Ints:
    """(n,) tokens of texts of so many UTF-8 bytes, rounded up."""
    return -(-text_bytes // BYTES_PER_TOKEN)


def with_template(text_tokens: Ints, turns: Ints, turn_tokens: int) -> Ints:
    """(n,) tokens of whole examples. turns: (n,) turns of a conversation, 0 where an example is no conversation."""
    return text_tokens + np.where(turns > 0, turns * turn_tokens, END_TOKENS)
