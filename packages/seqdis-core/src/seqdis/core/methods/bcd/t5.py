"""A T5 encoder over frames, with learnable queries that gather what a whole clip has in common."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import T5Config, T5EncoderModel

from seqdis.core.errors import InputError

__all__ = ["EncodedSequence", "T5SequenceEncoder"]


@dataclass(frozen=True)
class EncodedSequence:
    """The output of a sequence encoder.

    Attributes:
        content: One token a query, ``(B, K, width)``.
        motion: One token a frame, ``(B, V, width)``.
    """

    content: Tensor
    motion: Tensor


class T5SequenceEncoder(nn.Module):
    """``[content; motion] = T5([q_1 … q_K; e(x^1) … e(x^V)])`` (BCD, Sec. 3.1).

    The encoder of T5 (Raffel et al. 2020) attends in both directions under relative positions, and so takes
    any number of frames. ``e`` is a linear layer of the flattened frame: the paper says no more than that
    frames become a sequence of features. There is no dropout, which would draw without a generator.

    Args:
        inputs: Size of a flattened frame.
        width: Hidden size of the transformer.
        feedforward: Width of the feed-forward layers.
        depth: Number of layers.
        heads: Number of attention heads; it divides the width.
        queries: Number of queries, and so of content tokens, K.

    Raises:
        InputError: The heads do not divide the width.
    """

    def __init__(
        self, inputs: int, *, width: int, feedforward: int, depth: int, heads: int, queries: int
    ) -> None:
        super().__init__()
        if width % heads:
            raise InputError(
                f"an encoder of width {width} with {heads} heads; the heads must divide the width"
            )
        self.embed = nn.Linear(inputs, width)
        self.queries = nn.Parameter(torch.empty(queries, width))
        nn.init.normal_(self.queries)
        config = T5Config(
            vocab_size=1,
            d_model=width,
            d_kv=width // heads,
            d_ff=feedforward,
            num_layers=depth,
            num_heads=heads,
            dropout_rate=0.0,
            pad_token_id=None,
            eos_token_id=None,
        )
        self.transformer = T5EncoderModel(config)
        # Frames come embedded: there is no vocabulary.
        self.transformer.set_input_embeddings(None)  # type: ignore[no-untyped-call]

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> EncodedSequence:
        """Encode flattened frames, ``(B, V, inputs)``.

        Args:
            frames: Flattened frames, ``(B, V, inputs)``.
            mask: True where a frame exists, ``(B, V)``: no token attends to the others.
        """
        queries = self.queries.expand(len(frames), -1, -1)
        tokens = torch.cat([queries, self.embed(frames).to(queries.dtype)], dim=1)
        attended = None if mask is None else F.pad(mask, (queries.shape[1], 0), value=1).long()
        out = self.transformer(inputs_embeds=tokens, attention_mask=attended).last_hidden_state
        content, motion = out.split([queries.shape[1], frames.shape[1]], dim=1)
        return EncodedSequence(content, motion)
