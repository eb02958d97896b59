from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from seqdis.core.coercion import as_sequences
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

VECTOR, PICTURE = (2,), (3, 4, 5)


def test_sequences_are_returned_as_they_are_or_as_float32_in_their_range() -> None:
    given = Sequences(torch.full((1, 2, 2), 300.0), keys=["a"])
    assert as_sequences(given, frame_shape=(2,)) is given
    with pytest.raises(InputError, match="values from 300 to 300; allowed: 0 to 1"):
        as_sequences(given, frame_shape=(2,), value_range=(0, 1))
    pixels = torch.tensor([0, 51, 255, 102], dtype=torch.uint8).view(1, 2, 2)
    read = as_sequences(Sequences(pixels, keys=["a"]), value_range=(0, 1))
    assert read.x.flatten().tolist() == pytest.approx([0, 0.2, 1, 0.4])
    assert read.keys == ["a"]
    assert as_sequences(Sequences(torch.ones(1, 2, 2, dtype=torch.float64))).x.dtype == torch.float32


@pytest.mark.parametrize(
    ("shape", "frame_shape", "expected"),
    [
        ((7, 2), VECTOR, (1, 7, 2)),
        ((5, 7, 2), VECTOR, (5, 7, 2)),
        ((7, *PICTURE), PICTURE, (1, 7, *PICTURE)),
        ((2, 7, *PICTURE), PICTURE, (2, 7, *PICTURE)),
        ((7, 2), None, (1, 7, 2)),
        ((5, 7, 2), None, (5, 7, 2)),
        ((7, *PICTURE), None, (1, 7, *PICTURE)),
        ((2, 7, *PICTURE), None, (2, 7, *PICTURE)),
        ((7, 3, 5), (3, 5), (1, 7, 3, 5)),
    ],
)
def test_a_batch_and_one_sequence_are_told_apart(shape: Any, frame_shape: Any, expected: Any) -> None:
    x = torch.randn(shape)
    for given in (x, x.numpy(), x.double().numpy(), x.numpy()[..., ::-1][..., ::-1]):
        sequences = as_sequences(given, frame_shape=frame_shape)
        assert sequences.x.shape == expected
        assert sequences.x.dtype == torch.float32
        assert torch.equal(sequences.x.flatten(), x.flatten())
        assert sequences.mask is sequences.observed is None


@pytest.mark.parametrize(
    ("shape", "frame_shape", "message"),
    [
        ((7, 3), VECTOR, r"clip: shape \(7, 3\); allowed: \(B, V, 2\) or \(V, 2\)"),
        ((2,), VECTOR, r"shape \(2,\)"),
        ((1, 1, 7, 2), VECTOR, r"shape \(1, 1, 7, 2\)"),
        ((7, 5, 4, 3), PICTURE, r"allowed: \(B, V, 3, 4, 5\) or \(V, 3, 4, 5\)"),
        ((7,), None, r"shape \(7,\); allowed: \(B, V, F\), \(V, F\), \(B, V, C, H, W\) or \(V, C, H, W\)"),
        ((0, 2), VECTOR, r"shape \(0, 2\) is empty"),
        ((0, 4, 2), None, r"shape \(0, 4, 2\) is empty"),
    ],
)
def test_other_shapes_are_refused(shape: Any, frame_shape: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_sequences(torch.zeros(shape), frame_shape=frame_shape, name="clip")


def test_what_holds_no_real_numbers_is_refused() -> None:
    for given, message in (
        (np.array([["a"]]), "a ndarray of type <U1; allowed: a tensor"),
        ("file.mp4", "a str of type"),
        (torch.zeros(2, 2, dtype=torch.complex64), "complex numbers"),
        ([[1.0, 2.0], [3.0]], r"sequence 0: shape \(2,\); allowed: \(V, F\) or \(V, C, H, W\)"),
        ([], "an empty list"),
        (None, "NoneType"),
    ):
        with pytest.raises(InputError, match=message):
            as_sequences(given)


def test_unequal_lengths_are_padded_with_zero_and_masked() -> None:
    parts = [torch.ones(3, 2), np.full((5, 2), 2.0), [[3, 3]]]
    for given in (parts, tuple(parts)):
        sequences = as_sequences(given, frame_shape=VECTOR)
        assert sequences.lengths.tolist() == [3, 5, 1]
        assert sequences.x.sum((1, 2)).tolist() == [6, 20, 6]
        assert sequences.mask is not None
        assert sequences.x[~sequences.mask].eq(0).all()
        assert sequences.observed is None
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.ones((3, 2)), np.ones((4, 2))]
    assert as_sequences(ragged).lengths.tolist() == [3, 4]
    assert as_sequences([torch.ones(3, 2)] * 2).mask is None
    with pytest.raises(InputError, match=r"sequence 1: shape \(5, 3\); allowed: \(V, 2\)"):
        as_sequences([torch.ones(3, 2), torch.ones(5, 3)], frame_shape=VECTOR)
    with pytest.raises(
        InputError, match=r"sequence 1: frames of shape \(3,\); the first sequence has \(2,\)"
    ):
        as_sequences([torch.ones(3, 2), torch.ones(5, 3)])
    with pytest.raises(InputError, match=r"sequence 0: shape \(1, 3, 2\); allowed: \(V, 2\)"):
        as_sequences([torch.ones(1, 3, 2)], frame_shape=VECTOR)


def test_nan_is_what_was_not_measured_and_infinity_an_error() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    x[1, 2, 0] = np.nan
    sequences = as_sequences(x)
    assert sequences.observed is not None
    assert (~sequences.observed).nonzero().tolist() == [[1, 2, 0]]
    assert sequences.x[1, 2].tolist() == [0, 11]
    mixed = as_sequences([x[0], x[1, 1:]])
    assert mixed.observed is not None
    assert mixed.observed[0].all()
    assert mixed.observed[1].tolist() == [[True, True], [False, True], [False, False]]
    x[0, 1, 1] = -np.inf
    with pytest.raises(InputError, match=r"1 values are infinite.*first at index \(0, 1, 1\)"):
        as_sequences(x)
    with pytest.raises(InputError, match=r"1 values are infinite \(as float32\)"):
        as_sequences(np.array([[1e300, 0.0]]))


def test_bytes_of_pictures_stand_for_the_unit_interval() -> None:
    clip = torch.randint(256, (6, *PICTURE), dtype=torch.uint8)
    expected = clip[None].float() / 255
    assert torch.equal(as_sequences(clip, frame_shape=PICTURE, value_range=(0, 1)).x, expected)
    assert torch.equal(as_sequences(clip.numpy()).x, expected)
    last = clip.movedim(1, -1)
    assert torch.equal(as_sequences(last.numpy(), frame_shape=PICTURE).x, expected)
    assert torch.equal(as_sequences([last, last], frame_shape=PICTURE).x, expected.repeat(2, 1, 1, 1, 1))
    counts = torch.randint(256, (6, 2), dtype=torch.uint8)
    assert torch.equal(as_sequences(counts).x, counts[None].float())


def test_channels_first_wins_where_both_readings_fit() -> None:
    clip = torch.rand(2, 3, 3, 3)
    assert torch.equal(as_sequences(clip, frame_shape=(3, 3, 3)).x, clip[None])


def test_values_out_of_the_range_are_refused_and_named() -> None:
    clip = torch.rand(2, *PICTURE)
    clip[0, 0, 0, 0], clip[1, 0, 0, 0] = 0.0, 1.0
    for factor, shift, message in (
        (255, 0, "values from 0 to 255; allowed: 0 to 1"),
        (2, -1, "from -1 to 1;"),
    ):
        with pytest.raises(InputError, match=message):
            as_sequences(factor * clip + shift, frame_shape=PICTURE, value_range=(0, 1))
    assert len(as_sequences(1.05 * clip, frame_shape=PICTURE, value_range=(0, 1))) == 1


def test_padding_and_gaps_have_no_range() -> None:
    parts = [torch.full((2, 2), 5.0), torch.full((3, 2), 5.0)]
    parts[0][0, 0] = torch.nan
    assert as_sequences(parts, value_range=(4, 6)).x.min() == 0


def test_gradients_pass_through() -> None:
    x = torch.zeros(1, 2, 2, requires_grad=True)
    assert as_sequences(x).x.requires_grad


def test_numbers_of_any_kind_are_read() -> None:
    for kind in ("uint16", "uint32", "int8", "bool", ">f4", "float16"):
        x = np.array([[0, 1]]).astype(kind)
        assert as_sequences(x).x.tolist() == [[[0, 1]]], kind


def test_options_of_a_table_are_refused_for_an_array() -> None:
    with pytest.raises(InputError, match="id_column is for a table; got Tensor"):
        as_sequences(torch.zeros(2, 2), id_column="id")


def test_masked_entries_of_an_array_were_not_measured() -> None:
    values = np.array([[[1, 2], [9, 4]]])
    sequences = as_sequences(np.ma.masked_equal(values, 9))
    assert sequences.observed is not None
    assert sequences.observed.tolist() == [[[True, True], [False, True]]]
    assert sequences.x.tolist() == [[[1, 2], [0, 4]]]
    bytes_of_a_picture = np.ma.masked_equal(np.full((1, 2, 1, 2, 2), 51, np.uint8), 9)
    bytes_of_a_picture[0, 1, 0, 0, 0] = np.ma.masked
    clip = as_sequences(bytes_of_a_picture)
    assert clip.observed is not None
    assert int((~clip.observed).sum()) == 1
    assert clip.x[0, 0].flatten().tolist() == pytest.approx([0.2] * 4)
    assert as_sequences(np.ma.masked_equal(values, 7)).observed is None
