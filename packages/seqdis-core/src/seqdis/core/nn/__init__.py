"""Networks that methods and modalities are built from."""

from seqdis.core.nn.attention import SpatialSelfAttention
from seqdis.core.nn.dit import DiT
from seqdis.core.nn.embedding import NoiseEmbedding
from seqdis.core.nn.mlp import DenoiserMLP, FrameMLP
from seqdis.core.nn.norm import AdaGroupNorm, AdaLayerNorm, GroupNormSiLU
from seqdis.core.nn.recurrent import FactorLSTM
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.nn.spatial_transformer import SpatialTransformer
from seqdis.core.nn.unet import UNetDenoiser, UNetEncoder

__all__ = [
    "AdaGroupNorm",
    "AdaLayerNorm",
    "DenoiserMLP",
    "DiT",
    "FactorLSTM",
    "FrameMLP",
    "GroupNormSiLU",
    "NoiseEmbedding",
    "ResidualEncoder",
    "SpatialSelfAttention",
    "SpatialTransformer",
    "UNetDenoiser",
    "UNetEncoder",
]
