"""The modality as core sees it: by entry point, through folders, with its options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from seqdis.core.config import DataConfig, apply_overrides
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.folder import folder_sequences
from seqdis.core.errors import InputError
from seqdis.core.modality import Panel
from seqdis.core.registry import build_dataset, get_modality, get_preset
from seqdis.video import VideoModality

Make = Callable[..., DataConfig]
VIDEO = VideoModality()


def test_it_is_found_by_entry_point() -> None:
    assert isinstance(get_modality("video"), VideoModality)
    assert get_preset(VIDEO.demo() or "").modality == "video"


@pytest.mark.parametrize("suffix", VIDEO.writes)
def test_every_form_it_writes_can_be_written(
    tmp_path: Path, clip: Tensor, data_config: Make, suffix: str
) -> None:
    path = tmp_path / f"c{suffix.removesuffix('/')}"
    VIDEO.write(path, clip, data_config())
    assert path.exists()
    if suffix in VIDEO.reads:
        assert VIDEO.read(path, data_config()).frames.shape == clip.shape


def test_a_clip_is_read_in_the_shape_of_the_run(tmp_path: Path, clip: Tensor, data_config: Make) -> None:
    VIDEO.write(tmp_path / "c.mp4", clip, data_config())
    read = VIDEO.read(tmp_path / "c.mp4", data_config(size=32, stride=3))
    assert read.frames.shape == (4, 3, 32, 32)
    assert read.key == "c.mp4"


def test_folders_of_images_and_of_clips(tmp_path: Path, clip: Tensor, data_config: Make) -> None:
    VIDEO.write(tmp_path / "a" / "frames", clip, data_config())
    VIDEO.write(tmp_path / "b.gif", clip, data_config())
    (tmp_path / "notes.txt").write_text("not a clip")
    assert find_inputs(VIDEO, [tmp_path]).paths == (tmp_path / "a" / "frames", tmp_path / "b.gif")
    train = folder_sequences(VIDEO, data_config(), "train", tmp_path)
    batch = train.fetch(range(len(train)))
    assert batch.x.shape == (2, 6, 3, 16, 16)
    assert 0 <= batch.x.min() <= batch.x.max() <= 1


def test_an_empty_folder_lists_the_known_kinds(tmp_path: Path, data_config: Make) -> None:
    with pytest.raises(
        InputError, match=r"holds no file that video reads; known: \.mp4, .*\.gif, .*folders of images"
    ):
        folder_sequences(VIDEO, data_config(), "train", tmp_path)


def test_a_clip_shorter_than_asked_is_padded(tmp_path: Path, clip: Tensor, data_config: Make) -> None:
    VIDEO.write(tmp_path / "c.mp4", clip[:4], data_config())
    batch = folder_sequences(VIDEO, data_config(), "train", tmp_path).fetch([0])
    assert batch.mask is not None
    assert batch.mask.tolist() == [[True] * 4 + [False] * 2]


def test_still_pictures_that_could_be_animated_are_one_clip(
    tmp_path: Path, clip: Tensor, data_config: Make
) -> None:
    VIDEO.write(tmp_path / "in", clip, data_config())
    for folder, suffix in (("tiff", ".tif"), ("webp", ".webp")):
        (tmp_path / folder).mkdir()
        for path in sorted((tmp_path / "in").iterdir()):
            Image.open(path).save(tmp_path / folder / f"{path.stem}{suffix}", lossless=True)
    pictures = [Image.open(path) for path in sorted((tmp_path / "in").iterdir())]
    (tmp_path / "clips").mkdir()
    for name in ("a.webp", "b.webp"):
        pictures[0].save(tmp_path / "clips" / name, save_all=True, append_images=pictures[1:], lossless=True)
    found = [str(path.relative_to(tmp_path)) for path in find_inputs(VIDEO, [tmp_path]).paths]
    assert found == ["clips/a.webp", "clips/b.webp", "in", "tiff", "webp"]
    whole = VIDEO.read(tmp_path / "in", data_config()).frames
    for name in ("tiff", "webp"):
        assert torch.equal(VIDEO.read(tmp_path / name, data_config()).frames, whole)


def test_unknown_suffixes_are_refused(tmp_path: Path, clip: Tensor, data_config: Make) -> None:
    (tmp_path / "c.flac").touch()
    with pytest.raises(InputError, match=r"c\.flac: video cannot read '\.flac'; allowed: \.mp4, \.m4v"):
        VIDEO.read(tmp_path / "c.flac", data_config())
    with pytest.raises(
        InputError, match=r"c\.wmv: video cannot write '\.wmv'; allowed: \.mp4, \.gif, \.webm"
    ):
        VIDEO.write(tmp_path / "c.wmv", clip, data_config())
    with pytest.raises(InputError, match=r"c\.pdf: video cannot draw '\.pdf'; allowed: \.png, \.gif"):
        VIDEO.draw(tmp_path / "c.pdf", [], data_config())


def test_wrong_frames_are_not_written(tmp_path: Path, clip: Tensor, data_config: Make) -> None:
    with pytest.raises(
        InputError, match=r"c\.gif: frames of shape \(12, 1, 16, 16\); allowed: \(T, 3, H, W\)"
    ):
        VIDEO.write(tmp_path / "c.gif", clip[:, :1], data_config())
    broken = clip.clone()
    broken[3, 0, 0, 0] = torch.nan
    with pytest.raises(
        InputError, match=r"c\.gif: 1 of \d+ values are NaN or Inf, the first at index \(3, 0, 0, 0\)"
    ):
        VIDEO.write(tmp_path / "c.gif", broken, data_config())
    assert list(tmp_path.iterdir()) == []


def test_frames_that_are_neither_rgb_nor_grey_are_refused(tmp_path: Path) -> None:
    data = DataConfig(dataset="folder", length=6, frame_shape=(2, 16, 16))
    message = r"frames of shape \(3, H, W\) or \(1, H, W\); data\.frame_shape is \(2, 16, 16\)"
    with pytest.raises(InputError, match=message):
        VIDEO.read(tmp_path / "c.gif", data)


def test_grey_frames_are_written_as_such_and_read_back(tmp_path: Path, clip: Tensor) -> None:
    data = DataConfig(dataset="folder", length=6, frame_shape=(1, 16, 16))
    VIDEO.write(tmp_path / "frames", clip[:, :1], data)
    again = VIDEO.read(tmp_path / "frames", data).frames
    assert again.shape == (12, 1, 16, 16)
    torch.testing.assert_close(again.float() / 255, clip[:, :1], atol=0.5 / 255 + 1e-6, rtol=0)
    VIDEO.draw(tmp_path / "c.png", [[Panel("grey", clip[:, :1])]], data)
    assert (tmp_path / "c.png").stat().st_size > 0


def test_colours_become_their_luma(tmp_path: Path) -> None:
    data = DataConfig(dataset="folder", length=2, frame_shape=(1, 16, 16))
    colours = torch.eye(3)[:, :, None, None].expand(3, 3, 16, 16)  # a red, a green and a blue frame
    VIDEO.write(tmp_path / "frames", colours, data.model_copy(update={"frame_shape": (3, 16, 16)}))
    grey = VIDEO.read(tmp_path / "frames", data).frames.float()[:, 0, 0, 0]
    assert grey.tolist() == [76, 150, 29]


def test_unknown_options_are_refused(tmp_path: Path, data_config: Make) -> None:
    with pytest.raises(
        InputError, match=r"video options: unknown key 'rate'.*allowed: fps, stride, output_fps, fit"
    ):
        VIDEO.options(data_config(rate=3))
    with pytest.raises(InputError, match="video options: key 'stride' is 0"):
        VIDEO.options(data_config(stride=0))


def test_a_preset_s_options_can_be_overridden() -> None:
    preset = apply_overrides(VIDEO.presets()["diffsda-video"](), ["stride=2", "fps=12", "fit=pad"])
    options = VIDEO.options(preset.data)
    assert (options.stride, options.fps, options.fit) == (2, 12.0, "pad")


def test_generated_data_need_no_folder(data_config: Make) -> None:
    dataset = build_dataset("video", data_config(dataset="shapes"), "val", seed=3)
    assert dataset.shape == (6, 3, 16, 16)
