"""Train DiffSDA on Sprites: who the character is (static), what it does and where it looks (dynamic).

python train.py --data FOLDER --out runs/sprites [train.steps=2000 ...]
python train.py --preset diffsda-sprites32 --data FOLDER --out runs/sprites32      (32x32, for a CPU)
"""

from seqdis.core.cli.training_script import training_script

if __name__ == "__main__":
    training_script(preset="diffsda-sprites", out="runs/sprites")
