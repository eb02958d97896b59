"""A judge of one's own, read from a file: TorchScript, or a judge that this package has kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.eval.features.torchscript import call_script, load_script
from seqdis.eval.judge.interface import GradedJudge
from seqdis.eval.judge.sequence_judge import SequenceJudge

__all__ = ["ScriptedJudge", "open_judge"]


class ScriptedJudge:
    """A classifier as TorchScript, such as an exported judge of a paper's authors.

    It takes clips ``(B, V, *frame)`` in natural units and returns logits ``(B, classes)`` of each label: a dictionary
    by label, a tuple in the order of the dataset's labels, or a tensor where there is one label.

    Args:
        path: Path of the script.
        labels: Labels that the judge decides, in the order of the dataset.
        device: Device on which it runs.

    Raises:
        InputError: The file is missing or no TorchScript.
    """

    def __init__(
        self, path: Path, *, labels: Mapping[str, Label], device: torch.device | str = "cpu"
    ) -> None:
        self._path, self._labels, self._device = path, dict(labels), device
        self._network = load_script(path, device)

    @property
    def labels(self) -> Mapping[str, Label]:
        """Labels that the judge decides."""
        return self._labels

    def predict(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """Like the method that it implements; see :class:`~seqdis.eval.judge.interface.Judge`."""
        return {name: value.argmax(1) for name, value in self._logits(x, mask).items()}

    def probabilities(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """Like the method that it implements; see :class:`~seqdis.eval.judge.interface.GradedJudge`."""
        return {name: value.double().softmax(1) for name, value in self._logits(x, mask).items()}

    @torch.no_grad()
    def _logits(self, x: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        if mask is not None and not bool(mask.all()):
            raise InputError(
                f"{self._path}: a scripted judge sees whole clips; these have steps that do not exist"
            )
        what = f"cannot judge clips {tuple(x.shape)}"
        answer = call_script(what, self._path, lambda: self._network(x.to(self._device)))
        if isinstance(answer, Tensor):
            answer = (answer,)
        if isinstance(answer, tuple | list):
            if len(answer) != len(self._labels):
                raise InputError(
                    f"{self._path}: returned {len(answer)} tensors; the labels are {', '.join(self._labels)}"
                )
            answer = dict(zip(self._labels, answer, strict=True))
        if not isinstance(answer, Mapping) or set(answer) != set(self._labels):
            received = sorted(answer) if isinstance(answer, Mapping) else type(answer).__name__
            raise InputError(f"{self._path}: returned {received}; the labels are {', '.join(self._labels)}")
        logits = {}
        for name, label in self._labels.items():
            value, wanted = answer[name], (len(x), len(label.classes))
            if not isinstance(value, Tensor) or tuple(value.shape) != wanted:
                shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise InputError(f"{self._path}: label {name!r}: returned {shape}; allowed: logits {wanted}")
            if value.is_complex():
                raise InputError(f"{self._path}: label {name!r}: returned complex numbers; allowed: logits")
            logits[name] = value.float().cpu()
            # Logits of -Inf are sure of it; of anything else that is not finite no class follows.
            check_finite(logits[name].softmax(1), f"{self._path}: label {name!r}, probabilities")
        return logits


def open_judge(path: Path, dataset: SequenceDataset, *, device: torch.device | str = "cpu") -> GradedJudge:
    """The judge of a file: ``.safetensors`` as this package keeps judges, else TorchScript.

    Args:
        path: Path of the file.
        dataset: Dataset whose labels the judge must decide; it is tried on the first clip.
        device: Device on which it runs.

    Raises:
        InputError: The file is missing, holds something else, or a judge of other labels, classes or frames.
    """
    if path.suffix != ".safetensors":
        scripted = ScriptedJudge(path, labels=dataset.labels, device=device)
        first = dataset.fetch([0])
        scripted.predict(first.x, first.mask)
        return scripted
    judge = SequenceJudge.load(path)[0].to(device)
    if judge.labels != dict(dataset.labels):
        raise InputError(f"{path}: judges {_named(judge.labels)}; the data have {_named(dataset.labels)}")
    if judge.frame_shape != dataset.shape[1:]:
        raise InputError(f"{path}: judges frames {judge.frame_shape}; the data have {dataset.shape[1:]}")
    return judge


def _named(labels: Mapping[str, Label]) -> str:
    return (
        ", ".join(f"{name} ({len(label.classes)} classes)" for name, label in labels.items()) or "no labels"
    )
