from __future__ import annotations

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.identities import IDENTITY, IDENTITY_OBSERVED, WithIdentities, identity_frames
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError

LABELS = {
    "who": Label(("a", "b"), "static"),
    "hat": Label(("no", "yes"), "static"),
    "side": Label(("left", "right", "front"), "dynamic"),
}


def build(count: int = 60, steps: int = 4, masked: bool = False) -> WithIdentities:
    """A frame holds its sequence's labels and its step."""
    g = torch.Generator().manual_seed(0)
    label_values = {
        name: torch.randint(len(label.classes), (count,), generator=g) for name, label in LABELS.items()
    }
    x = torch.stack([*label_values.values(), torch.zeros(count)], 1).float()[:, None].repeat(1, steps, 1)
    x[..., 3] = torch.arange(steps).float()
    mask = torch.arange(steps).expand(count, -1) < 2 if masked else None
    return WithIdentities(
        ArraySequences(x, labels=LABELS, label_values=label_values, mask=mask), ("who", "hat")
    )


def test_frames_are_of_the_individual_and_of_any_of_its_sequences() -> None:
    dataset = build()
    batch = dataset.fetch(range(60))
    frames = batch.targets[IDENTITY]
    assert frames.shape == (60, 16, 4)  # whatever the length of a sequence
    assert torch.equal(frames[..., :2], batch.x[:, :1, :2].expand(-1, 16, -1))
    # All sides and all steps are met, within one sequence's frames as well.
    assert {tuple(f) for f in frames[..., 2:].flatten(0, 1).tolist()} == {
        (s, t) for s in (0, 1, 2) for t in range(4)
    }
    assert (frames[:, :, 2].amax(1) > frames[:, :, 2].amin(1)).float().mean() > 0.5


def test_frames_are_of_as_many_sequences_as_asked_for_equally_many_from_each() -> None:
    """The third number of a frame tells its sequence: each identity has one of each of the 20."""
    which = torch.arange(20).repeat(3)
    x = torch.stack([torch.arange(60) // 20, which], 1).float()[:, None].repeat(1, 4, 1)
    labels = {"who": Label(("a", "b", "c"), "static")}
    source = ArraySequences(x, labels=labels, label_values={"who": torch.arange(60) // 20})
    for count in (1, 2, 5):
        frames = (
            WithIdentities(source, ("who",), frames=10, sequences=count).fetch(range(60)).targets[IDENTITY]
        )
        for group in frames:
            _, met = group[:, 1].unique(return_counts=True)
            assert met.tolist() == [10 // count] * count
    # An identity of one sequence lends that one.
    alone = ArraySequences(x[:1], labels=labels, label_values={"who": torch.zeros(1, dtype=torch.long)})
    assert torch.equal(
        WithIdentities(alone, ("who",)).fetch([0]).targets[IDENTITY], x[:1, :1].expand(1, 16, 2)
    )


def test_they_are_fixed_by_index_and_epoch() -> None:
    dataset = build()
    first = dataset.fetch([3, 4], epoch=1).targets[IDENTITY]
    assert torch.equal(first[1:], dataset.fetch([4], epoch=1).targets[IDENTITY])
    assert not torch.equal(first, dataset.fetch([3, 4], epoch=2).targets[IDENTITY])


def test_padding_is_never_drawn() -> None:
    frames = build(masked=True).fetch(range(60)).targets[IDENTITY]
    assert frames[..., 3].max() == 1


def test_gaps_of_lent_frames_are_known_and_blank() -> None:
    whole = build()
    observed = torch.rand(60, 4, 4, generator=torch.Generator().manual_seed(1)) > 0.3
    labels = {name: whole.all_labels()[name] for name in LABELS}
    batches = []
    for fill in (0.0, float("nan")):
        source = ArraySequences(torch.zeros(60, 4, 4), labels=LABELS, label_values=labels, observed=observed)
        source._x = torch.where(observed, whole._dataset.fetch(range(60)).x, fill)
        batches.append(WithIdentities(source, ("who", "hat")).fetch(range(60)))
    blank, wild = map(identity_frames, batches)
    assert blank is not None
    assert wild is not None
    assert blank.observed is not None
    assert not blank.observed.all()
    assert torch.equal(blank.x, wild.x)
    expected = identity_frames(whole.fetch(range(60)))
    assert expected is not None
    assert torch.equal(blank.x, torch.where(blank.observed, expected.x, 0))
    assert IDENTITY_OBSERVED not in whole.fetch([0]).targets


def test_the_rest_is_that_of_the_dataset() -> None:
    dataset = build()
    assert len(dataset) == 60
    assert dataset.shape == (4, 4)
    assert dataset.labels == LABELS
    assert torch.equal(dataset.all_labels()["side"], dataset.fetch(range(60)).labels["side"])
    with pytest.raises(InputError, match=r"unknown label in data.identities 'skin'; allowed: hat, side, who"):
        WithIdentities(dataset, ("skin",))
