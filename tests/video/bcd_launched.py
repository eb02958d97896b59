"""What `accelerate launch` starts in test_bcd_processes.py, and what the test runs by itself: a run in two stages."""

from __future__ import annotations

import sys
from pathlib import Path

from seqdis.core.config import apply_overrides
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.training import train

STAGES = (
    '[{"name": "spatial", "steps": 3, "frozen": ["temporal"]}, '
    '{"name": "temporal", "steps": 3, "rates": {"encoder": 0.5}}]'
)


def main(out: Path) -> None:
    changes = [f"train.stages={STAGES}", "batch_size=8", "log_every=1", "precision=fp32", "lr=1e-4"]
    config = apply_overrides(get_preset("bcd-shapes"), changes)
    data = build_dataset("video", config.data, "train")
    train(config, out, train_set=data, val_set=None, device="cpu", show_progress=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
