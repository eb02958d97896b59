"""One trainer for every method: exact resuming, any number of processes, averaged weights."""

from seqdis.core.training.ema import EMA
from seqdis.core.training.fit import fit
from seqdis.core.training.run import train
from seqdis.core.training.schedule import Schedule
from seqdis.core.training.trainer import Trainer

__all__ = ["EMA", "Schedule", "Trainer", "fit", "train"]
