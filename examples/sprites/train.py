"""Train DiffSDA on Sprites: who the character is (static), what it does and where it looks (dynamic).

python train.py --data FOLDER --out runs/sprites [train.steps=2000 ...]
python train.py --preset diffsda-sprites32 --data FOLDER --out runs/sprites32      (32x32, for a CPU)
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from seqdis.core.config import apply_overrides
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.training import train


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="diffsda-sprites")
    parser.add_argument("--data", type=Path, help="the dataset's folder; $SEQDIS_DATA/sprites by default")
    parser.add_argument("--out", type=Path, default=Path("runs/sprites"))
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes to the preset")
    args = parser.parse_args()

    config = apply_overrides(get_preset(args.preset), args.overrides)
    train_set, val_set = (
        build_dataset(config.modality, config.data, split, root=args.data, seed=config.train.seed)
        for split in ("train", "val")
    )
    train(
        config,
        args.out,
        train_set=train_set,
        val_set=val_set,
        resume=args.resume,
        command=shlex.join(["python", "train.py", *sys.argv[1:]]),
    )


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
