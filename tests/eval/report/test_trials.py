from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqdis.core.errors import InputError
from seqdis.eval.report.results_page import main
from seqdis.eval.report.trials import Trial, append_trial, read_trials

VALUES = {
    "date": "2026-01-31",
    "command": "seqdis train diffsda-sprites32 && seqdis eval swap runs/diffsda-sprites32",
    "commit": "0123abc+",
    "seed": 0,
    "device": "cpu (2 cores)",
    "steps": 300,
    "seconds": 75.5,
    "settings": ["model.dynamic_dim=4"],
    "figures": {"swap_joint_accuracy": 0.25},
    "note": "too short | to say",
}


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    trials = [Trial.model_validate(VALUES | {"seed": seed, "figures": {}}) for seed in range(3)]
    for trial in trials:
        append_trial(path, trial)
    assert read_trials(path) == trials
    assert [json.loads(line)["seed"] for line in path.read_text().splitlines()] == [0, 1, 2]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "log.jsonl, line 2: cannot be read as a trial"),
        ("[]", "log.jsonl, line 2: a list; allowed: a JSON object"),
        (json.dumps({k: v for k, v in VALUES.items() if k != "note"}), "log.jsonl, line 2: .*note"),
        (json.dumps(VALUES | {"more": 1}), "log.jsonl, line 2: .*more"),
        (json.dumps(VALUES | {"seed": "0"}), "log.jsonl, line 2: .*seed"),
        (json.dumps(VALUES | {"date": "31.1.2026"}), "log.jsonl, line 2: .*date"),
        (json.dumps(VALUES | {"settings": ["steps"]}), "log.jsonl, line 2: .*'steps'; allowed: key=value"),
        (json.dumps(VALUES | {"figures": {"x": float("nan")}}), "log.jsonl, line 2"),
    ],
)
def test_a_line_that_is_no_trial_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "log.jsonl"
    append_trial(path, Trial.model_validate(VALUES))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=message) as caught:
        read_trials(path)
    assert "\n" not in str(caught.value)


def test_the_page_has_a_row_for_each(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / "log.jsonl"
    append_trial(path, Trial.model_validate(VALUES))
    append_trial(path, Trial.model_validate(VALUES | {"figures": {}, "settings": [], "note": ""}))
    assert main(["--root", str(tmp_path)]) == 0
    rows = [
        line
        for line in (tmp_path / "results" / "trials.md").read_text().splitlines()
        if line.startswith("| 2026")
    ]
    assert rows == [
        "| 2026-01-31 | `seqdis train diffsda-sprites32 && seqdis eval swap runs/diffsda-sprites32` | 0 "
        "| `model.dynamic_dim=4` | swap_joint_accuracy 0.25 | too short \\| to say | 300 | 76 s |",
        "| 2026-01-31 | `seqdis train diffsda-sprites32 && seqdis eval swap runs/diffsda-sprites32` | 0 "
        "| – | – | – | 300 | 76 s |",
    ]
    assert "[results/trials.md](results/trials.md)" in (tmp_path / "RESULTS.md").read_text()
    path.unlink()
    assert main(["--root", str(tmp_path)]) == 0
    assert not (tmp_path / "results" / "trials.md").exists()
