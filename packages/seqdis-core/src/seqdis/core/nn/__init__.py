"""Networks that methods and modalities are built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.nn.attention import SpatialSelfAttention
    from seqdis.core.nn.embedding import NoiseEmbedding
    from seqdis.core.nn.mlp import DenoiserMLP, FrameMLP
    from seqdis.core.nn.norm import AdaGroupNorm, AdaLayerNorm, GroupNormSiLU
    from seqdis.core.nn.recurrent import FactorLSTM
    from seqdis.core.nn.residual_encoder import ResidualEncoder
    from seqdis.core.nn.spatial_transformer import SpatialTransformer
    from seqdis.core.nn.unet import UNetDenoiser, UNetEncoder
    from seqdis.core.nn.unet_decoder import UNetDecoder

__all__ = [
    "AdaGroupNorm",
    "AdaLayerNorm",
    "DenoiserMLP",
    "FactorLSTM",
    "FrameMLP",
    "GroupNormSiLU",
    "NoiseEmbedding",
    "ResidualEncoder",
    "SpatialSelfAttention",
    "SpatialTransformer",
    "UNetDecoder",
    "UNetDenoiser",
    "UNetEncoder",
]

_HOMES = {
    "attention": ["SpatialSelfAttention"],
    "embedding": ["NoiseEmbedding"],
    "mlp": ["DenoiserMLP", "FrameMLP"],
    "norm": ["AdaGroupNorm", "AdaLayerNorm", "GroupNormSiLU"],
    "recurrent": ["FactorLSTM"],
    "residual_encoder": ["ResidualEncoder"],
    "spatial_transformer": ["SpatialTransformer"],
    "unet": ["UNetDenoiser", "UNetEncoder"],
    "unet_decoder": ["UNetDecoder"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
