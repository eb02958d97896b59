"""Small whole files of as many kinds as the installed libraries can write, by suffix.

No list says which library writes which suffix: each is asked, so that a suffix that is new to a modality gets samples
as well where any of them knows it.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import itertools
import lzma
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["sample_files"]

_FRAMES, _RATE, _SAMPLES = 6, 16000, 8000
# The smallest size that every codec takes.
_WIDTH, _HEIGHT = 176, 144


def sample_files(suffix: str, place: Path) -> Iterator[bytes]:
    """Whole files whose name ends in a suffix, by every writer that knows it; none where none does."""
    base, _, packed = suffix.rpartition(".")
    if base and f".{packed}" in _PACKERS:
        yield from (_PACKERS[f".{packed}"](content) for content in sample_files(base, place))
        return
    for write in (_table, _array, _sound, _picture, _film_with_sound, _film, _track):
        path = place / f"{write.__name__}{suffix}"
        with contextlib.suppress(Exception):  # it does not know the suffix, or lacks its encoder
            write(path)
            content = path.read_bytes()
            if content:
                yield content


def _zstd(content: bytes) -> bytes:
    import pyarrow

    return bytes(pyarrow.compress(content, "zstd", asbytes=True))


_PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": _zstd,
}


def _wave() -> np.ndarray:
    return 0.3 * np.sin(np.arange(_SAMPLES) / 7.0)


def _pictures() -> list[np.ndarray]:
    ramp = np.arange(_HEIGHT * _WIDTH * 3, dtype=np.uint32).reshape(_HEIGHT, _WIDTH, 3) // 97
    return [((ramp * (step + 1)) % 256).astype(np.uint8) for step in range(_FRAMES)]


def _table(path: Path) -> None:
    import pandas as pd

    times = pd.date_range("2024-01-01", periods=30, freq="h")
    frame = pd.DataFrame({"time": times, "a": np.arange(30.0), "b": np.sin(np.arange(30))})
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix in (".csv", ".tsv", ".txt"):
        frame.to_csv(path, index=False, sep="," if path.suffix == ".csv" else "\t")
    else:
        raise ValueError(path.suffix)


def _array(path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez(path, values=values)
    else:
        raise ValueError(path.suffix)


def _sound(path: Path) -> None:
    import soundfile

    known = {
        "oga": "OGG",
        "aif": "AIFF",
        "aifc": "AIFF",
        "bwf": "WAV",
        "wave": "WAV",
        "snd": "AU",
        "opus": "OGG",
    }
    known |= {"sph": "NIST", "nist": "NIST", "8svx": "SVX"}
    name = path.suffix.removeprefix(".").lower()
    subtype = {"opus": "OPUS", "8svx": "PCM_S8", "svx": "PCM_S8"}.get(name)
    soundfile.write(path, _wave(), _RATE, format=known.get(name, name.upper()), subtype=subtype)


def _picture(path: Path) -> None:
    from PIL import Image

    first, *rest = (Image.fromarray(picture) for picture in _pictures())
    options = {"save_all": True, "append_images": rest, "duration": 40}
    result = io.BytesIO()
    first.save(result, format=Image.registered_extensions()[path.suffix], **options)
    path.write_bytes(result.getvalue())


def _film_with_sound(path: Path) -> None:
    _container(path, pictures=True, sound=True)


def _film(path: Path) -> None:
    _container(path, pictures=True, sound=False)


def _track(path: Path) -> None:
    _container(path, pictures=False, sound=True)


def _container(path: Path, *, pictures: bool, sound: bool) -> None:
    """Pictures, sound or both by libav, with the first codecs that the suffix and the encoders agree on."""
    import av

    with av.open(str(path), "w", format=_MUXERS.get(path.suffix)) as empty:
        own = (empty.default_video_codec, empty.default_audio_codec)
    # A container's own codecs come first where one alone is asked for: the common ones are tried together.
    pairs = (*_CODECS, own) if pictures and sound else (own, *_CODECS)
    for (video, track), form in itertools.product(dict.fromkeys(pairs), _FORMS):
        codecs = [codec for codec, wanted in ((video, pictures), (track, sound)) if wanted]
        try:
            _encode(path, codecs, form)
        except Exception:  # the container does not take the codec, or the codec not these frames
            continue
        return
    raise ValueError(path.suffix)


_CODECS = (("mpeg4", "aac"), ("mpeg2video", "mp2"), ("wmv2", "wmav2"), ("flv1", "pcm_s16le"), ("h263", "ac3"))


_MUXERS = {".qt": "mov", ".divx": "avi", ".mpv": "mpeg2video"}
"""Formats of suffixes that libav reads and does not write by name."""


@dataclass(frozen=True)
class _Form:
    """What a codec may ask for.

    Attributes:
        rate: Samples a second.
        width: Width of a picture in pixels.
        height: Height of a picture in pixels.
    """

    rate: int
    width: int
    height: int


_FORMS = (_Form(_RATE, _WIDTH, _HEIGHT), _Form(48000, 720, 576), _Form(8000, 720, 576))
"""The common form, that of ac3 and dv, that of amr."""


def _encode(path: Path, codecs: Sequence[str], form: _Form) -> None:
    import av

    with av.open(str(path), "w", format=_MUXERS.get(path.suffix)) as container:
        # The header, which lists all streams, is written with the first packet.
        streams = [_stream(container, codec, form) for codec in codecs]
        for stream in streams:
            for frame in _frames_of(stream, form):
                container.mux(stream.encode(frame))
            container.mux(stream.encode())


def _stream(container: Any, codec: str, form: _Form) -> Any:
    import av

    if av.Codec(codec, "w").type == "audio":
        return container.add_stream(codec, rate=form.rate, layout="mono")
    stream = container.add_stream(codec, rate=25)
    stream.width, stream.height = form.width, form.height
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return stream


def _frames_of(stream: Any, form: _Form) -> list[Any]:
    import av

    if stream.type == "video":
        return [av.VideoFrame.from_ndarray(picture) for picture in _pictures()]
    samples = (_wave() * 32000).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = form.rate
    return [frame]
