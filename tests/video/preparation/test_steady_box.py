from __future__ import annotations

import pytest

from seqdis.core.errors import InputError
from seqdis.video.preparation.steady_box import Box, steady_box

NONE: list[Box] = []


def test_the_box_is_the_median_widened_on_each_side() -> None:
    found = [[Box(100 + d, 50 - d, 40 + d)] for d in (0, 1, 2, 3, 4)]
    steady = steady_box(found, margin=0.25, share=0.5)
    assert steady.box == Box(102, 48, 42 * 1.5)
    assert (steady.seen, steady.looked) == (5, 5)


def test_a_wrong_place_and_a_wrong_size_in_one_picture_move_nothing() -> None:
    good = [[Box(100, 50, 40)] for _ in range(9)]
    assert steady_box([*good, [Box(120, 70, 60)]], margin=0, share=0.5).box == Box(100, 50, 40)


def test_a_large_wrong_detection_does_not_beat_a_face_that_is_always_there() -> None:
    found = [[Box(100, 50, 40)] for _ in range(10)]
    found[4] = [Box(300, 300, 200), Box(100, 50, 40)]
    assert steady_box(found, margin=0, share=0.5).box == Box(100, 50, 40)


def test_of_two_faces_the_larger_is_taken() -> None:
    found = [[Box(300, 80, 30), Box(100, 50, 60)] for _ in range(5)]
    assert steady_box(found, margin=0, share=0.5).box == Box(100, 50, 60)


def test_two_faces_side_by_side_stay_apart_whatever_their_order() -> None:
    left, right = Box(100, 50, 60), Box(155, 50, 58)
    found = [[left, right] if number % 2 else [right, left] for number in range(6)]
    steady = steady_box(found, margin=0, share=0.5)
    assert (steady.box, steady.seen) == (left, 6)


def test_pictures_without_the_face_count_against_it() -> None:
    found = [[Box(100, 50, 40)], NONE, NONE, NONE]
    assert steady_box(found, margin=0, share=0.25).seen == 1
    with pytest.raises(
        InputError, match=r"a face in 1 of the 4 pictures looked at; face_share=0\.3 asks for more"
    ):
        steady_box(found, margin=0, share=0.3)


def test_no_face_at_all_is_told() -> None:
    with pytest.raises(InputError, match="no face in any of the 3 pictures looked at"):
        steady_box([NONE, NONE, NONE], margin=0, share=0.25)


def test_a_face_that_walks_out_of_one_box_is_told_and_a_margin_holds_it() -> None:
    found = [[Box(20.0 * number, 50, 40)] for number in range(11)]
    with pytest.raises(InputError, match=r"the face moves: in 8 of 11 pictures it is outside"):
        steady_box(found, margin=0, share=0.5)
    assert steady_box(found, margin=2, share=0.5).box == Box(100, 50, 200)
