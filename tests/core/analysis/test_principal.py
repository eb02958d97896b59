from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from seqdis.core.analysis.principal import PrincipalComponents, label_association, principal_components
from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors


def drawn(count: int = 4000) -> Factors:
    """Static: three entries that follow one cause, one of its own, one that never changes."""
    g = torch.Generator().manual_seed(0)
    cause, own, noise = (torch.randn(count, n, generator=g) for n in (1, 1, 3))
    static = torch.cat([5 + 2 * (cause + 0.3 * noise), own, torch.full((count, 1), 7.0)], dim=1)
    return Factors(static, torch.randn(count, 2, 3, generator=g))


def test_components_are_the_eigenvectors_of_the_correlation() -> None:
    samples = drawn()
    found = principal_components(samples, "static")
    correlation = np.corrcoef(samples.static[:, :4].double().numpy().T)
    values, vectors = np.linalg.eigh(correlation)
    assert len(found) == 4  # the entry that never changes has no direction
    np.testing.assert_allclose(found.explained, values[::-1] / 4, rtol=1e-5)
    for mine, theirs in zip(found.directions[:, :4].numpy(), vectors.T[::-1], strict=True):
        assert abs(mine @ theirs) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(found.directions @ found.directions.T, torch.eye(4, dtype=torch.float64))
    assert (found.directions[:, 4] == 0).all()
    assert (found.directions.gather(1, found.directions.abs().argmax(1, keepdim=True)) > 0).all()
    assert found.explained[0] > 0.6


def test_a_step_is_equation_6() -> None:
    samples, factors = drawn(), drawn(3)
    found = principal_components(samples, "static")
    amounts = torch.tensor([-2.0, 0.0, 0.5])
    moved = found.move(factors, 1, amounts)
    mu, sigma = samples.static.double().mean(0), samples.static.double().std(0, correction=0)
    sigma[4] = 1
    for row in range(3):
        for place, alpha in enumerate(amounts.tolist()):
            s = factors.static[row].double()
            expected = ((s - mu) / sigma + alpha * found.directions[1] * 5**0.5) * sigma + mu
            torch.testing.assert_close(moved.static[3 * row + place].double(), expected, rtol=1e-5, atol=1e-5)
            assert torch.equal(moved.dynamic[3 * row + place], factors.dynamic[row])
    assert torch.equal(moved.static[1::3], factors.static)  # α = 0, to the bit


def test_a_trajectory_moves_as_a_whole_and_extras_come_along() -> None:
    found = principal_components(drawn(), "dynamic")
    assert found.directions.shape == (6, 6)
    extras = {"codes": Extra(torch.arange(2)[:, None], "dynamic")}
    factors = Factors(torch.zeros(2, 5), torch.randn(2, 2, 3), extras)
    moved = found.move(factors, 0, torch.tensor([0.0, 1.0]))
    assert torch.equal(moved.dynamic[::2], factors.dynamic)
    assert not torch.equal(moved.dynamic[1], factors.dynamic[0])
    assert torch.equal(moved.static, torch.zeros(4, 5))
    assert moved.extras["codes"].value.flatten().tolist() == [0, 0, 1, 1]


def test_coordinates_are_those_that_a_step_changes() -> None:
    found = principal_components(drawn(), "static")
    factors = drawn(4)
    before = found.coordinates(factors)
    after = found.coordinates(found.move(factors, 2, torch.tensor([1.5])))
    step = torch.zeros(4, 4, dtype=torch.float64)
    step[:, 2] = 1.5 * 5**0.5
    torch.testing.assert_close(after - before, step, atol=1e-5, rtol=1e-5)


def test_keep_limits_the_directions_and_not_what_they_explain() -> None:
    whole, few = (principal_components(drawn(), "static", keep=keep) for keep in (64, 2))
    assert len(few) == 2
    torch.testing.assert_close(few.explained, whole.explained[:2])


def test_association_is_the_share_of_variance_between_classes() -> None:
    found = principal_components(drawn(), "static")
    factors = drawn(600)
    t = found.coordinates(factors)
    labels = {
        "sign": (t[:, 0] > 0).long(),
        "chance": torch.arange(600) % 3,
        "constant": torch.zeros(600, dtype=torch.long),
    }
    shares = label_association(found, factors, labels)
    # For a normal coordinate cut at its mean the share is 2/π.
    assert shares["sign"][0].value == pytest.approx(2 / np.pi, abs=0.03)
    assert shares["sign"][0].chance == pytest.approx(1 / 599)
    assert all(metric.value < 0.03 for metric in shares["chance"])
    assert [metric.value for metric in shares["constant"]] == [0, 0, 0, 0]
    one = {"t": torch.arange(600)}
    assert label_association(found, factors, one)["t"][0].value == pytest.approx(1)  # a class each


def test_save_then_load_is_bit_equal(tmp_path: Path) -> None:
    found = principal_components(drawn(), "dynamic")
    found.save(tmp_path / "c.safetensors")
    loaded = PrincipalComponents.load(tmp_path / "c.safetensors")
    assert loaded.factor == "dynamic"
    for name in ("mean", "std", "directions", "explained"):
        assert torch.equal(getattr(loaded, name), getattr(found, name))
    (tmp_path / "c.safetensors").write_bytes(b"half")
    with pytest.raises(InputError, match="cannot be read as principal components"):
        PrincipalComponents.load(tmp_path / "c.safetensors")
    Factors(torch.zeros(1, 1), torch.zeros(1, 1, 1)).save(tmp_path / "f.safetensors")
    with pytest.raises(InputError, match="not a file of principal components"):
        PrincipalComponents.load(tmp_path / "f.safetensors")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("mean", lambda x: x * torch.nan, "mean: . of . values are NaN or Inf"),
        ("std", lambda x: x * 0, r"std: is 0 at index \(0,\)"),
        ("directions", lambda x: x.float(), "directions is of type float32; allowed: float64"),
        ("directions", lambda x: x.flatten()[:1], r"directions \(1,\), .*; allowed: mean \(F,\), std \(F,\)"),
        ("directions", lambda x: x[:0], r"directions \(0, 5\), .*; allowed: mean"),
        ("std", lambda x: x[:1], r"std \(1,\); allowed: mean|std \(1,\), .*; allowed: mean"),
        ("explained", lambda x: x[:1], r"explained \(1,\).*; allowed: mean"),
        ("explained", lambda x: x + 7, "explained holds what is no share; allowed: 0 to 1"),
    ],
)
def test_a_damaged_file_is_told_by_its_tensor(
    tmp_path: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    path = tmp_path / "c.safetensors"
    principal_components(drawn(), "static").save(path)
    with safe_open(str(path), framework="pt") as file:
        about = file.metadata()
    tensors = load_file(path)
    save_file(tensors | {name: change(tensors[name]).contiguous()}, path, about)
    with pytest.raises(InputError, match=rf"^{path}: .*{message}") as told:
        PrincipalComponents.load(path)
    assert "\n" not in str(told.value)


def test_bad_input_is_refused() -> None:
    samples = drawn(10)
    found = principal_components(samples, "static")
    with pytest.raises(InputError, match="component 4: there are 4; allowed: 0 to 3"):
        found.move(samples, 4, torch.zeros(1))
    with pytest.raises(InputError, match="static factors of 3 numbers; these components are of 5"):
        found.coordinates(Factors(torch.zeros(1, 3), torch.zeros(1, 1, 1)))
    with pytest.raises(InputError, match="at least 2 samples; got 1"):
        principal_components(samples[0], "static")
    same = Factors(torch.ones(5, 2), torch.zeros(5, 1, 1))
    with pytest.raises(InputError, match="all 5 samples are the same"):
        principal_components(same, "static")
    with pytest.raises(InputError, match="NaN"):
        principal_components(Factors(torch.full((5, 2), float("nan")), torch.zeros(5, 1, 1)), "static")
    with pytest.raises(InputError, match="at least 2 sequences and as many labels"):
        label_association(found, samples, {"x": torch.zeros(3)})
