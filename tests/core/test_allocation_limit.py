from __future__ import annotations

import pytest
import torch
from torch import nn

from seqdis.core.allocation_limit import AllocationLimit, as_large_as
from seqdis.core.errors import InputError


def test_what_is_within_the_limit_is_built_as_ever() -> None:
    torch.manual_seed(0)
    plain = nn.Linear(30, 20)
    torch.manual_seed(0)
    with AllocationLimit(620, "too much") as limit:
        limited = nn.Linear(30, 20)
    assert limit.created == 620
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), limited.parameters(), strict=True))


def test_what_exceeds_it_is_not_created() -> None:
    # 4 · 10^12 bytes: nothing could create it.
    with pytest.raises(InputError, match=r"^more than 619$"), AllocationLimit(619, "more than {most}"):
        nn.Linear(10**6, 10**6)


def test_a_model_is_no_larger_than_its_weights() -> None:
    state = nn.Linear(1000, 1000).state_dict()
    with as_large_as(state, "folder"):
        nn.Linear(1000, 1000)
    message = r"^folder: weights and configuration disagree: .* the weights are 1001000$"
    with pytest.raises(InputError, match=message), as_large_as(state, "folder"):
        nn.Linear(2000, 2000)
