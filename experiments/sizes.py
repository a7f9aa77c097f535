"""The models' sizes, trained and selecting, and what their FLOPs are: counted by the formulas of `ftplan.costs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ftplan.costs.model import Model
from ftplan.costs.training import forward_flops_per_token

#: tokens that there are, and the most that one sequence holds
VOCABULARY, CONTEXT = 2048, 512
#: one example: token ids
Tokens = npt.NDArray[np.uint16]
#: a training step is a forward pass, and a backward pass of about two
FORWARDS_PER_STEP = 3


@dataclass(frozen=True)
class Size:
    """One architecture; feed-forward of four times the width, head tied to the embedding."""

    name: str
    layers: int
    width: int
    heads: int

    @property
    def block_params(self) -> int:
        """Matrices of all blocks, and the norms: parameters without embeddings."""
        return self.layers * (12 * self.width**2 + 4 * self.width) + 2 * self.width

    @property
    def total_params(self) -> int:
        return self.block_params + (VOCABULARY + CONTEXT) * self.width

    @property
    def model(self) -> Model:
        """As a plan's cost model wants it."""
        w = self.width
        return Model(
            name=self.name,
            layers=self.layers,
            d_model=w,
            d_ff=4 * w,
            kv_dim=w,
            q_dim=w,
            block_params=self.block_params,
            embedding_params=VOCABULARY * w,
            total_params=self.total_params,
            context_tokens=CONTEXT,
            source="experiments/sizes.py",
            gated=False,
            tied=True,
            position_params=CONTEXT * w,
        )

    def forward_flops(self, rows: Sequence[Tokens]) -> float:
        """FLOPs of one forward pass over these rows, padding not counted; each token attends over its own row."""
        lengths = np.array([len(row) for row in rows], dtype=float)
        attention = float((lengths**2).sum() / lengths.sum())
        return forward_flops_per_token(self.model.flop_params, self.layers, self.width, attention) * lengths.sum()


SIZES = {
    size.name: size
    for size in (
        Size("xxs", 2, 24, 2),
        Size("xs", 2, 48, 2),
        Size("xs3", 3, 64, 4),
        Size("s", 3, 96, 3),
        Size("m", 4, 128, 4),
    )
}
