"""One trainer for every method: exact resuming, any number of processes, averaged weights."""

from seqdis.core.train.ema import EMA
from seqdis.core.train.run import train
from seqdis.core.train.schedule import Schedule
from seqdis.core.train.trainer import Trainer

__all__ = ["EMA", "Schedule", "Trainer", "train"]
