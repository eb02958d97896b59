from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors

PARTS = ("static", "dynamic")


def factors(batch: int = 3, steps: int = 4, *, seed: int = 0) -> Factors:
    g = torch.Generator().manual_seed(seed)
    extras = {
        "who": Extra(torch.randn(batch, 2, generator=g), "static"),
        "action": Extra(torch.randint(9, (batch, steps), generator=g), "dynamic"),
    }
    return Factors(
        torch.randn(batch, 5, generator=g),
        torch.randn(batch, steps, 2, 3, generator=g),
        extras,
        keys=[f"{seed}-{i}" for i in range(batch)],
        stamps=np.datetime64("2026-01-01", "h") + np.arange(seed, seed + batch * steps).reshape(batch, steps),
        mask=torch.arange(steps) < steps - (seed + torch.arange(batch)[:, None]) % 2,
    )


def dated(**changes: object) -> Factors:
    stamps = {"stamps": np.arange(6.0).reshape(2, 3)}
    return Factors(torch.zeros(2, 1), torch.zeros(2, 3, 1), **(stamps | changes))  # type: ignore[arg-type]


def equal(a: Factors, b: Factors) -> bool:
    same = all(torch.equal(getattr(a, part), getattr(b, part)) for part in PARTS)
    return (
        same
        and list(a.keys) == list(b.keys)
        and np.array_equal(a.stamps, b.stamps)  # type: ignore[arg-type]
        and (a.mask is b.mask is None or torch.equal(a.mask, b.mask))  # type: ignore[arg-type]
        and a.extras.keys() == b.extras.keys()
        and all(
            torch.equal(a.extras[n].value, b.extras[n].value) and a.extras[n].side == b.extras[n].side
            for n in a.extras
        )
    )


def test_a_mix_takes_each_side_and_its_extras_from_one_source() -> None:
    a, b = factors(seed=1), factors(seed=2)
    mixed = a.mix(b)
    assert torch.equal(mixed.static, a.static)
    assert torch.equal(mixed.dynamic, b.dynamic)
    assert torch.equal(mixed.extras["who"].value, a.extras["who"].value)
    assert torch.equal(mixed.extras["action"].value, b.extras["action"].value)
    assert mixed.keys == a.keys
    assert np.array_equal(mixed.stamps, b.stamps)  # type: ignore[arg-type]
    assert torch.equal(mixed.mask, b.mask)  # type: ignore[arg-type]


def test_a_swap_done_twice_is_the_identity() -> None:
    a, b = factors(seed=1), factors(seed=2)
    one, other = a.swap(b)
    back = one.swap(other)
    assert equal(back[0], a)
    assert equal(back[1], b)


def test_lengths_may_differ_in_a_mix_and_the_dynamics_decide() -> None:
    assert factors(steps=4).mix(factors(steps=7)).steps == 7


def test_a_batch_of_one_meets_every_other() -> None:
    one, many = factors(1, seed=1), factors(5, seed=2)
    for i in range(5):
        assert equal(one.mix(many)[i], one.mix(many[i]))
        assert equal(many.mix(one)[i], many[i].mix(one))


def test_batches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="equal batches or a batch of 1; got 2 and 3"):
        factors(2).mix(factors(3))
    with pytest.raises(InputError, match=r"equal batch sizes; got {'static': 2, 'dynamic': 3}"):
        Factors(torch.zeros(2, 1), torch.zeros(3, 4, 1))
    with pytest.raises(InputError, match=r"got \(2,\) and \(2, 4, 1\)"):
        Factors(torch.zeros(2), torch.zeros(2, 4, 1))
    with pytest.raises(InputError, match="2 sequences need as many keys; got 1"):
        dated(keys=["a"])
    with pytest.raises(InputError, match=r"stamps of shape \(2, 1\); allowed: \(2, 3\)"):
        dated(stamps=np.zeros((2, 1)))
    with pytest.raises(InputError, match=r"mask of shape \(3, 2\); allowed: \(2, 3\)"):
        dated(mask=torch.ones(3, 2, dtype=torch.bool))


def test_flatten_then_unflatten_is_the_identity() -> None:
    f = factors()
    vector = f.flatten()
    assert vector.shape == (3, 5 + 4 * 2 * 3)
    back = factors(1, seed=9).unflatten(vector)
    assert all(torch.equal(getattr(back, part), getattr(f, part)) for part in PARTS)
    with pytest.raises(InputError, match=r"shape \(N, 29\); got \(3, 28\)"):
        f.unflatten(vector[:, 1:])


def test_cat_joins_what_indexing_takes_apart() -> None:
    f = factors(4)
    assert equal(Factors.cat([f[0], f[1:3], f[-1]]), f)
    assert equal(f[torch.tensor([2, 0])], Factors.cat([f[2], f[0]]))
    with pytest.raises(InputError, match="at least one Factors; got none"):
        Factors.cat([])


def test_an_index_outside_of_the_batch_is_refused() -> None:
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"{index} is out of range for 4 sequences"):
            factors(4)[index]


def test_parts_with_different_extras_cannot_be_joined() -> None:
    f = factors(2)
    for parts in ([f, Factors(f.static, f.dynamic)], [Factors(f.static, f.dynamic), f]):
        with pytest.raises(InputError, match="same extras"):
            Factors.cat(parts)
    with pytest.raises(InputError, match=r"keys in every part or in none; got \[False, True\]"):
        Factors.cat([dated(), dated(keys=["a", "b"])])
    with pytest.raises(InputError, match=r"stamps in every part or in none; got \[True, False\]"):
        Factors.cat([dated(), dated(stamps=None)])


def test_a_mask_of_one_part_is_a_mask_of_the_whole() -> None:
    mask = torch.tensor([[True, True, False], [True, False, False]])
    joined = Factors.cat([dated(), dated(mask=mask)])
    assert joined.mask is not None
    assert joined.mask.sum(1).tolist() == [3, 3, 2, 1]


def test_types_move_floating_parts_only() -> None:
    moved = factors().to(dtype=torch.float64)
    assert moved.static.dtype == moved.extras["who"].value.dtype == torch.float64
    assert moved.extras["action"].value.dtype == torch.int64
    grown = Factors(torch.zeros(1, 1, requires_grad=True), torch.zeros(1, 1, 1)).detach()
    assert not grown.static.requires_grad


def test_the_extras_cannot_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        factors().extras["new"] = Extra(torch.zeros(3, 1), "static")  # type: ignore[index]


@pytest.mark.parametrize(
    "stamps",
    [
        None,
        np.arange(6).reshape(2, 3),
        np.arange(6).reshape(2, 3).view("datetime64[us]"),
        np.full((2, 3), np.nan),
    ],
)
def test_save_then_load_is_bit_equal(tmp_path: Path, stamps: np.ndarray | None) -> None:
    path = tmp_path / "f.safetensors"
    factors().save(path)
    assert equal(Factors.load(path), factors())
    plain = dated(stamps=stamps, keys=["ß", "c/d.mp4"])
    plain.save(path)
    loaded = Factors.load(path)
    assert loaded.mask is None
    assert loaded.keys == ("ß", "c/d.mp4")
    if stamps is None:
        assert loaded.stamps is None
    else:
        assert loaded.stamps is not None
        assert loaded.stamps.dtype == stamps.dtype
        np.testing.assert_array_equal(loaded.stamps, stamps)


def test_a_mixed_batch_of_one_can_be_saved(tmp_path: Path) -> None:
    mixed = factors(1).mix(factors(3, seed=4))
    mixed.save(tmp_path / "f.safetensors")
    assert equal(Factors.load(tmp_path / "f.safetensors"), mixed)


def test_what_is_not_a_factors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    with pytest.raises(InputError, match="cannot be read as a factors file"):
        Factors.load(path)
    factors().save(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="cannot be read as a factors file"):
        Factors.load(path)
    save_file({"static": torch.zeros(1)}, str(path))
    with pytest.raises(InputError, match="not a factors file"):
        Factors.load(path)
    factors().save(path)
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata()
    save_file({"static": torch.zeros(3, 1)}, str(path), metadata=metadata)
    with pytest.raises(InputError, match="holds no 'dynamic'"):
        Factors.load(path)
    save_file({"static": torch.zeros(3, 1), "dynamic": torch.zeros(3, 1, 1)}, str(path), metadata=metadata)
    with pytest.raises(InputError, match="holds no 'stamps'"):
        Factors.load(path)


def test_one_extra_is_replaced_and_nothing_else() -> None:
    a, b = factors(seed=1), factors(seed=2)
    mixed = a.replace_extra("action", b)
    assert torch.equal(mixed.extras["action"].value, b.extras["action"].value)
    assert mixed.extras["action"].side == "dynamic"
    assert equal(mixed.replace_extra("action", a), a)
    assert equal(a.replace_extra("who", b[0])[2], a[2].replace_extra("who", b[0]))
    with pytest.raises(InputError, match=r"unknown extra of these factors 'act'.*allowed: action, who"):
        a.replace_extra("act", b)
    with pytest.raises(InputError, match="equal batches or one to lend; got 3 and 2"):
        a.replace_extra("action", b[:2])


def test_arrays_hold_the_same_values() -> None:
    f = factors()
    arrays = f.to(dtype=torch.bfloat16).numpy()
    assert arrays.static.dtype == np.float32
    np.testing.assert_array_equal(f.numpy().dynamic, f.dynamic.numpy())
    np.testing.assert_array_equal(f.numpy().extras["action"], f.extras["action"].value.numpy())
    assert f.numpy().keys == f.keys
    grown = Factors(torch.ones(1, 1, requires_grad=True), torch.zeros(1, 2, 1)).numpy()
    assert grown.static.tolist() == [[1.0]]
    assert grown.mask is grown.stamps is None


def test_only_safetensors_files_are_written(tmp_path: Path) -> None:
    factors = Factors(torch.zeros(2, 3), torch.zeros(2, 4, 1))
    for name, suffix in (("f.csv", "'.csv'"), ("f.npz", "'.npz'"), ("f", "''")):
        with pytest.raises(InputError, match=f"saved as a .safetensors file; got {suffix}"):
            factors.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
