"""Vector quantisation in groups, the rate of its codes, and their streams as files."""

from seqdis.core.quantize.bitrate import Bitrate, RateOutput, batch_histogram, entropy_bits
from seqdis.core.quantize.codebook_use import CodebookUse, codebook_use, cross_entropy_bits
from seqdis.core.quantize.group_vq import GroupVectorQuantizer, QuantizeOutput
from seqdis.core.quantize.stream import (
    CodeStream,
    PackedCodes,
    pack_codes,
    read_codes,
    unpack_codes,
    write_codes,
)

__all__ = [
    "Bitrate",
    "CodeStream",
    "CodebookUse",
    "GroupVectorQuantizer",
    "PackedCodes",
    "QuantizeOutput",
    "RateOutput",
    "batch_histogram",
    "codebook_use",
    "cross_entropy_bits",
    "entropy_bits",
    "pack_codes",
    "read_codes",
    "unpack_codes",
    "write_codes",
]
