"""Train DiffSDA on ETTh1: which part of the year (static), what the loads do hour by hour (dynamic).

python train.py --data FOLDER --out runs/ett [train.epochs=20 ...]
"""

from seqdis.core.cli.training_script import training_script

if __name__ == "__main__":
    training_script(preset="diffsda-etth1", out="runs/ett")
