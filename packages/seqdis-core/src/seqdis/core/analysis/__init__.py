"""Analysis of a trained model: encode a dataset, probe its factors, swap them, move along them, draw new ones."""

from seqdis.core.analysis.confidence import bootstrap, bootstrap_mean, wilson
from seqdis.core.analysis.encode import encode_dataset, evaluating, row_sources
from seqdis.core.analysis.generate import DrawnSwap, Generated, generate, swap_drawn
from seqdis.core.analysis.pairs import fixed_pairs
from seqdis.core.analysis.principal import (
    PrincipalComponents,
    label_association,
    principal_components,
)
from seqdis.core.analysis.probe import ProbeOutcome, probe, probe_factors, probe_outcomes, probe_splits
from seqdis.core.analysis.swap import SwapResult, swap_pairs
from seqdis.core.analysis.swap_matrix import SwapMatrix, swap_matrix
from seqdis.core.analysis.traverse import TraverseResult, traverse

__all__ = [
    "DrawnSwap",
    "Generated",
    "PrincipalComponents",
    "ProbeOutcome",
    "SwapMatrix",
    "SwapResult",
    "TraverseResult",
    "bootstrap",
    "bootstrap_mean",
    "encode_dataset",
    "evaluating",
    "fixed_pairs",
    "generate",
    "label_association",
    "principal_components",
    "probe",
    "probe_factors",
    "probe_outcomes",
    "probe_splits",
    "row_sources",
    "swap_drawn",
    "swap_matrix",
    "swap_pairs",
    "traverse",
    "wilson",
]
