"""Makes the toy modality visible to the registry, here and in processes that tests start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TOY = str(Path(__file__).parent / "toy")
if TOY not in sys.path:
    sys.path.insert(0, TOY)


@pytest.fixture(autouse=True)
def _toy_modality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([TOY, *filter(None, [os.environ.get("PYTHONPATH")])]))
