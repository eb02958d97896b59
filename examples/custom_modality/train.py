"""Train DiffSDA on motion capture: whose body (static), which motion (dynamic).

python train.py --data FOLDER --out runs/mocap [train.steps=500 ...]
"""

from seqdis.core.cli.training_script import training_script

if __name__ == "__main__":
    training_script(preset="mocap", out="runs/mocap")
