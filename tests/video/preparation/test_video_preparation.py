from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from seqdis.core.data.preparation import prepare_folder
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality
from seqdis.video.preparation.steady_box import Box
from seqdis.video.preparation.video_preparation import VideoPreparation, find_face, video_preparation

VIDEO = get_modality("video")
Scene = Callable[..., list[Image.Image]]
WriteClip = Callable[..., Path]


def _made(source: Path, target: Path, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """The pictures ``(T, H, W, 3)`` that are made of a clip, and the notes."""
    notes = video_preparation(options).prepare(source, target)
    if target.is_dir():
        return np.stack([np.asarray(Image.open(path)) for path in sorted(target.iterdir())]), dict(notes)
    with av.open(str(target)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]), dict(
            notes
        )


def _places(count: int) -> list[tuple[int, int]]:
    return [(400 + round(12 * np.sin(k / 3)), 170 + round(9 * np.cos(k / 4))) for k in range(count)]


def test_a_face_is_cut_out_steadily_and_centred(tmp_path: Path, scene: Scene, write_clip: WriteClip) -> None:
    pytest.importorskip("cv2")
    source = write_clip(tmp_path / "in.mp4", scene(_places(40)))
    frames, notes = _made(source, tmp_path / "out.mp4", crop="face", size=64, margin=0.4)
    assert frames.shape == (40, 64, 64, 3)
    assert notes["face"] == "8 of 8"
    assert notes["pictures"] == 40
    x, y, width, height = notes["region"]
    assert width == height == pytest.approx(0.72 * 170 * 1.8, rel=0.1)
    assert x + width / 2 == pytest.approx(400, abs=15)
    # The box does not move: what is cut out is the same part of every picture.
    with av.open(str(source)) as container:
        for frame, made in zip(container.decode(video=0), frames, strict=True):
            part = (
                frame.to_image()
                .crop((x, y, x + width, y + height))
                .resize((64, 64), Image.Resampling.BICUBIC)
            )
            assert abs(np.asarray(part).astype(int) - made).mean() < 3


def test_a_clip_without_a_face_is_listed_and_not_written(
    tmp_path: Path, scene: Scene, write_clip: WriteClip
) -> None:
    pytest.importorskip("cv2")
    write_clip(tmp_path / "in" / "s1" / "face.mp4", scene(_places(10)))
    write_clip(tmp_path / "in" / "s1" / "wall.mp4", [Image.new("RGB", (640, 360), (110, 110, 110))] * 10)
    (tmp_path / "in" / "damaged.mp4").write_bytes((tmp_path / "in/s1/wall.mp4").read_bytes()[:700])
    result = prepare_folder(VIDEO, tmp_path / "in", tmp_path / "out", {"crop": "face", "size": 32}, workers=1)
    assert result.prepared == 1
    assert [one.source for one in result.failed] == ["damaged.mp4", "s1/wall.mp4"]
    assert result.failed[1].reason == "no face in any of the 2 pictures looked at"
    assert {path.name for path in (tmp_path / "out").rglob("*.mp4")} == {"face.mp4"}
    assert not list((tmp_path / "out").rglob(".*"))


def test_the_face_at_the_border_is_moved_inside_or_padded(
    tmp_path: Path, scene: Scene, write_clip: WriteClip
) -> None:
    pytest.importorskip("cv2")
    source = write_clip(tmp_path / "in.mp4", scene([(90, 90)] * 6))
    inside, notes = _made(source, tmp_path / "a.mp4", crop="face", size=64, margin=0.5)
    padded, _ = _made(source, tmp_path / "b.mp4", crop="face", size=64, margin=0.5, border="pad")
    assert notes["region"][:2] == [0, 0]
    assert inside[:, 0].mean() > 60
    assert padded[:, 0].mean() < 5


def test_a_detector_of_ones_own_sees_every_nth_picture(
    tmp_path: Path, scene: Scene, write_clip: WriteClip
) -> None:
    source = write_clip(tmp_path / "in.mp4", scene(_places(10)))
    seen: list[tuple[int, int]] = []

    def detect(image: Image.Image) -> list[Box]:
        seen.append(image.size)
        return [Box(100, 50, 40)]

    options = video_preparation({"size": 32}).options.model_copy(update={"look_every": 4, "margin": 0.0})
    steady = find_face(source, detect, options=options)
    assert seen == [(640, 360)] * 3
    assert (steady.box, steady.seen, steady.looked) == (Box(100, 50, 40), 3, 3)


@pytest.mark.parametrize(
    ("options", "shape", "region"),
    [
        ({"crop": "centre", "size": 64}, (64, 64), [140, 0, 360, 360]),
        ({"crop": "centre", "size": [48, 64]}, (48, 64), [80, 0, 480, 360]),
        ({"crop": "centre"}, (360, 360), [140, 0, 360, 360]),
        ({"crop": [10, 20, 100, 50], "size": 32}, (32, 64), [10, 20, 100, 50]),
        ({"crop": [10, 20, 100, 50]}, (50, 100), [10, 20, 100, 50]),
        ({"size": 90}, (90, 160), None),
        ({}, (360, 640), None),
    ],
)
def test_regions_and_sizes(
    tmp_path: Path,
    write_clip: WriteClip,
    options: dict[str, Any],
    shape: tuple[int, int],
    region: list[int] | None,
) -> None:
    source = write_clip(tmp_path / "in.mp4", [Image.new("RGB", (640, 360), (200, 100, 50))] * 3)
    frames, notes = _made(source, tmp_path / "out.mp4", **options)
    assert frames.shape == (3, *shape, 3)
    assert notes.get("region") == region
    assert abs(frames.astype(int) - [200, 100, 50]).max() <= 3  # nothing black was added


def test_a_region_beyond_the_picture_is_refused(tmp_path: Path, write_clip: WriteClip) -> None:
    source = write_clip(tmp_path / "in.mp4", [Image.new("RGB", (64, 36))] * 3)
    with pytest.raises(
        InputError, match=r"crop=10,0,60,30 \(x,y,width,height\) reaches beyond pictures of 64x36"
    ):
        _made(source, tmp_path / "out.mp4", crop=[10, 0, 60, 30])


def test_the_rate_is_changed_in_time(tmp_path: Path, write_clip: WriteClip) -> None:
    levels = [Image.new("RGB", (32, 32), (5 * k, 5 * k, 5 * k)) for k in range(50)]
    source = write_clip(tmp_path / "in.mp4", levels, fps=25)
    frames, _ = _made(source, tmp_path / "out.mp4", fps=10)
    # At k / 10 s, picture ⌊2.5 k⌋ of 25 a second is shown.
    assert abs(frames.mean((1, 2, 3)) - 5 * np.floor(2.5 * np.arange(20))).max() < 3
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].average_rate == 10


def test_sound_is_kept_unless_it_is_not_wanted(tmp_path: Path, write_clip: WriteClip) -> None:
    source = write_clip(tmp_path / "in.mp4", [Image.new("RGB", (32, 32))] * 25, sound="aac")
    for sound in (True, False):
        _made(source, tmp_path / f"{sound}.mp4", sound=sound)
        with av.open(str(tmp_path / f"{sound}.mp4")) as container:
            assert bool(container.streams.audio) is sound


def test_folders_stay_folders_and_files_become_folders_if_asked(
    tmp_path: Path, write_clip: WriteClip
) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "in" / "clip").mkdir(parents=True)
    pixels = rng.integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / "in" / "clip" / f"{number}.png")
    assert video_preparation({}).suffix(tmp_path / "in" / "clip") == ""
    frames, _ = _made(tmp_path / "in" / "clip", tmp_path / "out.v2", crop=[4, 2, 20, 10])
    assert (frames == pixels[:, 2:12, 4:24]).all()
    with pytest.raises(InputError, match="a folder of pictures has no clock; fps= says how fast the mp4 is"):
        _made(tmp_path / "in" / "clip", tmp_path / "no.mp4", format="mp4")
    assert len(_made(tmp_path / "in" / "clip", tmp_path / "yes.mp4", format="mp4", fps=4)[0]) == 3
    source = write_clip(tmp_path / "in.mp4", [Image.new("RGB", (32, 32))] * 4)
    assert video_preparation({"format": "frames"}).suffix(source) == ""
    assert len(_made(source, tmp_path / "more", format="frames")[0]) == 4


def test_gifs_are_prepared(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (40, 20), (50 * k, 0, 0)) for k in range(5)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=200)
    frames, _ = _made(tmp_path / "a.gif", tmp_path / "out.mp4", crop="centre", size=16)
    assert frames.shape == (5, 16, 16, 3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [f.time for f in container.decode(video=0)] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8], abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"crop": "center"},
            "key 'crop' is 'center', but: Value error, allowed: centre, face, none, or x,y,width,height",
        ),
        ({"crop": [1, 2, 3]}, "allowed: centre, face, none, or x,y,width,height"),
        ({"crop": [1, 2, 0, 4]}, "allowed: centre, face, none, or x,y,width,height"),
        ({"size": 63}, "key 'size' is 63, but: Value error, allowed: an even number of pixels"),
        ({"size": [64, 64, 64]}, "allowed: an even number of pixels, two"),
        ({"margin": 0.5}, "margin belongs to crop=face; crop is none"),
        (
            {"crop": "face", "size": [64, 32]},
            r"crop=face is a square; size is \(64, 32\); allowed: one number",
        ),
        ({"fps": 0}, "key 'fps' is 0, but"),
        ({"margn": 0}, r"unknown key 'margn' \(did you mean 'margin'\?\)"),
    ],
)
def test_bad_options_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^video preparation: .*{message}"):
        VIDEO.preparation(options)


def test_what_is_prepared_is_what_training_reads(
    tmp_path: Path, write_clip: WriteClip, data_config: Callable[..., Any]
) -> None:
    levels = [Image.new("RGB", (64, 36), (5 * k, 5 * k, 5 * k)) for k in range(12)]
    write_clip(tmp_path / "in" / "who" / "a.mp4", levels)
    (tmp_path / "in" / "labels.json").write_text(
        json.dumps({"labels": {"who": "static"}, "clips": {"who/a.mp4": {"who": "x"}}})
    )
    prepare_folder(VIDEO, tmp_path / "in", tmp_path / "out", {"crop": "centre", "size": 16}, workers=1)
    clip = VIDEO.read(tmp_path / "out" / "who" / "a.mp4", data_config(size=16))
    assert clip.frames.shape == (12, 3, 16, 16)
    assert abs(clip.frames.float().mean((1, 2, 3)).numpy() - 5 * np.arange(12)).max() < 3
    assert json.loads((tmp_path / "out" / "labels.json").read_text())["clips"] == {"who/a.mp4": {"who": "x"}}


def test_a_preparation_goes_to_other_processes() -> None:
    import pickle

    preparation = video_preparation({"crop": "centre", "size": 16})
    assert isinstance(preparation, VideoPreparation)
    assert pickle.loads(pickle.dumps(preparation)) == preparation


def test_a_file_that_would_become_a_folder_of_others_is_refused(
    tmp_path: Path, write_clip: WriteClip
) -> None:
    write_clip(tmp_path / "in" / "day.mp4", [Image.new("RGB", (32, 32))] * 2)
    write_clip(tmp_path / "in" / "day" / "one.mp4", [Image.new("RGB", (32, 32))] * 2)
    with pytest.raises(
        InputError, match=r"one\.mp4 and .*day\.mp4: the first would lie in day, which the second becomes"
    ):
        prepare_folder(VIDEO, tmp_path / "in", tmp_path / "out", {"format": "frames"}, workers=1)
    assert not (tmp_path / "out").exists()
