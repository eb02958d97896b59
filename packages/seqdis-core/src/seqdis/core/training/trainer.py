"""The one trainer of all methods."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from seqdis.core.config import RunConfig
from seqdis.core.data.loader import BatchPlan, reading_processes, training_batches
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.files import replace_with_json
from seqdis.core.model_files import write_model_files
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack, mix_seed
from seqdis.core.reading import read_tensors
from seqdis.core.results import device_name, installed_versions
from seqdis.core.sequences import Sequences
from seqdis.core.training.checkpoint import (
    TrainerState,
    checkpoint_of_step,
    prune_checkpoints,
    save_checkpoint,
)
from seqdis.core.training.curves import draw_curves, measure_curves
from seqdis.core.training.devices import fast_layout
from seqdis.core.training.differing_settings import Change
from seqdis.core.training.ema import EMA
from seqdis.core.training.hooks import hooks_of
from seqdis.core.training.initial_weights import InitialWeights
from seqdis.core.training.logs import Meter, RunLog
from seqdis.core.training.notes import command_and_notes, notes_of_start
from seqdis.core.training.optimizer import build_optimizer, set_rate
from seqdis.core.training.preview import draw_preview
from seqdis.core.training.random_state import isolated_random_state, seed_all
from seqdis.core.training.run_folder import RunFolder
from seqdis.core.training.schedule import Schedule
from seqdis.core.training.snapshot import Snapshot, mean_over_processes, processes_of
from seqdis.core.training.stages import Stages
from seqdis.core.training.stop_signals import StopSignals
from seqdis.core.training.validation import validation_loss
from seqdis.core.training.watch import FiniteWatch

__all__ = ["Trainer"]

_NOISE, _PROCESS = 0x6E6F69, 0x70726F  # a tag for each use keeps the random streams of a seed apart


class Trainer:
    """One training run: AdamW, warm-up and decay, EMA, checkpoints that continue bit for bit.

    The noise of step k is drawn whole for the global batch from a stream named by the seed and k,
    and cut like the batch: processes and micro-batches share the work without changing it.

    Args:
        config: Configuration of the model, the data and the training.
        folder: Opened folder of the run; training continues from the newest checkpoint in it.
        train_set: Dataset to train on.
        val_set: Dataset of the validation loss and the previews; neither is made when omitted.
        accelerator: Device, processes and precision of the training.
        initial: Weights and normaliser to begin with, where the folder holds no checkpoint; the weights are drawn
            and the normaliser is fitted when omitted.
        changes: Settings that differ from those of the newest checkpoint; noted in the log.
        command: Command line that started the run, kept with it.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        *,
        train_set: SequenceDataset,
        val_set: SequenceDataset | None,
        accelerator: Accelerator,
        initial: InitialWeights | None = None,
        changes: Mapping[str, Change] | None = None,
        command: str = "",
    ) -> None:
        c = config.train
        self.config, self.folder, self.accelerator, self.command = config, folder, accelerator, command
        self.train_set, self.val_set = train_set, val_set
        self.plan = BatchPlan(
            len(train_set),
            c.batch_size,
            seed=c.seed,
            accumulate=c.accumulate,
            processes=accelerator.num_processes,
            rank=accelerator.process_index,
        )
        self.schedule = Schedule.from_config(c, self.plan.steps_per_epoch)
        seed_all(mix_seed(c.seed))
        self.module = fast_layout(build_model(config).to(accelerator.device))
        self.hooks = hooks_of(self.module)
        self.hooks.on_fit_start(train_set)
        checkpoint = folder.newest()
        initial = initial if checkpoint is None else None
        if initial is not None:
            initial.load_into(self.module)
        changes = dict(changes or {})
        if checkpoint is not None and (before := processes_of(checkpoint)) != accelerator.num_processes:
            changes["processes"] = Change(before, accelerator.num_processes)
        self.notes, self.has_initial_weights = notes_of_start(initial, changes), initial is not None
        optimizer = build_optimizer(self.module, c)
        self.ema = EMA(self.module, decay=c.ema_decay)
        self.stages = Stages(c, self.module, steps_per_epoch=self.plan.steps_per_epoch)
        self.scheduled = {**self.hooks.schedules(), **self.stages.schedules()}
        self.meter = Meter()
        self.watch = FiniteWatch(accelerator.device, at_once=accelerator.device.type == "cpu")
        self.snapshot = Snapshot(
            module=self.module,
            optimizer=optimizer,
            ema=self.ema,
            meter=self.meter,
            accelerator=accelerator,
            fallback_seed=mix_seed(c.seed, _PROCESS, accelerator.process_index),
        )
        self.state = TrainerState(step=0)
        if checkpoint is None:
            if not self.has_initial_weights:
                self._fit_normalizer()
            seed_all(self.snapshot.fallback_seed)
        else:
            self.state = self.snapshot.restore(checkpoint)
        if c.compile:
            self.hooks.compile_networks()
        self.model, self.optimizer = accelerator.prepare(self.module, optimizer)

    def run(self, *, show_progress: bool) -> None:
        """Train to the end and write the finished model.

        Ctrl-C and SIGTERM end it after the present step and a checkpoint, from which it goes on bit for bit.

        Raises:
            InputError: The loss is not finite, a file of the dataset cannot be used, or the disk
                is full; the last checkpoint stays.
            TrainingInterrupted: Ctrl-C has ended it.
            TrainingTerminated: SIGTERM has ended it.
        """
        with StopSignals(self.accelerator) as signals:
            number = self._take_steps(signals, show_progress=show_progress)
            number = number or signals.agreed(wait=True)
            step, total = self.state.step, self.schedule.total
            done = step >= total or self._has_stopped()
            if done:
                self._finish()
            if number and done:
                signals.leave(number, f"interrupted; {self.folder.root} is finished")
            if number:
                again = "the same command and --resume" if self.command else "resume=True"
                saved = checkpoint_of_step(self.folder.checkpoints, step)
                signals.leave(
                    number, f"stopped after step {step} of {total}; go on by {again} (saved: {saved})"
                )

    def _take_steps(self, signals: StopSignals, *, show_progress: bool) -> int:
        """Take all steps that are left, or those until a signal, whose number is returned; 0 for none."""
        c, main = self.config.train, self.accelerator.is_main_process
        start, total, number = self.state.step, self.schedule.total, 0
        self._clock = self._began = time.perf_counter()
        with contextlib.ExitStack() as stack:
            self.log = None
            if main:
                log = RunLog(
                    self.folder.root,
                    start=start,
                    total=total,
                    command=self.command,
                    notes=self.notes,
                    show_progress=show_progress,
                )
                self.log = stack.enter_context(log)
            if self.has_initial_weights:
                self._save(0)  # a run that is resumed need not be told again where it started from
            batches = training_batches(
                self.train_set,
                self.plan,
                start=start,
                stop=total,
                workers=reading_processes(self.train_set, c.workers, ranks=self.accelerator.num_processes),
                pin_memory=self.accelerator.device.type == "cuda",
            )
            stack.callback(batches.close)
            shielded = signals.shield(batches)
            self._training_mode()
            for step in range(start + 1, total + 1):
                if self._has_stopped() or number:
                    break
                self.meter.add(self.step(step, shielded))
                if self.log:
                    self.log.advance(step)
                if step % c.log_every == 0 or step == total:
                    self._write_log(step)
                best = False
                if self.val_set is not None and (step % c.eval_every == 0 or step == total):
                    best = self._evaluate(step, self.val_set)
                number = signals.agreed()
                if step % c.save_every == 0 or step == total or best or self._has_stopped() or number:
                    self._save(step)
        return number

    def step(self, step: int, batches: Iterator[Sequences]) -> dict[str, Tensor]:
        """Take optimiser step ``step``, counted from 1, without waiting for a GPU to finish.

        Args:
            step: Number of the step, from 1.
            batches: Iterator that gives the next micro-batches.

        Returns:
            The loss, its terms and the norm of the gradient by name, scalars on the device.
        """
        c, device, n = self.config.train, self.accelerator.device, self.config.train.accumulate
        seed = mix_seed(c.seed, _NOISE, step)
        set_rate(self.optimizer, c.lr * self.schedule(step - 1), self.stages.enter(step - 1))
        for name, schedule in self.scheduled.items():
            self.hooks.set_scheduled(name, schedule(step - 1))
        self.optimizer.zero_grad()
        values: dict[str, Tensor] = {}
        keys: list[str] = []
        for micro in range(n):
            batch = next(batches)
            keys += batch.keys
            rows = GeneratorStack.shard(seed, c.batch_size, self.plan.rows(micro), device)
            last = micro == n - 1
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.model):
                output = self.model(batch.to(device), rows)
                self.accelerator.backward(output.loss / n)
            for name, value in {"loss": output.loss, **output.terms}.items():
                values[name] = values.get(name, 0) + value.detach() / n
        largest = math.inf if c.grad_clip is None else c.grad_clip
        norm = self.accelerator.clip_grad_norm_(self.module.parameters(), largest)
        overflows = self.accelerator.scaler is not None
        self.watch.note(step, values["loss"], None if overflows else norm, keys)
        self.optimizer.step()
        self.ema.update(step - 1)
        values["grad_norm"] = norm.nan_to_num(0.0, 0.0, 0.0) if overflows else norm
        return values

    def _write_log(self, step: int) -> None:
        self.watch.check()
        names = sorted(self.meter.sums, key=lambda name: (name != "loss", name))
        means = torch.stack([self.meter.sums[name] for name in names]) / self.meter.count
        values = dict(zip(names, mean_over_processes(self.accelerator, means).tolist(), strict=True))
        values["learning_rate"] = self.config.train.lr * self.schedule(step - 1)
        values |= {name: schedule(step - 1) for name, schedule in self.scheduled.items()}
        values["epoch"] = (step - 1) // self.plan.steps_per_epoch
        rate = self.meter.count / (time.perf_counter() - self._clock)
        frames = rate * self.config.train.batch_size * self.config.data.length
        if self.log:
            self.log.write(step, values, speeds={"steps_per_second": rate, "frames_per_second": frames})
        self.meter.clear()
        self._clock = time.perf_counter()

    def _evaluate(self, step: int, val_set: SequenceDataset) -> bool:
        """Validate with the averaged weights; True if their loss is the lowest so far."""
        self.watch.check()
        began = time.perf_counter()
        c = self.config.train
        self.module.eval()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.ema.applied())
            stack.enter_context(isolated_random_state())
            if c.compile:  # other batch sizes, and no gradient: each would be compiled anew
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            size = max(1, c.batch_size // c.accumulate)
            values = validation_loss(
                self.module, val_set, accelerator=self.accelerator, batch_size=size, seed=c.seed
            )
            if self.log:
                self.log.write(step, {f"val_{name}": value for name, value in values.items()})
                draw_preview(
                    self.module, val_set, self.folder.root / "previews" / f"step-{step:08d}", seed=c.seed
                )
                self.log.write_curves(step, measure_curves(self.module, val_set, seed=c.seed))
                draw_curves(self.folder.root / "log.jsonl", self.folder.root / "curves")
        self._training_mode()
        self._clock += time.perf_counter() - began  # not the speed of training
        best = self.state.best_loss is None or values["loss"] < self.state.best_loss
        if best and math.isfinite(values["loss"]):
            self.state = self.state.model_copy(
                update={"best_step": step, "best_loss": values["loss"], "evaluations_since_best": 0}
            )
            return True
        stale = self.state.evaluations_since_best + 1
        self.state = self.state.model_copy(update={"evaluations_since_best": stale})
        return False

    def _has_stopped(self) -> bool:
        """Whether the validation loss has not fallen for ``train.patience`` validations in a row."""
        patience = self.config.train.patience
        return patience is not None and self.state.evaluations_since_best >= patience

    def _save(self, step: int) -> None:
        self.watch.check()  # weights whose losses were not yet checked are never saved
        began = time.perf_counter()
        self.state = self.state.model_copy(
            update={
                "step": step,
                "seconds": self.state.seconds + began - self._began,
                "meter_count": self.meter.count,
                "scaler": self.snapshot.scaler_state(),
            }
        )
        self._began = began
        tensors = self.snapshot.tensors()  # gathers from all processes, so all of them call it
        if self.log:
            self.log.sync()
            save_checkpoint(
                self.folder.checkpoints, self.state, write_model=self._write_model, tensors=tensors
            )
            prune_checkpoints(
                self.folder.checkpoints, keep=self.config.train.keep, best_step=self.state.best_step
            )
        self.accelerator.wait_for_everyone()
        self._clock += time.perf_counter() - began

    def _write_model(self, folder: Path) -> None:
        with self.ema.applied():
            write_model_files(self.module, folder)

    def _finish(self) -> None:
        if self.accelerator.is_main_process:
            record = {
                **command_and_notes(self.folder.root, self.command),
                "device": device_name(self.accelerator.device),
                "processes": self.accelerator.num_processes,
                "seconds": round(self.state.seconds, 3),
                "steps": self.state.step,
                "best_step": self.state.best_step,
                "versions": installed_versions(),
            }
            replace_with_json(self.folder.root / "run.json", record)
            best = None if self.config.train.patience is None else self.state.best_step
            if best is None:
                self._write_model(self.folder.root)
            else:
                kept = read_tensors(checkpoint_of_step(self.folder.checkpoints, best) / "model.safetensors")
                write_model_files(self.module, self.folder.root, kept)
        self.accelerator.wait_for_everyone()

    def _fit_normalizer(self) -> None:
        normalizer = self.module.normalizer
        if self.accelerator.is_main_process:
            normalizer.fit(self.train_set, transform=self.module.codec.encode)
        if self.accelerator.num_processes > 1:
            for buffer in (normalizer.mean, normalizer.std):
                torch.distributed.broadcast(buffer, src=0)

    def _training_mode(self) -> None:
        self.module.train()
        self.module.codec.eval()  # frozen: it must not draw or gather statistics
