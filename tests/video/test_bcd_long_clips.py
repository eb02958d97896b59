"""BCD's options for clips longer than those of training, by command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.capabilities import adjust
from seqdis.core.cli.app import app
from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_modality, get_preset

FRAMES = 14
SMALL = ["decoder.width=24", "decoder.heads=2", "encoder.width=24", "encoder.depth=1", "sampler.steps=2"]


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that has not been trained, and two clips as folders of images."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bcd")
    config = apply_overrides(get_preset("bcd-shapes"), SMALL)
    build_model(config).save_pretrained(folder / "run")
    for seed, name in enumerate("ab"):
        g = torch.Generator().manual_seed(seed)
        frames = torch.rand(FRAMES, *config.data.frame_shape, generator=g)
        get_modality("video").write(folder / f"{name}.gif", frames, config.data)
    return folder / "run"


@pytest.mark.parametrize("count", [1, 5, FRAMES])
def test_content_from_any_number_of_frames(run: Path, tmp_path: Path, count: int) -> None:
    clip, out = run.parent / "a.gif", tmp_path / "f.safetensors"
    words = ("encode", run, clip, "--out", out, "--frames", FRAMES, "--device", "cpu")
    model = Disentangler.from_pretrained(run)
    assert model.run_config is not None
    window = model.run_config.model.window  # type: ignore[attr-defined]
    wide = [f"window={FRAMES}"] if count > window else []
    settings = [word for setting in (*wide, f"content_frames={count}") for word in ("--model", setting)]
    result = seqdis(*words, *settings)
    assert result.exit_code == 0, result.output
    factors = Factors.load(out)
    assert factors.dynamic.shape[:2] == (1, FRAMES)
    x = get_modality("video").read(clip, model.run_config.data).frames
    x = x.float() / 255 if x.dtype == torch.uint8 else x
    chosen = torch.linspace(0, FRAMES - 1, count).round().long()
    adjust(model, {"window": FRAMES})
    with torch.no_grad():
        expected = model.encode(x[None, chosen]).static
    torch.testing.assert_close(factors.static, expected, rtol=1e-4, atol=1e-5)


def test_a_long_motion_on_the_content_of_one_frame(run: Path, tmp_path: Path) -> None:
    a, b, out = run.parent / "a.gif", run.parent / "b.gif", tmp_path / "swap.gif"
    words = ("swap", run, "--static", a, "--dynamic", b, "--out", out, "--device", "cpu")
    result = seqdis(*words, "--frames", FRAMES, "--model", "content_frames=1")
    assert result.exit_code == 0, result.output
    assert len(get_modality("video").read(out, get_preset("bcd-shapes").data).frames) == FRAMES
