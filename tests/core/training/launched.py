"""What `accelerate launch` starts in test_processes.py: runs that are whole, stopped, ended by Ctrl-C, refused."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from seqdis.core.config import change_config
from seqdis.core.errors import InputError
from seqdis.core.pretrained import read_run_config
from seqdis.core.registry import build_dataset
from seqdis.core.training import Trainer, train


def main(config_file: Path, out: Path) -> None:
    config = read_run_config(config_file)
    sets = {f"{split}_set": build_dataset(config.modality, config.data, split) for split in ("train", "val")}
    train(config, out / "whole", **sets, device="cpu", show_progress=False)

    step = Trainer.step

    def stop(self: Trainer, number: int, batches: Any) -> Any:
        if number == 8:
            raise InputError("stopped")
        return step(self, number, batches)

    Trainer.step = stop  # type: ignore[method-assign]
    try:
        train(config, out / "resumed", **sets, device="cpu", show_progress=False)
    except InputError as error:
        print(error)
    Trainer.step = step  # type: ignore[method-assign]
    train(config, out / "resumed", **sets, device="cpu", show_progress=False, resume=True)

    def interrupt(self: Trainer, number: int, batches: Any) -> Any:
        if number == 7 and self.accelerator.process_index == 1:  # one process alone hears it
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, number, batches)

    Trainer.step = interrupt  # type: ignore[method-assign]
    try:
        train(config, out / "interrupted", **sets, device="cpu", show_progress=False)
    except KeyboardInterrupt as error:
        print(error)
    Trainer.step = step  # type: ignore[method-assign]
    train(config, out / "interrupted", **sets, device="cpu", show_progress=False, resume=True)

    # From two processes to one, which the test does, and from one to two; with draws from the global stream.
    config = change_config(config, {"model.dropout": 0.2})
    Trainer.step = stop  # type: ignore[method-assign]
    try:
        train(config, out / "fewer", **sets, device="cpu", show_progress=False)
    except InputError as error:
        print(error)
    Trainer.step = step  # type: ignore[method-assign]
    train(config, out / "more", **sets, device="cpu", show_progress=False, resume=True)

    try:  # a folder that another process has
        train(config, out / "held", **sets, device="cpu", show_progress=False)
    except InputError as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
