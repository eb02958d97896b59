"""Train DiffSDA on Arabic speech commands: who speaks (static), which word (dynamic).

python train.py --data FOLDER --out runs/arabic_speech [train.steps=2000 ...]
"""

from pathlib import Path

from seqdis.core import apply_overrides, get_preset, train
from seqdis.core.cli.options import Data, Overrides, Resume
from seqdis.core.cli.script import run_script, script_command


def main(
    overrides: Overrides = None,
    preset: str = "diffsda-arabic",
    data: Data = None,
    out: Path = Path("runs/arabic_speech"),
    resume: Resume = False,
) -> None:
    config = apply_overrides(get_preset(preset), overrides or [])
    train(config, out, data=data, resume=resume, command=script_command())


if __name__ == "__main__":
    run_script(main)
