"""Train DiffSDA on motion capture: whose body (static), which motion (dynamic).

python train.py --data FOLDER --out runs/mocap [train.steps=500 ...]
"""

from pathlib import Path

from seqdis.core import apply_overrides, get_preset, train
from seqdis.core.cli.options import Data, Overrides, Resume
from seqdis.core.cli.script import run_script, script_command


def main(
    overrides: Overrides = None,
    preset: str = "mocap",
    data: Data = None,
    out: Path = Path("runs/mocap"),
    resume: Resume = False,
) -> None:
    config = apply_overrides(get_preset(preset), overrides or [])
    train(config, out, data=data, resume=resume, command=script_command())


if __name__ == "__main__":
    run_script(main)
