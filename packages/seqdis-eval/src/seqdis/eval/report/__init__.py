"""Reports: self-contained HTML pages of blocks (tables, clips, charts), and those of a trained run."""
