"""Audio for seqdis: datasets, presets, log-mel frames, wav and flac."""
