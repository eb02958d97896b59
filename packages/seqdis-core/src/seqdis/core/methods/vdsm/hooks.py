"""The training hooks of VDSM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from seqdis.core.errors import unknown_name
from seqdis.core.training.hooks import TrainingHooks

__all__ = ["MOVING_VALUES", "STAGES", "VDSMHooks"]

STAGES = ("frames", "sequences")
MOVING_VALUES = ("temperature", "kl_static_weight", "kl_action_weight", "kl_pose_weight")


class VDSMHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.vdsm.method.VDSM`."""

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """``encoder``, ``decoder``, the ``heads`` before ``s`` and ``z``, ``frame_pose``, and ``sequence``."""
        m = self.model
        parts: dict[str, list[nn.Module]] = {
            "encoder": [m.encoder],
            "decoder": [m.decoder],
            "heads": [m.identity, m.pose_head],
            "frame_pose": [m.frame_pose],
            "sequence": [m.inference, m.transition],
        }
        return {name: [p for m in modules for p in m.parameters()] for name, modules in parts.items()}

    def set_scheduled(self, name: str, value: float) -> None:
        """Set the mixture's temperature or the weight of a KL term, as a stage's ``ramps`` move it."""
        if name not in MOVING_VALUES:
            raise unknown_name("moving value of vdsm", name, MOVING_VALUES)
        self.model.get_buffer(name).fill_(value)

    def on_stage(self, name: str) -> None:
        """``"frames"``: poses independent given a frame; ``"sequences"``: the full model (Sec. 3.2)."""
        if name not in STAGES:
            raise unknown_name("stage of vdsm", name, STAGES)
        self.model.set_stage(name)
