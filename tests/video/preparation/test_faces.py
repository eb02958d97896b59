from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.preparation.faces import haar_detector, load_cascade

NAME = "haarcascade_frontalface_default"


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    load_cascade.cache_clear()
    yield
    load_cascade.cache_clear()


@pytest.mark.parametrize("side", [110, 170, 300])
def test_a_drawn_face_is_found_at_any_size(scene: Callable[..., list[Image.Image]], side: int) -> None:
    pytest.importorskip("cv2")
    found = haar_detector(NAME, min_face=0.15)(scene([(400, 170)], side=side)[0])
    largest = max(found, key=lambda box: box.side)
    # The cascade's square reaches from the brows' upper edge to the chin: 0.72 of the drawing, around 0.51, 0.53.
    assert largest.side == pytest.approx(0.72 * side, rel=0.1)
    assert largest.x == pytest.approx(400, abs=0.06 * side)
    assert largest.y == pytest.approx(170 + 0.03 * side, abs=0.06 * side)


def test_a_large_picture_is_searched_smaller_and_its_boxes_are_in_its_own_pixels(
    scene: Callable[..., list[Image.Image]],
) -> None:
    pytest.importorskip("cv2")
    picture = scene([(320, 180)])[0]
    detect = haar_detector(NAME, min_face=0.2)
    small, large = detect(picture)[0], detect(picture.resize((2560, 1440)))[0]
    assert (large.x / 4, large.y / 4, large.side / 4) == pytest.approx((small.x, small.y, small.side), abs=4)


def test_small_faces_are_not_looked_for(scene: Callable[..., list[Image.Image]]) -> None:
    pytest.importorskip("cv2")
    picture = scene([(320, 180)], side=120)[0]
    assert haar_detector(NAME, min_face=0.15)(picture)
    assert not haar_detector(NAME, min_face=0.5)(picture)


def test_an_unknown_cascade_names_those_that_are_there(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    with pytest.raises(
        InputError, match=rf"cascade 'face': no such file; allowed: an xml file, or one of .*{NAME}"
    ):
        load_cascade("face")
    (tmp_path / "other.xml").write_text("<opencv_storage></opencv_storage>")
    with pytest.raises(InputError, match=r"other\.xml: cannot be read as a cascade"):
        load_cascade(str(tmp_path / "other.xml"))


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "cv2":
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(
        InputError, match=r"crop=face needs OpenCV 4: pip install 'seqdis-video\[faces\]'; or give"
    ):
        load_cascade(NAME)


def test_opencv_5_has_no_cascades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", SimpleNamespace(__version__="5.0.0"))
    with pytest.raises(InputError, match=r"needs OpenCV 4; OpenCV 5\.0\.0 has no cascades: pip install"):
        load_cascade(NAME)
