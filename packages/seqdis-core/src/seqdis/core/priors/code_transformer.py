"""The network of the autoregressive prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import DynamicCache, GPT2Config, GPT2Model

from seqdis.core.finite import check_scale
from seqdis.core.quantize.codebook_use import count_codes

__all__ = ["CodeTransformer"]


class CodeTransformer(nn.Module):
    """Logits of ``p(c_i^{τ+1} = j | s, c^{1:τ})``: GPT-2 with G heads side by side (BCD, App. A.2).

    Its inputs are features, standardised and mapped to its width: ``[W_s·s, W_m·m^1, W_m·m^2, …]``, the
    content as the first element of the sequence and then the codebook's vectors ``m`` of the codes. (At the
    paper's size a step's motion has as many channels, 64 groups of 16, as GPT-2 has hidden units.)

    Args:
        static_shape: Shape of one content, S.
        codebook_shape: Shape of the codebook, ``(G, J, dim)``; its vectors are set afterwards.
        positions: Length of the longest input, the content included.
        width: Hidden size, a multiple of the number of heads.
        depth: Number of layers.
        heads: Number of attention heads.
        dropout: Probability of dropout after embeddings, attention and each sublayer.
    """

    codebook: Tensor
    content_mean: Tensor
    content_std: Tensor
    motion_mean: Tensor
    motion_std: Tensor

    def __init__(
        self,
        *,
        static_shape: tuple[int, ...],
        codebook_shape: tuple[int, int, int],
        positions: int,
        width: int,
        depth: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        groups, codes, dim = codebook_shape
        self.register_buffer("codebook", torch.zeros(codebook_shape))
        inputs = {"content": torch.Size(static_shape).numel(), "motion": groups * dim}
        for name, features in inputs.items():
            self.register_buffer(f"{name}_mean", torch.zeros(features))
            self.register_buffer(f"{name}_std", torch.ones(features))
        self.from_content = nn.Linear(inputs["content"], width)
        self.from_motion = nn.Linear(inputs["motion"], width)
        config = GPT2Config(
            vocab_size=1,
            n_positions=positions,
            n_embd=width,
            n_layer=depth,
            n_head=heads,
            embd_pdrop=dropout,
            resid_pdrop=dropout,
            attn_pdrop=dropout,
            bos_token_id=None,
            eos_token_id=None,
        )
        self.transformer = GPT2Model(config)
        # Inputs come embedded: there is no vocabulary.
        self.transformer.set_input_embeddings(None)  # type: ignore[no-untyped-call]
        self.heads = nn.Linear(width, groups * codes, bias=False)
        for linear in (self.from_content, self.from_motion, self.heads):
            nn.init.normal_(linear.weight, std=config.initializer_range)
        self.register_load_state_dict_post_hook(CodeTransformer._check_stds)  # type: ignore[no-untyped-call]

    def _check_stds(self, _: object) -> None:
        check_scale(self.content_std, "content_std")
        check_scale(self.motion_std, "motion_std")

    def vectors(self, codes: Tensor) -> Tensor:
        """The codebook's vectors ``(B, T, G·dim)`` of codes ``(B, T, G)``."""
        group = torch.arange(len(self.codebook), device=codes.device)
        return self.codebook[group, codes].flatten(2)

    @torch.no_grad()
    def standardise(self, static: Tensor, codes: Tensor) -> None:
        """Take mean and deviation of each input from ``static (B, *S)`` and ``codes (B, T, G)``."""
        std, mean = torch.std_mean(static.flatten(1), dim=0, correction=0)
        self._keep("content", mean, std)
        counts = count_codes(codes, self.codebook.shape[1]).to(self.codebook)
        share = (counts / counts.sum(1, keepdim=True))[..., None]
        mean = (share * self.codebook).sum(1)
        variance = (share * (self.codebook - mean[:, None]).square()).sum(1)
        self._keep("motion", mean.flatten(), variance.sqrt().flatten())

    def _keep(self, name: str, mean: Tensor, std: Tensor) -> None:
        getattr(self, f"{name}_mean").copy_(mean)
        # A constant entry is not scaled: its deviation is 0.
        getattr(self, f"{name}_std").copy_(torch.where(std > 1e-6, std, 1.0))

    def new_cache(self) -> DynamicCache:
        """An empty cache of keys and values."""
        return DynamicCache(config=self.transformer.config)

    def forward(self, static: Tensor | None, codes: Tensor, *, cache: DynamicCache | None = None) -> Tensor:
        """Logits of the codes that follow each element of the input.

        Args:
            static: The content, ``(B, *S)``; None where the cache has seen it.
            codes: The steps after it, or after those of the cache, ``(B, T, G)``.
            cache: Keys and values of all elements before; extended by those of this call.

        Returns:
            ``(B, T + 1, G, J)``, or ``(B, T, G, J)`` without content.
        """
        tokens = self.from_motion((self.vectors(codes) - self.motion_mean) / self.motion_std)
        if static is not None:
            content = (static.flatten(1) - self.content_mean) / self.content_std
            tokens = torch.cat([self.from_content(content)[:, None], tokens], dim=1)
        out = self.transformer(inputs_embeds=tokens, past_key_values=cache, use_cache=cache is not None)
        logits: Tensor = self.heads(out.last_hidden_state)
        return logits.unflatten(-1, self.codebook.shape[:2])
