"""Speech: utterances, voices, recognisers, and how what a model says sounds."""
