from __future__ import annotations

import json
from pathlib import Path

from seqdis.core.metric import Metrics
from seqdis.core.results import ResultRecord
from seqdis.eval.cli.records import with_training


def test_a_record_names_what_came_before_it(tmp_path: Path) -> None:
    """The training always; the fitting of a prior where the measurement drew from it."""
    run, bare = tmp_path / "run", tmp_path / "bare"
    (run / "prior").mkdir(parents=True)
    bare.mkdir()
    (run / "run.json").write_text(json.dumps({"command": "seqdis train x", "seconds": 10.0}))
    about = {"command": "seqdis prior fit x", "seconds": 4.0}
    (run / "prior" / "prior.json").write_text(
        json.dumps({"format": "seqdis.prior.latent_ddim.1", "about": about})
    )
    record = ResultRecord(
        name="n", method="m", dataset="d", modality="v", command="seqdis eval y", seed=0, device="cpu",
        wall_seconds=1.5, versions={}, metrics=Metrics(),
    )  # fmt: skip
    joined = with_training(record, [run, bare])
    assert (joined.command, joined.wall_seconds) == ("seqdis train x && seqdis eval y", 11.5)
    joined = with_training(record, [run, bare], drawn=True)
    assert joined.command == "seqdis train x && seqdis prior fit x && seqdis eval y"
    assert joined.wall_seconds == 15.5
    assert with_training(record, [bare]) == record
