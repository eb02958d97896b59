"""What a process frees stays its own, where the C library can be told so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

STATM = Path("/proc/self/statm")
MEGABYTES = 200
SCRIPT = f"""
import torch
from seqdis.core.training.host_memory import keep_freed_memory

def resident():
    return int(open("{STATM}").read().split()[1]) * 4096 / 2**20

kept = KEEP and keep_freed_memory()
torch.ones(2**18).sum()
before = resident()
x = torch.ones({MEGABYTES} * 2**18)
del x
print(int(kept), resident() - before)
"""


def grown(keep: bool) -> tuple[bool, float]:
    """Whether the settings were taken, and by how many megabytes the process is larger than before the tensor."""
    script = SCRIPT.replace("KEEP", str(keep))
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=own)
    taken, size = done.stdout.split()
    return taken == "1", float(size)


@pytest.mark.skipif(
    not STATM.is_file(), reason="there is no /proc/self/statm: the size of a process is not known"
)
def test_freed_memory_is_kept_where_the_c_library_can() -> None:
    assert grown(keep=False)[1] < MEGABYTES / 4
    taken, size = grown(keep=True)
    if not taken:
        pytest.skip("this C library has no mallopt")
    assert size > MEGABYTES * 3 / 4
