"""Read files one after another, each in a process of its own, and print the memory that each takes at its peak."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import torch

from seqdis.core.config import DataConfig
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.folder_content import open_recordings
from seqdis.core.data.settled_by_files import settled_by_files
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality
from seqdis.core.registry import get_modality, list_modalities


def status(name: str) -> int:
    """A line of the process's status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def settings(modality: Modality) -> DataConfig:
    """The data settings with which a modality reads files of a person's own."""
    own = modality.starter()
    if own is not None:
        return modality.presets()[own]().data
    return DataConfig(dataset="folder", length=8)


def read(modality: Modality, path: Path) -> str:
    """``"read"``, or the line that refuses the file."""
    try:
        found = find_inputs(modality, [path])
        data = settled_by_files(modality, settings(modality), found.paths)
        for recording in open_recordings(modality, found, data).recordings:
            recording.take(torch.arange(min(recording.steps, 64)))
            recording.whole()
    except InputError as error:
        return str(error)
    return "read"


def main(paths: list[Path]) -> None:
    """Read each file by every modality that takes its suffix."""
    modalities = [get_modality(name) for name in list_modalities()]
    for path in paths:
        for modality in modalities:
            if not path.name.endswith(tuple(suffix for suffix in modality.reads if suffix != "/")):
                continue
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)
                continue
            before = status("VmRSS")
            try:
                outcome = read(modality, path)
            except BaseException:
                outcome = traceback.format_exc()
            # A line is written at once, so that a process that is killed for its memory has none.
            peak = status("VmHWM") - before
            print(json.dumps({"file": path.name, "outcome": outcome, "peak": peak}), flush=True)
            os._exit(0)


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
