"""Train DiffSDA on Arabic speech commands: who speaks (static), which word (dynamic).

python train.py --data FOLDER --out runs/arabic_speech [train.steps=2000 ...]
"""

from seqdis.core.cli.training_script import training_script

if __name__ == "__main__":
    training_script(preset="diffsda-arabic", out="runs/arabic_speech")
