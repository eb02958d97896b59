from __future__ import annotations

import math

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.training.watch import FiniteWatch

CPU = torch.device("cpu")
FINE = torch.tensor(1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_at_once_names_step_and_keys(value: float) -> None:
    watch = FiniteWatch(CPU, at_once=True)
    watch.note(1, FINE, FINE, ["a"])
    with pytest.raises(InputError, match=r"^step 2: the loss is not finite; batch: b, c$"):
        watch.note(2, torch.tensor(value), FINE, ["b", "c"])


def test_later_names_the_first_bad_step() -> None:
    watch = FiniteWatch(CPU, at_once=False)
    for step, loss in enumerate([1.0, math.nan, math.nan, 1.0], start=5):
        watch.note(step, torch.tensor(loss), FINE, [f"clip {step}"])
    with pytest.raises(InputError, match=r"^step 6: the loss is not finite; batch: clip 6$"):
        watch.check()


def test_a_gradient_counts_where_it_cannot_overflow() -> None:
    watch = FiniteWatch(CPU, at_once=False)
    watch.note(1, FINE, None, ["a"])
    watch.check()
    watch.note(2, FINE, torch.tensor(math.inf), ["b"])
    with pytest.raises(InputError, match=r"^step 2: the gradient is not finite; batch: b$"):
        watch.check()


def test_a_long_batch_is_shortened() -> None:
    watch = FiniteWatch(CPU, at_once=True)
    with pytest.raises(InputError, match=r"k0, .*, k15 and 84 more$"):
        watch.note(1, torch.tensor(math.nan), FINE, [f"k{i}" for i in range(100)])
