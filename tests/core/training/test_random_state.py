from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.training.random_state import (
    capture_random_state,
    check_random_state,
    isolated_random_state,
    restore_random_state,
    seed_all,
)


def _draws() -> list[float]:
    numpy = np.random.standard_normal(3).tolist()  # noqa: NPY002 - the global state is what is tested
    return [*torch.randn(3).tolist(), *numpy, random.random(), random.gauss(0, 1)]


def test_a_restored_state_repeats_every_draw() -> None:
    # Half a Box-Muller pair is pending in Python and in NumPy: it is part of the state.
    random.gauss(0, 1)
    np.random.standard_normal()  # noqa: NPY002
    np.random.randn()  # noqa: NPY002
    state = {name: value.clone() for name, value in capture_random_state().items()}
    first = _draws()
    assert _draws() != first
    restore_random_state(state)
    assert _draws() == first


def test_states_have_fixed_shapes_so_that_processes_can_stack_them() -> None:
    before = {name: value.shape for name, value in capture_random_state().items()}
    _draws()
    assert {name: value.shape for name, value in capture_random_state().items()} == before


def test_draws_inside_isolation_do_not_show_outside() -> None:
    seed_all(3)
    expected = _draws()
    seed_all(3)
    with isolated_random_state():
        _draws()
        seed_all(99)
    assert _draws() == expected


DAMAGED: dict[str, tuple[str, Callable[[torch.Tensor], torch.Tensor], str]] = {
    "no integers": ("numpy", lambda x: x.double(), r"torch.float64 \(626,\); allowed: torch.int64 \(626,\)$"),
    "too few": ("python", lambda x: x[:5], r"torch.int64 \(5,\); allowed: torch.int64 \(626,\)$"),
    "none": ("torch", lambda x: x[:0], r"torch.uint8 \(0,\); allowed: torch.uint8 \(\d+,\)$"),
    "outside": (
        "numpy",
        lambda x: torch.cat([x[:-2], torch.tensor([10**9, 0])]),
        "the position of numpy is 1000000000; allowed: 0 to 624$",
    ),
    "nan": ("numpy_gauss", lambda x: x * torch.nan, "numpy_gauss: 1 of 1 values are NaN or Inf"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_states_of_another_kind_are_refused_by_their_name(case: str) -> None:
    name, change, message = DAMAGED[case]
    state = capture_random_state()
    check_random_state(state, where="r")
    check_random_state({key: value for key, value in state.items() if key != "cuda"}, where="r")
    with pytest.raises(InputError, match=f"^r: .*{message}"):
        check_random_state(state | {name: change(state[name])}, where="r")
    with pytest.raises(InputError, match=f"^r: the state {name} is absent"):
        check_random_state({key: value for key, value in state.items() if key != name}, where="r")
