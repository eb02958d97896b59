"""A world with known answers: two static channels, two dynamic ones, and models that are right or wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import pytest
import torch
from torch import Tensor

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.factors import Factors
from seqdis.core.priors.factorised import FactorisedPrior
from seqdis.core.random import GeneratorLike, GeneratorStack, rand
from seqdis.core.sequences import Sequences

LABELS = {
    "level": Label(("low", "middle", "high"), "static"),
    "tilt": Label(("left", "right"), "static"),
    "path": Label(("rise", "fall"), "dynamic"),
}
STEPS = 5


class World(ArraySequences):
    """Frames ``(level, tilt, ramp, -ramp)``, so that each label can be read off exactly."""

    def __init__(self, count: int, seed: int, *, noise: float = 0.02) -> None:
        g = torch.Generator().manual_seed(seed)
        label_values = {
            name: torch.randint(len(label.classes), (count,), generator=g) for name, label in LABELS.items()
        }
        ramp = torch.linspace(-1, 1, STEPS) * (1 - 2 * label_values["path"][:, None])
        still = torch.stack([label_values["level"] - 1.0, 2.0 * label_values["tilt"] - 1], dim=1)
        x = torch.cat([still[:, None].expand(-1, STEPS, -1), ramp[..., None], -ramp[..., None]], dim=2)
        super().__init__(
            x + noise * torch.randn(x.shape, generator=g), labels=LABELS, label_values=label_values
        )


class Reader:
    """A judge that needs no training in this world."""

    labels = LABELS

    def predict(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        return {
            "level": (x[..., 0].mean(1) + 1).round().clamp(0, 2).long(),
            "tilt": (x[..., 1].mean(1) > 0).long(),
            "path": (x[:, -1, 2] < x[:, 0, 2]).long(),
        }


class SureReader(Reader):
    """A reader that is right, and 90% sure."""

    def probabilities(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        found = {}
        for name, value in self.predict(x, mask).items():
            classes = len(LABELS[name].classes)
            found[name] = torch.full((len(value), classes), 0.1 / (classes - 1), dtype=torch.float64)
            found[name][torch.arange(len(value)), value] = 0.9
        return found


class Channels(Disentangler):
    """Splits the channels: ``perfect``, ``reversed`` (roles exchanged) or ``constant`` (one clip for all)."""

    def __init__(self, kind: str = "perfect", *, channels: int = 4) -> None:
        super().__init__(frame_shape=(channels,))
        self.kind = kind

    @classmethod
    def from_config(cls, config: Any, **_: Any) -> Self:
        raise NotImplementedError

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        raise NotImplementedError

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        assert not self.training
        x = sequences.x
        static, dynamic = x[..., :2], x[..., 2:]
        # Unlike a sum over time, the clip as a whole lets a reversed model be told from a lossy one.
        return (
            Factors(dynamic.flatten(1), static)
            if self.kind == "reversed"
            else Factors(static.flatten(1), dynamic)
        )

    def _decode(self, factors: Factors, **options: Any) -> Tensor:
        if self.kind == "constant":
            return torch.ones(len(factors), STEPS, 4)
        parts = factors.static.unflatten(1, (STEPS, 2)), factors.dynamic
        return torch.cat(parts if self.kind == "perfect" else parts[::-1], dim=2)


class Planes(Disentangler):
    """Pictures ``(3, H, W)``: the first plane is static, the other two are dynamic."""

    def __init__(self, size: int = 8) -> None:
        super().__init__(frame_shape=(3, size, size))

    @classmethod
    def from_config(cls, config: Any, **_: Any) -> Self:
        raise NotImplementedError

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        raise NotImplementedError

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        return Factors(sequences.x[:, :, :1].flatten(1), sequences.x[:, :, 1:])

    def _decode(self, factors: Factors, **options: Any) -> Tensor:
        steps, _, height, width = factors.dynamic.shape[1:]
        return torch.cat([factors.static.unflatten(1, (steps, 1, height, width)), factors.dynamic], dim=2)


def world_prior(kind: str = "perfect") -> FactorisedPrior:
    """Factors of clips of the world that nobody has seen."""
    model = Channels(kind).eval()

    def draw(rows: GeneratorStack, steps: int) -> Factors:
        parts = []
        for number in rand((len(rows), 3), generator=rows):
            level, tilt, path = (int(u * n) for u, n in zip(number, (3, 2, 2), strict=True))
            ramp = torch.linspace(-1, 1, steps) * (1 - 2 * path)
            still = torch.tensor([level - 1.0, 2.0 * tilt - 1]).expand(steps, 2)
            parts.append(torch.cat([still, ramp[:, None], -ramp[:, None]], dim=1))
        return model.encode(torch.stack(parts))

    return FactorisedPrior(draw, steps=STEPS)


@pytest.fixture
def sure_reader() -> SureReader:
    return SureReader()


@pytest.fixture
def planes() -> type[Planes]:
    return Planes


@pytest.fixture
def prior_of_the_world() -> Callable[..., FactorisedPrior]:
    return world_prior


@pytest.fixture
def world() -> type[World]:
    return World


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def channels() -> type[Channels]:
    return Channels
