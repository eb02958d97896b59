"""The judge that is trained here: a trunk for single frames, a bi-LSTM over them, and a head for each label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seqdis.core.allocation_limit import as_large_as
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_tensors
from seqdis.core.loaded_weights import fitting_weights
from seqdis.core.reading import readable
from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
from seqdis.eval.judge.trunks import TRUNK_FEATURES, image_trunk, vector_trunk

__all__ = ["SequenceJudge"]

_FORMAT = "seqdis.judge.1"


class SequenceJudge(nn.Module):
    """A trunk for single frames, a bi-LSTM over them, and one head a label.

    The trunk of images is DCGAN's encoder: convolutions 4/2/1 down to 4×4, one 4×4 to 128 features,
    batch normalisation, tanh; at 64×64 that is 64-128-256-512 channels and an LSTM of 256, the
    judge of the published Sprites and MUG tables. Smaller images and vectors get half of the width,
    and smaller images a first convolution without stride.
    Inputs pass a batch normalisation without parameters, so that any unit will do.

    Args:
        labels: Labels that the judge decides.
        frame_shape: ``(C, H, W)`` or ``(F,)``.
        width: Channels of the first convolution, and a quarter of the LSTM's; chosen by the
            frame's size when omitted.

    Raises:
        InputError: There is no label, or frames of this shape have no trunk.
    """

    def __init__(
        self, *, labels: Mapping[str, Label], frame_shape: tuple[int, ...], width: int | None = None
    ) -> None:
        super().__init__()
        if not labels:
            raise InputError("a judge needs at least one label; got none")
        if len(frame_shape) not in (1, 3):
            raise InputError(f"a judge takes frames (C, H, W) or (F,); got {tuple(frame_shape)}")
        self.labels, self.frame_shape = dict(labels), tuple(frame_shape)
        self.width = width or (64 if len(frame_shape) == 3 and min(frame_shape[1:]) >= 64 else 32)
        hidden = 4 * self.width
        image = len(frame_shape) == 3
        self.trunk = (
            image_trunk(self.frame_shape, self.width) if image else vector_trunk(frame_shape[0], hidden)
        )
        self.lstm = nn.LSTM(TRUNK_FEATURES, hidden, batch_first=True, bidirectional=True)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, len(label.classes)))
            for label in self.labels.values()
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """Logits of every label, each ``(B, classes)``; see :meth:`features`."""
        summary = self.features(x, mask)
        return {name: head(summary) for name, head in zip(self.labels, self.heads, strict=True)}

    def features(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features that the heads decide by, ``(B, 8·width)``: the last states of the LSTM's two directions.

        Args:
            x: ``(B, V, *frame)`` in natural units.
            mask: True where a step exists, ``(B, V)``; steps that do not exist come last and have
                no influence.
        """
        if mask is None:
            features = self.trunk(x.flatten(0, 1)).unflatten(0, x.shape[:2])
            ends = self.lstm(features)[1][0]
        else:
            features = x.new_zeros(*x.shape[:2], TRUNK_FEATURES)
            features[mask] = self.trunk(x[mask])
            lengths = mask.sum(1).cpu()
            ends = self.lstm(pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False))[
                1
            ][0]
        return torch.cat([ends[0], ends[1]], dim=1)

    @torch.no_grad()
    def predict(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """Like the method that it implements; see :class:`~seqdis.eval.judge.interface.Judge`."""
        device = next(self.parameters()).device
        logits = self(x.to(device), None if mask is None else mask.to(device))
        return {name: value.argmax(1).cpu() for name, value in logits.items()}

    @torch.no_grad()
    def probabilities(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """Like the method that it implements; see :class:`~seqdis.eval.judge.interface.GradedJudge`."""
        device = next(self.parameters()).device
        logits = self(x.to(device), None if mask is None else mask.to(device))
        return {name: value.double().softmax(1).cpu() for name, value in logits.items()}

    def save(self, path: Path, *, accuracy: JudgeAccuracy, origin: str) -> None:
        """Write one safetensors file with the accuracy and ``origin``, what it was trained on."""
        about = {
            "labels": {name: asdict(label) for name, label in self.labels.items()},
            "frame_shape": self.frame_shape,
            "width": self.width,
            "accuracy": {"joint": accuracy.joint, "labels": dict(accuracy.labels), "n": accuracy.n},
            "origin": origin,
        }
        # One entry: safetensors writes several in an order that differs from run to run.
        replace_with_tensors(path, self.state_dict(), {_FORMAT: json.dumps(about)})

    @classmethod
    def load(cls, path: Path) -> tuple[SequenceJudge, JudgeAccuracy, str]:
        """Read what :meth:`save` wrote: the judge in evaluation mode, its accuracy, its origin.

        Raises:
            InputError: The file is missing, damaged, or holds something else, or a weight is not finite.
        """
        with readable(path, "a judge"):
            with safe_open(str(path), framework="pt") as file:
                metadata = file.metadata() or {}
                if _FORMAT not in metadata:
                    received = ", ".join(sorted(metadata)) or "nothing"
                    raise InputError(
                        f"{path}: not a judge's file; its metadata name {received}, not {_FORMAT}"
                    )
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            about = json.loads(metadata[_FORMAT])
            labels = {n: Label(tuple(v["classes"]), v["factor"]) for n, v in about["labels"].items()}
            with as_large_as(state, path):
                judge = cls(labels=labels, frame_shape=tuple(about["frame_shape"]), width=about["width"])
            tensors = fitting_weights(
                state,
                judge.state_dict(),
                where=str(path),
                misfit="the weights and their description disagree",
            )
            judge.load_state_dict(tensors)
            try:
                accuracy, origin = JudgeAccuracy(**about["accuracy"]), str(about["origin"])
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
        return judge.eval(), accuracy, origin
