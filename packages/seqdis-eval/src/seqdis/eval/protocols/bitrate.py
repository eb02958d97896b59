"""The cost of the codes of held-out sequences in bits: measured on real streams, not estimated on a batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from seqdis.core.analysis import encode_dataset
from seqdis.core.base_config import LONGEST
from seqdis.core.capabilities import coder_of
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.progress import Progress
from seqdis.core.quantize import CodeStream, codebook_use, cross_entropy_bits, pack_codes
from seqdis.core.starting_noise import NoiseChoice
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import JudgeOption, NoiseOption, SamplerOptions
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.protocols.scoring import score_swaps

__all__ = ["Bitrate", "bitrate_protocol"]


def bitrate_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    progress: Progress | None = None,
) -> Metrics:
    """Bits a frame of held-out sequences' codes, and how the codebooks are used (BCD, Eq. 3-5).

    Args:
        model: A method that :class:`~seqdis.core.capabilities.HasCodes`.
        train_set: Lends its frequencies to a coder of the test split.
        test_set: Nobody has learnt from it.
        progress: Called as the work advances.

    Returns:
        Metrics in bits a frame: ``entropy_bits``, ``Σ_i H_i`` of the test split's codes; ``coded_bits``, their bytes in one
        stream of the range coder; ``file_bits``, the same with header and table; ``train_coder_bits``, what a coder
        with the training split's frequencies needs; ``target_bits`` where there is one; ``capacity_bits``,
        ``G·log₂ J``. ``kbps`` is that of ``coded_bits`` where the frame rate is known. ``dead_codes`` is the share
        of entries that the test split never uses, ``perplexity`` the mean over groups of ``2^{H_i}``.

    Raises:
        InputError: The method has no codes.
    """
    coder = coder_of(model)
    if coder is None:
        raise InputError(f"{type(model).__name__} has no codes whose rate could be measured")
    table, rate = coder.codebook(), coder.bitrate
    groups, entries = table.shape[:2]
    total = len(train_set) + len(test_set)

    def later(done: int, _: int) -> None:
        if progress is not None:
            progress(len(train_set) + done, total)

    def first(done: int, _: int) -> None:
        if progress is not None:
            progress(done, total)

    known, held_out = (
        encode_dataset(model, dataset, progress=report).extras["codes"].value
        for dataset, report in ((train_set, first), (test_set, later))
    )
    use, n = codebook_use(held_out, entries=entries), len(test_set)
    fps = 1.0 if rate.fps is None else rate.fps
    frames = held_out.shape[0] * held_out.shape[1]
    packed = pack_codes(CodeStream(held_out.flatten(0, 1), entries, fps), coding="entropy")
    counts = codebook_use(known, entries=entries).counts
    bits = {
        "entropy_bits": use.bits_per_frame,
        "coded_bits": 8 * packed.payload_bytes / frames,
        "file_bits": 8 * len(packed.data) / frames,
        "train_coder_bits": float(cross_entropy_bits(held_out, counts=counts).sum()),
        "capacity_bits": groups * float(table.new_tensor(float(entries)).log2()),
    }
    if rate.target is not None:
        bits["target_bits"] = rate.target
    estimates = {
        name: Estimate(value=value, unit="bits/frame", n=n, direction="lower") for name, value in bits.items()
    }
    if rate is not None and rate.fps is not None:
        estimates["kbps"] = Estimate(value=packed.kbps, unit="kbit/s", n=n, direction="lower")
    dead = float(use.dead.sum()) / (groups * entries)
    estimates["dead_codes"] = Estimate(value=dead, unit="share", n=n, direction="lower")
    estimates["perplexity"] = Estimate(value=float(use.perplexity.mean()), unit="entries", n=n)
    return Metrics.of(estimates, role="codes")


class Bitrate(Protocol):
    """Bits a frame of held-out codes by the range coder, dead codes; of several runs, accuracy over rate.

    The judge, which real clips have trained, is kept in the first run's folder.
    """

    name = "bitrate"
    requires = "a method with codes"
    several_runs = "compared"
    headline = ("swap_joint_accuracy", "coded_bits", "reconstruction_mse")

    class Options(JudgeOption, NoiseOption, SamplerOptions):
        """The number of swaps that are judged, how they are decoded, and where the curve is drawn."""

        pairs: int = Field(0, ge=0, le=LONGEST, description="swaps that a judge sees; the rate alone when 0")
        picture: Path | None = Field(None, description="also draw accuracy over rate here, as a png")

    def check(self, options: Any, folders: Sequence[Path]) -> None:
        """A curve needs swaps at several rates, and runs are told apart by their folders' names."""
        if options.picture is not None and not options.pairs:
            raise InputError("--picture: a curve needs swaps; give --pairs, too")
        if options.picture is not None and len(folders) < 2:
            raise InputError(f"--picture: a curve needs runs at several rates; got {len(folders)}")
        names = [folder.name for folder in folders]
        if len(set(names)) < len(names):
            raise InputError(f"runs are told apart by their folders' names; got {', '.join(names)}")

    def swap_noise(self, options: Any) -> NoiseChoice | None:
        """That of the swaps that a judge sees; None where it sees none."""
        return super().swap_noise(options) if options.pairs else None

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its method has codes."""
        return coder_of(run.model) is not None

    def measure(self, context: Context) -> Metrics:
        """The figures of each run, a case each where there are several."""
        options, metrics = context.options, Metrics()
        judge = context.judge_of(context.first) if options.pairs else None
        if judge is not None:
            metrics |= judge.metrics
        for run in context.runs:
            with context.bar(f"encoding {run.folder.name}") as progress:
                own = bitrate_protocol(run.model, run.train_set, run.test_set, progress=progress)
            if judge is not None:
                with context.bar(f"swapping {run.folder.name}") as progress:
                    scores = score_swaps(
                        run.model, run.train_set, run.test_set, seed=context.seed, pairs=options.pairs,
                        judge=judge.judge, noise=options.noise, progress=progress,
                    )  # fmt: skip
                own |= scores.select(without="judge")
            metrics |= own.in_case(run.folder.name) if len(context.runs) > 1 else own
        if options.picture is not None:
            from seqdis.eval.report.rate_curve import draw_rate_curve

            draw_rate_curve(options.picture, metrics)
        return metrics
