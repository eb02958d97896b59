"""Videos prepared for training: cut to a region, resized, sampled at another rate."""
