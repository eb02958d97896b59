"""What one does with a trained model: encode a dataset, probe its factors, swap them."""

from seqdis.core.analysis.confidence import bootstrap_mean, wilson
from seqdis.core.analysis.encode import encode_dataset, evaluating, row_sources
from seqdis.core.analysis.pairs import fixed_pairs
from seqdis.core.analysis.probe import probe_accuracy, probe_factors
from seqdis.core.analysis.swap import SwapResult, swap_pairs

__all__ = [
    "SwapResult",
    "bootstrap_mean",
    "encode_dataset",
    "evaluating",
    "fixed_pairs",
    "probe_accuracy",
    "probe_factors",
    "row_sources",
    "swap_pairs",
    "wilson",
]
