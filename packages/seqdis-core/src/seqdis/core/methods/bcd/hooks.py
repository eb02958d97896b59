"""The training hooks of BCD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from seqdis.core.errors import unknown_name
from seqdis.core.schedules import ExponentialDecay, ValueSchedule
from seqdis.core.training.hooks import TrainingHooks

__all__ = ["STAGES", "BCDHooks"]

STAGES = ("spatial", "temporal")


class BCDHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.bcd.method.BCD`."""

    def compile_networks(self) -> None:
        """``torch.compile`` the blocks of the DiT in place."""
        self.model.dit.compile_blocks()

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """``encoder``, ``quantizer``, ``decoder`` and its ``temporal`` blocks."""
        model = self.model
        temporal = list(model.dit.temporal_blocks.parameters())
        known = {id(p) for p in temporal}
        reader = [] if model.predictability is None else model.predictability.parameters()
        return {
            "encoder": [*model.encoder.parameters(), *model.to_motion.parameters(), *reader],
            "quantizer": list(model.quantizer.parameters()),
            "decoder": [p for p in model.dit.parameters() if id(p) not in known],
            "temporal": temporal,
        }

    def schedules(self) -> Mapping[str, ValueSchedule]:
        """The temperature of the Gumbel-softmax (Tab. A7)."""
        c = self.model.config
        return {"temperature": ExponentialDecay(c.temperature, c.temperature_end, c.temperature_decay)}

    def set_scheduled(self, name: str, value: float) -> None:
        """Set the quantiser's temperature."""
        self.model.quantizer.set_temperature(value)

    def on_stage(self, name: str) -> None:
        """``"spatial"`` leaves the temporal blocks out, ``"temporal"`` brings them in (Sec. 4.2)."""
        if name not in STAGES:
            raise unknown_name("stage of bcd", name, list(STAGES))
        self.model.dit.use_temporal(name == "temporal")
