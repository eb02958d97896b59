"""Saves the changing state of a training as tensors, and restores it."""

from __future__ import annotations

from pathlib import Path

from accelerate import Accelerator
from torch import Tensor
from torch.optim import Optimizer

from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.model_files import load_state, state_to_save
from seqdis.core.random import mix_seed
from seqdis.core.reading import read_tensors, readable
from seqdis.core.training.checkpoint import TrainerState, read_state
from seqdis.core.training.ema import EMA
from seqdis.core.training.logs import Meter
from seqdis.core.training.optimizer import load_optimizer_tensors, optimizer_tensors
from seqdis.core.training.random_state import (
    capture_random_state,
    check_random_state,
    restore_random_state,
    seed_all,
)

__all__ = ["Snapshot", "mean_over_processes", "processes_of"]


_RANDOM = Path("trainer", "random.safetensors")


def mean_over_processes(accelerator: Accelerator, values: Tensor) -> Tensor:
    """The mean of a tensor over all processes, on each of them."""
    if accelerator.num_processes == 1:
        return values
    mean: Tensor = accelerator.reduce(values, reduction="mean")
    return mean


def processes_of(checkpoint: Path) -> int:
    """The number of processes that wrote a checkpoint together.

    Raises:
        InputError: The file of their random states is missing or damaged.
    """
    states = read_tensors(checkpoint / _RANDOM)
    if "torch" not in states:
        raise InputError(
            f"{checkpoint / _RANDOM}: holds {', '.join(states) or 'nothing'}; the state of torch is missing"
        )
    rows = {len(value) if value.ndim else 0 for value in states.values()}
    if len(rows) > 1 or 0 in rows:
        raise InputError(
            f"{checkpoint / _RANDOM}: holds states of {', '.join(map(str, sorted(rows)))} processes; "
            "allowed: one number above 0 for all"
        )
    return len(states["torch"])


class Snapshot:
    """Saves and restores all parts of a run that training changes.

    Args:
        module: The model, with its own weights in place (not the averaged ones).
        optimizer: The optimiser of the model's parameters.
        ema: The moving average of the parameters.
        meter: The running means for the next line of the log.
        accelerator: The accelerator, whose processes each have their own random states and share one loss
            scaler.
        fallback_seed: Seed of this process, used where a checkpoint has no random state for it.
    """

    def __init__(
        self,
        *,
        module: Disentangler,
        optimizer: Optimizer,
        ema: EMA,
        meter: Meter,
        accelerator: Accelerator,
        fallback_seed: int,
    ) -> None:
        self.module, self.optimizer, self.ema, self.meter = module, optimizer, ema, meter
        self.accelerator, self.fallback_seed = accelerator, fallback_seed

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Everything but the averaged weights, by file; every process must call it."""
        a = self.accelerator
        sums = self.meter.sums if self.meter.count else {}
        return {
            "weights": state_to_save(self.module),
            "optimizer": optimizer_tensors(self.module, self.optimizer),
            # One row a process.
            "random": {k: a.gather(v[None].to(a.device)) for k, v in capture_random_state().items()},
            "meter": {name: mean_over_processes(a, value) for name, value in sums.items()},
        }

    def scaler_state(self) -> dict[str, int | float]:
        """The loss scaler of float16; empty for other precisions."""
        scaler = self.accelerator.scaler
        return {} if scaler is None else dict(scaler.state_dict())

    def restore(self, checkpoint: Path) -> TrainerState:
        """Put back what a checkpoint holds.

        Raises:
            InputError: A file of it is missing, damaged, of another version, or fits another model.
        """
        state, trainer = read_state(checkpoint), checkpoint / "trainer"
        with self.ema.applied():
            averaged = read_tensors(checkpoint / "model.safetensors")
            load_state(self.module, averaged, where=str(checkpoint))
        load_state(self.module, read_tensors(trainer / "weights.safetensors"), where=str(trainer))
        if state.step:  # else the optimiser has no moments yet
            moments = trainer / "optimizer.safetensors"
            load_optimizer_tensors(self.module, self.optimizer, read_tensors(moments), where=str(moments))
        if state.meter_count:
            sums = read_tensors(trainer / "meter.safetensors")
            device = self.accelerator.device
            where = str(trainer / "meter.safetensors")
            on_device = {name: value.to(device) for name, value in sums.items()}
            self.meter.restore(state.meter_count, on_device, where=where)
        if self.accelerator.scaler is not None and state.scaler:
            with readable(trainer / "state.json", "the state of a loss scaler"):
                self.accelerator.scaler.load_state_dict(state.scaler)
        if processes_of(checkpoint) == self.accelerator.num_processes:
            row = self.accelerator.process_index
            random = {name: values[row] for name, values in read_tensors(checkpoint / _RANDOM).items()}
            check_random_state(random, where=str(checkpoint / _RANDOM))
            with readable(checkpoint / _RANDOM, "random states"):  # torch looks into its own
                restore_random_state(random)
        else:  # the same run to rounding; bit for bit like any other with as many processes from this step on
            seed_all(mix_seed(self.fallback_seed, state.step))
        return state
