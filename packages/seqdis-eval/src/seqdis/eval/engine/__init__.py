"""Parts that all protocols share: modes, seeds, pairs, and the loop that runs a model over a dataset."""
