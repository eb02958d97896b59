from __future__ import annotations

import errno
import json
import math
import threading
from pathlib import Path

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.training.logs import Meter, RunLog, truncate_log


def test_meter_means_since_the_last_clear() -> None:
    meter = Meter()
    for value in (1.0, 3.0):
        meter.add({"loss": torch.tensor(value), "other": torch.tensor(-value)})
    assert {name: float(total) / meter.count for name, total in meter.sums.items()} == {
        "loss": 2.0,
        "other": -2.0,
    }
    meter.clear()
    meter.add({"loss": torch.tensor(10.0), "other": torch.tensor(0.0)})
    assert (meter.count, float(meter.sums["loss"])) == (1, 10.0)


def test_a_restored_meter_goes_on_with_the_same_names_alone() -> None:
    meter = Meter()
    meter.restore(2, {"loss": torch.tensor(4.0), "term": torch.tensor(math.nan)}, where="m")
    meter.add({"loss": torch.tensor(2.0), "term": torch.tensor(1.0)})
    assert (meter.count, float(meter.sums["loss"])) == (3, 6.0)
    with pytest.raises(InputError, match=r"^m: means of loss, term; this step has loss, other$"):
        meter.add({"loss": torch.tensor(2.0), "other": torch.tensor(1.0)})


@pytest.mark.parametrize("value", [torch.zeros(3), torch.tensor(3), torch.tensor(1j)])
def test_a_sum_that_is_no_number_of_a_floating_type_is_refused(value: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"^m: loss is torch\.\w+ \(3?,?\); allowed: one number"):
        Meter().restore(1, {"loss": value}, where="m")


def test_truncation_keeps_whole_records_up_to_the_step(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"step": step, "loss": 1.0}) for step in (5, 10, 10, 15)]
    path.write_text("\n".join([*lines, '{"step": 1']))
    truncate_log(path, 10)
    assert path.read_text().splitlines() == lines[:3]
    truncate_log(tmp_path / "absent", 10)


def test_a_record_is_plain_json_without_clock_times(tmp_path: Path) -> None:
    with RunLog(tmp_path, start=0, total=3, command="x", show_progress=False) as log:
        log.write(2, {"loss": 0.5, "term": math.nan}, speeds={"steps_per_second": 3.0})
        log.sync()
    assert (tmp_path / "log.jsonl").read_text() == '{"step": 2, "loss": 0.5, "term": null}\n'
    assert list((tmp_path / "tensorboard").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    def write_to_a_full_disk() -> None:
        with RunLog(tmp_path, start=0, total=3, command="", show_progress=False) as log:
            log._file.close()
            log._file = _Full(log._file.name)
            log.write(1, {"loss": 0.5})

    with pytest.raises(InputError, match=r"log\.jsonl: cannot be written: No space left on device$"):
        write_to_a_full_disk()


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_disk_that_is_full_from_the_beginning_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(self: RecordWriter, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RecordWriter, "write", full)
    with pytest.raises(InputError, match=r"log\.jsonl: cannot be written: No space left on device$"):
        RunLog(tmp_path, start=0, total=3, command="x", show_progress=False)
    for thread in threading.enumerate():
        if type(thread).__module__.startswith("tensorboard."):
            thread.join(5)


class _Full:
    """A text file on a device without space, under the log's name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = Path("/dev/full").open("w")  # noqa: SIM115

    def write(self, text: str) -> None:
        self._file.write(text)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
