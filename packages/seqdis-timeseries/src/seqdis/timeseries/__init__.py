"""Time series for seqdis: datasets, presets, csv, parquet and npy."""
