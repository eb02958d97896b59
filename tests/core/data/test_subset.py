from __future__ import annotations

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.subset import Subset
from seqdis.core.errors import InputError

LABELS = {"kind": Label(("a", "b"), "static")}


def dataset() -> ArraySequences:
    x = torch.arange(36, dtype=torch.float32).view(6, 3, 2)
    return ArraySequences(x, labels=LABELS, label_values={"kind": torch.arange(6) % 2}, keys=list("abcdef"))


def test_a_subset_has_its_rows_in_its_order() -> None:
    part = Subset(dataset(), [5, 0, 3])
    assert part.fetch([2, 0]).keys == ["d", "f"]
    assert (len(part), part.shape, part.labels) == (3, (3, 2), LABELS)
    assert part.all_labels()["kind"].tolist() == [1, 0, 1]
    with pytest.raises(InputError, match="at least one sequence; got none"):
        Subset(dataset(), [])
