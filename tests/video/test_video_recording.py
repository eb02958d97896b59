"""Recordings of video: lazy, small, and never decoding a frame twice that is still there."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.video.encoding import encode, moving, quarter_turn

from seqdis.core.errors import InputError
from seqdis.video import video_recording
from seqdis.video.frame_cache import FRAMES
from seqdis.video.options import VideoOptions
from seqdis.video.video_recording import VideoRecording, open_recording

SHAPE = (3, 24, 32)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the frames that were asked of the decoder, from an empty cache on."""
    FRAMES.clear()
    asked = list[int]()
    decode = video_recording.decode_frames

    def watched(path, index, numbers, **kwargs):  # type: ignore[no-untyped-def]
        asked.extend(numbers.tolist())
        return decode(path, index, numbers, **kwargs)

    monkeypatch.setattr(video_recording, "decode_frames", watched)
    return asked


def _open(path: Path, **options: object) -> VideoRecording:
    return open_recording(path, shape=SHAPE, options=VideoOptions(**options))


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path: Path, decoded: list[int]) -> None:
    recording = _open(encode(tmp_path / "c.mp4", moving(40)))
    assert (recording.steps, recording.frame_shape, recording.key) == (40, SHAPE, "c.mp4")
    assert decoded == []
    assert recording.take(torch.arange(4, 8)).frames.shape == (4, *SHAPE)
    assert decoded == [4, 5, 6, 7]


def test_a_frame_that_is_there_is_not_decoded_again(tmp_path: Path, decoded: list[int]) -> None:
    recording = _open(encode(tmp_path / "c.mp4", moving(40)))
    first = recording.whole().frames
    assert len(decoded) == 40
    assert torch.equal(recording.whole().frames, first)
    assert torch.equal(recording.named("other", {"a": "b"}).take(torch.tensor([3, 9])).frames, first[[3, 9]])
    assert len(decoded) == 40


def test_a_second_visit_decodes_the_rest_if_there_is_room(tmp_path: Path, decoded: list[int]) -> None:
    recording = _open(encode(tmp_path / "c.mp4", moving(40)))
    recording.take(torch.arange(10, 14))  # keeps what was decoded on the way, too
    assert recording.take(torch.tensor([2, 13])).steps == 2
    assert decoded == [10, 11, 12, 13]
    recording.take(torch.arange(20, 24))
    assert decoded == [10, 11, 12, 13, *range(14, 40)]
    FRAMES.clear()
    decoded.clear()
    FRAMES.announce("others that do not fit", 10**6, 10**6)
    for start in (10, 20, 30):
        recording.take(torch.arange(start, start + 4))
    assert decoded == [10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]


def test_repeated_frames_are_decoded_once(tmp_path: Path, decoded: list[int]) -> None:
    recording = _open(encode(tmp_path / "c.mp4", moving(10), rate=5), fps=10)
    frames = recording.whole().frames
    assert len(frames) == 20
    assert torch.equal(frames[::2], frames[1::2])
    assert decoded == list(range(10))


def test_other_settings_are_other_frames(tmp_path: Path, decoded: list[int]) -> None:
    path = encode(tmp_path / "c.mp4", moving(4))
    crop, pad = _open(path), _open(path, fit="pad")
    wide = open_recording(path, shape=(3, 16, 48), options=VideoOptions(fit="pad"))
    grey = open_recording(path, shape=(1, 24, 32), options=VideoOptions())
    sizes = {tuple(one.whole().frames.shape) for one in (crop, pad, wide, grey)}
    assert len(sizes) == 3
    assert len(decoded) == 16
    assert len({tuple(map(str, one.identity())) for one in (crop, wide, grey)}) == 3


def test_it_says_what_its_file_states(tmp_path: Path) -> None:
    turned = encode(tmp_path / "c.mp4", moving(40, height=48, width=80), rate=20, matrix=quarter_turn(1))
    facts = _open(turned, fps=5).about()
    assert facts == {"width, px": 48, "height, px": 80, "seconds": 2, "frames a second": 20}


def test_it_is_small_and_goes_to_other_processes(tmp_path: Path) -> None:
    recording = _open(encode(tmp_path / "c.mp4", moving(200)))
    whole = recording.whole().frames
    stored = pickle.dumps(recording)
    assert len(stored) < 2000
    again = pickle.loads(stored)
    assert again == recording
    assert torch.equal(again.take(torch.arange(150, 160)).frames, whole[150:160])


def test_a_process_of_its_own_knows_whether_all_fits(tmp_path: Path) -> None:
    recording = _open(encode(tmp_path / "c.mp4", moving(10)))
    large = replace(recording, count=10**6, shape=(3, 48, 64))
    stored = pickle.dumps([recording, large])
    FRAMES.clear()  # as in a process that was not forked from the one that opened them
    assert FRAMES.holds_all
    assert pickle.loads(stored) == [recording, large]
    assert not FRAMES.holds_all
    FRAMES.clear()


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    path = encode(tmp_path / "c.mp4", moving(10))
    recording = _open(path)
    path.unlink()
    FRAMES.clear()
    with pytest.raises(InputError, match=r"c\.mp4: cannot be read as video"):
        recording.whole()
