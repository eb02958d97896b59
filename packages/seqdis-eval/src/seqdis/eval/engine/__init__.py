"""What all protocols share: modes, seeds, pairs, and the one loop that runs a model over a dataset."""
