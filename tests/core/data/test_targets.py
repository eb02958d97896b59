"""Targets: computed once, kept, cut like the frames, and never taken from other data."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.targets import Target, TargetTable, WithTargets, target_table
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

DATA = DataConfig(dataset="x", length=4, frame_shape=(3,), options={"scale": 2.0})


class Counted:
    """``compute`` that counts its calls: of each step, the sum of its frame times an option, and its number."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, clip: Clip, data: DataConfig) -> Tensor:
        self.calls += 1
        number = torch.arange(len(clip.frames), dtype=torch.float32)
        return torch.stack([clip.frames.sum(1) * data.options["scale"], number], dim=1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "targets"


@pytest.fixture
def compute() -> Counted:
    return Counted()


@pytest.fixture
def table(compute: Counted) -> Callable[..., TargetTable]:
    def make(
        dataset: SequenceDataset | None = None, data: DataConfig = DATA, version: int = 1
    ) -> TargetTable:
        target = Target("sums", compute, version=version)
        return target_table(dataset or windows(), "sums", target, modality="toy", data=data)

    return make


def windows(shift: float = 0.0) -> RandomWindows:
    g = torch.Generator().manual_seed(0)
    clips = [Clip(torch.randn(n, 3, generator=g) + shift, f"clip {n}") for n in (9, 5, 7)]
    return RandomWindows(clips, 4, repeats=2, seed=1)


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_batches_carry_the_targets_of_their_own_steps(table: Callable[..., TargetTable], epoch: int) -> None:
    plain = windows()
    dataset = WithTargets(plain, {"sums": table(plain)})
    batch = dataset.fetch([4, 0, 5, 2], epoch=epoch)
    assert torch.equal(batch.x, plain.fetch([4, 0, 5, 2], epoch=epoch).x)
    torch.testing.assert_close(batch.targets["sums"][..., 0], 2 * batch.x.sum(2))
    assert (batch.targets["sums"][:, 1:, 1] - batch.targets["sums"][:, :-1, 1] == 1).all()
    assert (len(dataset), dataset.shape, dataset.labels) == (len(plain), plain.shape, plain.labels)


def test_targets_travel_with_their_batch() -> None:
    batch = Sequences(torch.zeros(2, 3, 1), targets={"a": torch.ones(2, 3, 1)})
    assert batch.to("meta").targets["a"].device.type == "meta"


def test_a_target_is_computed_once(table: Callable[..., TargetTable], compute: Counted) -> None:
    first = table()
    assert compute.calls == 3
    again = table()
    assert compute.calls == 3
    assert torch.equal(first.values, again.values)
    assert again.lengths.tolist() == [9, 5, 7]


def test_other_data_options_or_versions_are_another_target(
    table: Callable[..., TargetTable], compute: Counted, cache: Path
) -> None:
    table()
    table(windows(shift=0.5))
    table(data=DATA.model_copy(update={"options": {"scale": 3.0}}))
    table(version=2)
    assert compute.calls == 12
    assert len(list(cache.iterdir())) == 4


def test_a_file_that_a_target_reads_counts_as_well(tmp_path: Path, compute: Counted) -> None:
    extra = tmp_path / "points"
    target = Target("sums", compute, inputs=lambda data: [extra])
    with pytest.raises(InputError, match="points: cannot be read: "):
        target_table(windows(), "sums", target, modality="toy", data=DATA)
    for content in ("a", "b", "b"):
        extra.write_text(content)
        target_table(windows(), "sums", target, modality="toy", data=DATA)
    assert compute.calls == 6


def _rewritten(path: Path, **changes: Tensor) -> None:
    """Exchange tensors and keep all else, as a flipped bit would."""
    with safe_open(str(path), framework="pt") as file:
        about, tensors = file.metadata(), {name: file.get_tensor(name) for name in ("values", "lengths")}
    save_file(tensors | changes, path, about)


DAMAGE: dict[str, Callable[[TargetTable], dict[str, Tensor]]] = {
    "nan": lambda known: {"values": known.values * torch.nan},
    "another value": lambda known: {"values": known.values.clone().index_fill_(0, torch.tensor(0), 9.0)},
    "another type": lambda known: {"values": known.values.long()},
    "another shape": lambda known: {"values": known.values.flatten()},
    "lengths that fit together": lambda known: {"lengths": known.lengths + torch.tensor([1, -1, 0])},
    "lengths that are no numbers": lambda known: {"lengths": known.lengths * torch.nan},
}


@pytest.mark.parametrize("damage", ["cut", "empty", "other", *DAMAGE])
def test_a_damaged_file_is_computed_again(
    table: Callable[..., TargetTable],
    compute: Counted,
    cache: Path,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = table()
    (path,) = cache.iterdir()
    content = path.read_bytes()
    if damage == "other":  # whole, but of other data
        other = table(ArraySequences(torch.zeros(2, 4, 3)))
        assert len(other.lengths) == 2
        next(p for p in cache.iterdir() if p != path).replace(path)
    elif damage in DAMAGE:
        _rewritten(path, **DAMAGE[damage](first))
    else:
        path.write_bytes(content[:-5] if damage == "cut" else b"")
    calls = compute.calls
    with caplog.at_level(logging.WARNING):
        assert torch.equal(table().values, first.values)
    assert compute.calls == calls + 3
    assert "is damaged" in caplog.text
    assert path.read_bytes() == content


def test_it_reports_progress(compute: Counted) -> None:
    seen: list[tuple[int, int]] = []
    target_table(
        windows(),
        "sums",
        Target("", compute),
        modality="toy",
        data=DATA,
        progress=lambda d, t: seen.append((d, t)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("bad", [torch.zeros(2, 1), torch.zeros(9), torch.full((9, 1), torch.nan)])
def test_what_is_no_target_is_refused(bad: Tensor) -> None:
    with pytest.raises(
        InputError, match=r"target 'sums' of clip 9: shape .* finite values of shape \(9, K\)"
    ):
        target_table(windows(), "sums", Target("", lambda clip, data: bad), modality="toy", data=DATA)


def test_a_dataset_that_hides_its_recordings_is_refused(compute: Counted) -> None:
    class Hidden(RandomWindows):
        def recordings(self) -> None:  # type: ignore[override]
            return None

    hidden = Hidden([Clip(torch.zeros(5, 3), "a")], 4)
    with pytest.raises(InputError, match="Hidden does not say where its sequences lie"):
        target_table(hidden, "sums", Target("", compute), modality="toy", data=DATA)


def test_a_cache_that_cannot_be_written_is_named(
    table: Callable[..., TargetTable], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        InputError, match=r"toy-sums-[0-9a-f]{32}\.safetensors: cannot be written: Not a directory"
    ):
        table()
