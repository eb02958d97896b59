"""The largest sizes that settings and options may ask for; no model that was ever trained reaches these."""

from __future__ import annotations

__all__ = ["DEEPEST", "LARGEST_SEED", "LONGEST", "LONGEST_CLIP", "WIDEST"]

WIDEST, DEEPEST = 1 << 16, 1 << 10
"""The largest width of a layer, and the largest number of layers, levels, heads or processes."""
LONGEST, LONGEST_CLIP = 10**9, 10**7
"""The largest number of repetitions of anything (steps, epochs, draws), and of steps of a sequence."""
LARGEST_SEED = (1 << 63) - 1
"""The largest seed: the largest whole number of 64 bits."""
