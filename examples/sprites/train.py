"""Train DiffSDA on Sprites: who the character is (static), what it does and where it looks (dynamic).

python train.py --data FOLDER --out runs/sprites [train.steps=2000 ...]
python train.py --preset diffsda-sprites32 --data FOLDER --out runs/sprites32      (32x32, for a CPU)
"""

from pathlib import Path

from seqdis.core import apply_overrides, get_preset, train
from seqdis.core.cli.options import Data, Overrides, Resume
from seqdis.core.cli.script import run_script, script_command


def main(
    overrides: Overrides = None,
    preset: str = "diffsda-sprites",
    data: Data = None,
    out: Path = Path("runs/sprites"),
    resume: Resume = False,
) -> None:
    config = apply_overrides(get_preset(preset), overrides or [])
    train(config, out, data=data, resume=resume, command=script_command())


if __name__ == "__main__":
    run_script(main)
