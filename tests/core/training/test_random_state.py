from __future__ import annotations

import random

import numpy as np
import torch

from seqdis.core.training.random_state import (
    capture_random_state,
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
