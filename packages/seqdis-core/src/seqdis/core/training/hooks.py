"""The interface by which the trainer calls a method, beside its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from torch import nn

from seqdis.core.curve import Curve
from seqdis.core.errors import InputError
from seqdis.core.schedules import ValueSchedule

if TYPE_CHECKING:
    from seqdis.core.random import GeneratorStack
    from seqdis.core.sequences import Sequences

__all__ = ["HasTrainingHooks", "TrainingHooks", "hooks_of"]

M = TypeVar("M", bound=nn.Module)


class TrainingHooks(Generic[M]):
    """The calls that the trainer makes to a method besides its loss; each does nothing unless overridden.

    Args:
        model: The method's model, which the hooks act on.
    """

    def __init__(self, model: M) -> None:
        self.model = model

    def on_fit_start(self, train_set: Any) -> None:
        """Called in every process before the first step, also when a training is resumed.

        Args:
            train_set: The training set, a :class:`~seqdis.core.data.sequence_dataset.SequenceDataset`.
        """

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """Trainable parameters by name of group, which stages may freeze or give rates of their own."""
        return {"all": [p for p in self.model.parameters() if p.requires_grad]}

    def schedules(self) -> Mapping[str, ValueSchedule]:
        """Values that move with the training step; each is handed to :meth:`set_scheduled` before every step."""
        return {}

    def set_scheduled(self, name: str, value: float) -> None:
        """Set a value that :meth:`schedules` or a stage's ramps move to its value at the present step.

        Keep it in a buffer, so that checkpoints hold it.

        Args:
            name: The value's name.
            value: The new value, at this step.

        Raises:
            InputError: The method has no moving value of that name.
        """
        raise InputError(f"train.stages: value {name!r}; {type(self.model).__name__} has none that moves")

    def on_stage(self, name: str) -> None:
        """Called when a stage of the training begins.

        Args:
            name: The stage's name in the configuration.

        Raises:
            InputError: The method has no stage of that name.
        """
        raise InputError(f"train.stages: stage {name!r}; {type(self.model).__name__} has no stages")

    def curves(self, sequences: Sequences, *, generator: GeneratorStack) -> Mapping[str, Curve]:
        """Curves (a figure over a variable) that each validation logs and draws, by name.

        Args:
            sequences: A few validation sequences.
            generator: Source of every random draw, one stream a sequence.
        """
        return {}

    def compile_networks(self) -> None:
        """``torch.compile`` the networks in place; the names of the parameters must not change."""
        self.model.compile()


@runtime_checkable
class HasTrainingHooks(Protocol):
    """A method that has training hooks of its own."""

    def training_hooks(self) -> TrainingHooks[Any]:
        """The hooks, bound to this model."""


def hooks_of(model: nn.Module) -> TrainingHooks[Any]:
    """The model's own training hooks, or empty ones."""
    return model.training_hooks() if isinstance(model, HasTrainingHooks) else TrainingHooks(model)
