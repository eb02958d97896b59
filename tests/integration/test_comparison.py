"""What `seqdis benchmark` compares when everything is installed."""

from __future__ import annotations

from seqdis.core.registry import list_presets
from seqdis.eval.protocols.comparison import comparable_presets


def test_sprites_are_compared_by_all_six_methods() -> None:
    found = comparable_presets({name: build() for name, build in list_presets().items()}, "sprites")
    assert list(found) == ["bcd", "diffsda", "divid", "dsvae", "s3vae", "vdsm"]
    assert {config.data.frame_shape for config in found.values()} == {(3, 32, 32)}
