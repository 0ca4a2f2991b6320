"""Which token may look at which, written once and read in three forms.

A rule is a question about one query and one key. Evaluated over all pairs it gives the additive float mask that eager
and SDPA attention take; handed to FlexAttention as it stands it gives the block mask; and the lengths of its documents
are what FlashAttention takes. So no backend can have a rule of its own.

Shapes: B rows, T tokens of a row as queries, S tokens of a row as keys (those of the encoder in cross-attention).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch.nn.attention.flex_attention import BlockMask

Pattern = Literal["causal", "bidirectional", "prefix", "permutation"]


@dataclass(frozen=True)
class Visibility:
    """Tokens see tokens of the same document, and of these what the pattern allows.

    Attributes:
        query_segments, key_segments: int[B, T] and int[B, S]: the document a token belongs to. Padding is document 0
            and sees padding only, so that no row of a softmax is empty.
        pattern: `causal` sees itself and what stands before; `prefix` also the whole prefix; `bidirectional`
            everything; `permutation` what comes earlier in the order of prediction.
        prefix: bool[B, S], true for tokens that everyone sees (`prefix` only).
        order: int[B, S], the rank in which a token is predicted, 0 for tokens that are given (`permutation` only).
        window: Keys at a distance of more than this are hidden (`causal`: of this or more, as transformers counts).
    """

    query_segments: torch.Tensor
    key_segments: torch.Tensor
    pattern: Pattern
    prefix: torch.Tensor | None = None
    order: torch.Tensor | None = None
    window: int | None = None

    def __call__(
        self, row: torch.Tensor, head: torch.Tensor | None, query: torch.Tensor, key: torch.Tensor
    ) -> torch.Tensor:
        """Return whether `query` sees `key` in `row`; the numbers may be tensors of any shape that broadcasts."""
        del head
        seen = self.query_segments[row, query] == self.key_segments[row, key]
        if self.pattern == "causal":
            seen = seen & (key <= query)
        elif self.pattern == "prefix":
            seen = seen & (((key <= query) | self.prefix[row, key]) if self.prefix is not None else (key <= query))
        elif self.pattern == "permutation" and self.order is not None:
            rank = self.order[row, key]
            seen = seen & ((rank == 0) | (rank < self.order[row, query]))
        if self.window is None:
            return seen
        distance = (query - key).abs()
        return seen & (distance < self.window if self.pattern == "causal" else distance <= self.window)

    def dense(self) -> torch.Tensor:
        """Return bool[B, T, S]: the rule for every pair."""
        import torch

        device = self.query_segments.device
        row = torch.arange(self.query_segments.shape[0], device=device)[:, None, None]
        query = torch.arange(self.query_segments.shape[1], device=device)[None, :, None]
        key = torch.arange(self.key_segments.shape[1], device=device)[None, None, :]
        return self(row, None, query, key)

    def additive(self) -> torch.Tensor:
        """Return float[B, 1, T, S]: 0 where a token may look, the most negative bfloat16 elsewhere.

        The value is finite in every dtype that autocast may choose.
        """
        import torch

        hidden = torch.finfo(torch.bfloat16).min
        visible_bts = self.dense()
        mask_bts = torch.zeros(visible_bts.shape, dtype=torch.float32, device=visible_bts.device)
        return mask_bts.masked_fill_(~visible_bts, hidden)[:, None]

    def blocks(self) -> BlockMask:
        """Return the same for FlexAttention, which skips blocks of pairs that never see each other."""
        from torch.nn.attention.flex_attention import create_block_mask

        (rows, queries), keys = self.query_segments.shape, self.key_segments.shape[1]
        return create_block_mask(self, rows, None, queries, keys, device=self.query_segments.device)


def positions(segment_ids_bt: torch.Tensor) -> torch.Tensor:
    """Return int64[B, T]: the place of each token in its document, as far as the document lies in this row.

    >>> import torch
    >>> positions(torch.tensor([[1, 1, 1, 2, 2, 0]]))
    tensor([[0, 1, 2, 0, 1, 0]])
    """
    import torch

    place_t = torch.arange(segment_ids_bt.shape[1], device=segment_ids_bt.device)
    first_bt = torch.where(_starts(segment_ids_bt), place_t, 0).cummax(dim=1).values
    return place_t - first_bt


def document_ends(segment_ids_bt: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Return the ends of all documents when the rows are laid one behind the other, and the longest document.

    The ends are int32[D + 1] and begin with 0: what FlashAttention calls `cu_seqlens`. Padding at the end of a row
    counts as a document.

    >>> import torch
    >>> document_ends(torch.tensor([[1, 1, 2, 2], [1, 1, 1, 0]]))
    (tensor([0, 2, 4, 7, 8], dtype=torch.int32), 3)
    """
    import torch

    starts_n = _starts(segment_ids_bt).flatten().nonzero().flatten()
    end = torch.tensor([segment_ids_bt.numel()], device=starts_n.device)
    ends_d = torch.cat([starts_n, end]).to(torch.int32)
    return ends_d, int(ends_d.diff().max())


def _starts(segment_ids_bt: torch.Tensor) -> torch.Tensor:
    import torch

    starts_bt = torch.ones_like(segment_ids_bt, dtype=torch.bool)
    starts_bt[:, 1:] = segment_ids_bt[:, 1:] != segment_ids_bt[:, :-1]
    return starts_bt
