"""The context of a measurement: the runs, its options, the judges, and the bars of its progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seqdis.core.cache import cache_root
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.metric import Metrics
from seqdis.core.priors.prior import Prior
from seqdis.core.priors.store import open_prior
from seqdis.core.progress import Progress
from seqdis.core.registry import build_dataset, get_modality
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.pairs import kept_pairs, listed_pairs
from seqdis.eval.engine.seeds import mean_over_seeds
from seqdis.eval.judge import judge_cache
from seqdis.eval.judge.interface import GradedJudge
from seqdis.eval.judge.judge_accuracy import low_accuracy_note
from seqdis.eval.judge.judge_file import open_judge
from seqdis.eval.judge.judge_training import measure_judge
from seqdis.eval.metrics.swap_accuracy import majority_chance
from seqdis.eval.protocols.options import DEFAULT_CLIPS
from seqdis.eval.report.media import Showroom

__all__ = ["Context", "RunJudge"]


@dataclass(frozen=True)
class RunJudge:
    """The judge of a run's data.

    Attributes:
        judge: The judge in evaluation mode.
        metrics: ``judge_accuracy``, on real test clips.
    """

    judge: GradedJudge
    metrics: Metrics


def _no_bar(title: str) -> AbstractContextManager[Progress]:
    """No progress bar."""
    return nullcontext(lambda done, total: None)


def _no_note(text: str) -> None:
    """Drop a note."""


@dataclass(frozen=True)
class Context:
    """The runs, the options, and what a protocol asks for while it measures.

    Attributes:
        runs: Runs that are measured, all of one dataset.
        options: Options of the protocol's own class.
        seed: Seed of the first repetition.
        data: Folder of the data, as ``--data`` names it; None where it was omitted.
        load: Loads another state of a run's model from a folder, with the sampler and the settings of the options.
        bar: Opens a progress bar with a title.
        note: Called with what a person should know of the figures.
    """

    runs: Sequence[OpenRun]
    options: Any
    seed: int = 0
    data: Path | None = None
    load: Callable[[Path], Disentangler] = Disentangler.from_pretrained
    bar: Callable[[str], AbstractContextManager[Progress]] = _no_bar
    note: Callable[[str], None] = _no_note

    @property
    def first(self) -> OpenRun:
        """The run that pages show."""
        return self.runs[0]

    @property
    def mode(self) -> Mode:
        """``"corrected"`` where the protocol has no other."""
        mode: Mode = getattr(self.options, "mode", "corrected")
        return mode

    @property
    def seeds(self) -> range:
        """Seeds of the repetitions."""
        return range(self.seed, self.seed + getattr(self.options, "seeds", 1))

    @property
    def clips(self) -> int | None:
        """Test clips at most; None for as many as the papers take."""
        given: int | None = self.options.clips
        return DEFAULT_CLIPS if given is None and self.mode == "corrected" else given

    def repeat(self, measure: Callable[[int, int, Progress], Metrics], *, what: str) -> Metrics:
        """``measure(number of the run, seed, progress)`` of all runs and seeds, as their means and deviations."""
        results = []
        for number, run in enumerate(self.runs):
            for seed in self.seeds:
                with self.bar(f"{what} {run.folder.name}, seed {seed}") as progress:
                    results.append(measure(number, seed, progress))
        return mean_over_seeds(results)

    def judge_of(self, run: OpenRun) -> RunJudge:
        """The judge that ``--judge`` names, else the one kept in the run's folder or shared by runs on the same clips.

        Raises:
            InputError: The file holds no judge, or one of other labels or frames.
        """
        chance = majority_chance(run.test_set.all_labels().values())
        file: Path | None = getattr(self.options, "judge", None)
        judge: GradedJudge
        with self.bar("preparing the judge") as progress:
            if file is None:
                judge, accuracy = judge_cache.judge_for(
                    run.train_set, run.test_set, path=run.folder / "judge.safetensors",
                    shared=cache_root() / "judges", seed=run.config.train.seed, device=run.model.device,
                    progress=progress,
                )  # fmt: skip
            else:
                judge = open_judge(file, run.test_set, device=run.model.device)
                accuracy = measure_judge(judge, run.test_set)
        estimate = accuracy.estimate(chance=chance)
        note = low_accuracy_note(estimate)
        if note is not None:
            self.note(note)
        return RunJudge(judge, Metrics.of({"judge_accuracy": estimate}, role="judge"))

    @cached_property
    def judges(self) -> list[RunJudge]:
        """A judge a run; none where the data carry no labels."""
        return [self.judge_of(run) for run in self.runs] if self.first.test_set.labels else []

    @cached_property
    def showroom(self) -> Showroom:
        """The showroom that makes the first run's sequences visible or audible."""
        config = self.first.config
        return Showroom(get_modality(config.modality), config.data)

    def pairs(
        self,
        run: OpenRun,
        protocol: str,
        *,
        clips: int,
        count: int | None = None,
        listed: Path | None = None,
    ) -> list[tuple[int, int]]:
        """The pairs of a given list, else those kept in ``RUN/eval/PROTOCOL/pairs.json``, for both modes and all seeds."""
        if listed is not None:
            return listed_pairs(listed, dataset=run.config.data.dataset, clips=clips)
        path = run.folder / "eval" / protocol / "pairs.json"
        return kept_pairs(path, dataset=run.config.data.dataset, clips=clips, seed=self.seed, count=count)

    def split(self, run: OpenRun, name: str) -> SequenceDataset:
        """Another split of a run's data: ``"val"``."""
        config = run.config
        return build_dataset(config.modality, config.data, name, root=run.data, seed=config.train.seed)

    def prior(self, run: OpenRun) -> Prior:
        """The prior that was fitted to a run's model, else the one that was learnt with it.

        Raises:
            InputError: There is none.
        """
        return open_prior(run.folder, run.model)
