"""What the codes of held-out sequences cost: measured on real streams, not estimated on a batch."""

from __future__ import annotations

from seqdis.core.analysis import encode_dataset
from seqdis.core.capabilities import HasCodes
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.quantize import CodeStream, codebook_use, cross_entropy_bits, pack_codes
from seqdis.core.results import Metric

__all__ = ["bitrate_protocol"]


def bitrate_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Bits a frame of held-out sequences' codes, and how the codebooks are used (BCD, Eq. 3-5).

    Args:
        model: A method that :class:`~seqdis.core.capabilities.HasCodes`.
        train_set: Lends its frequencies to a coder of the test split.
        test_set: Nobody has learnt from it.
        progress: Called as the work advances.

    Returns:
        In bits a frame: ``entropy_bits``, ``Σ_i H_i`` of the test split's codes; ``coded_bits``, their bytes in one
        stream of the range coder; ``file_bits``, the same with header and table; ``train_coder_bits``, what a coder
        with the training split's frequencies needs; ``target_bits`` where there is one; ``capacity_bits``,
        ``G·log₂ J``. ``kbps`` is that of ``coded_bits`` where the frame rate is known. ``dead_codes`` is the share
        of entries that the test split never uses, ``perplexity`` the mean over groups of ``2^{H_i}``.

    Raises:
        InputError: The method has no codes.
    """
    if not isinstance(model, HasCodes):
        raise InputError(f"{type(model).__name__} has no codes whose rate could be measured")
    table, rate = model.codebook(), model.bitrate
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
    metrics = {name: Metric(value=value, n=n, higher_is_better=False) for name, value in bits.items()}
    if rate.fps is not None:
        metrics["kbps"] = Metric(value=packed.kbps, n=n, higher_is_better=False)
    dead = float(use.dead.sum()) / (groups * entries)
    metrics["dead_codes"] = Metric(value=dead, n=n, higher_is_better=False)
    metrics["perplexity"] = Metric(value=float(use.perplexity.mean()), n=n)
    return metrics
