"""Results of the first schema, rewritten as the present one.

``python -m seqdis.eval.report.convert_results results/*.json`` rewrites the files in place. The first schema named a
metric by one string; unit, role and case are read from that name here, and nowhere else.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.reading import read_json
from seqdis.core.results import RESULT_SCHEMA

__all__ = ["convert", "main"]

_OLD = "seqdis.result.1"
_KEPT = ("value", "chance", "ci95", "n", "std", "seeds")
_UNITS = (
    (r"aed$", "distance"), (r"akd$", "pixels"), (r"csim(_.*)?$", "cosine"), (r"(reconstruction_|decoding_)?mse$", "natural²"),
    (r"mae(_.*)?$", "°C"), (r"(fid|fvd|frechet)(_.*)?$", "distance²"), (r"is$", "score"), (r"(h_y.*|kl)$", "nats"),
    (r"(dnsmos|p835).*$", "score"), (r".*_bits$", "bits/frame"), (r"kbps$", "kbit/s"), (r"perplexity$", "entries"),
    (r"train_steps$", "steps"), (r"train_seconds$", "s"),
)  # fmt: skip
"""The first that fits a name; all other figures are shares."""
_ROLES = (
    (r"token_error", "content"), (r"judge_", "judge"), (r"swap_", "swap"), (r"(probe_.*|.*_from_(static|dynamic))$", "probe"), (r"leakage", "leakage"),
    (r"(reconstruction_|decoding_)?mse$", "reconstruction"), (r"(mig|sap|disentanglement|completeness|informativeness)$", "entries"),
    (r"(.*_bits|kbps|dead_codes|perplexity)$", "codes"), (r"(dnsmos|p835|csim|eer_embedding)", "speech"),
    (r"eer_", "verification"), (r"train_", "training"), (r"frechet", "generation"),
)  # fmt: skip
"""The first that fits a name; all other figures have the role of their protocol."""
_OPTIONS = {
    "rate_memory": "ema_decay",
    "revive": "reset_dead_codes",
    "data.individuals": "data.identities",
    "--no-judge": "--no-judge-swaps",
}
"""Names in stored commands that have changed."""


def convert(values: dict[str, Any]) -> dict[str, Any]:
    """A record of the first schema as one of the present schema.

    Raises:
        InputError: The record is of another schema.
    """
    if values.get("schema") != _OLD:
        raise InputError(f"schema {values.get('schema')!r}; this reads {_OLD}")
    new = {name: value for name, value in values.items() if name not in ("schema", "metrics", "command")}
    protocol = values.get("protocol")
    swapped = any(name.startswith("swap_") for name in values["metrics"])
    metrics = [_metric(name, old, protocol or "generation") for name, old in values["metrics"].items()]
    noise = {"noise": "dynamic" if swapped else None}
    return {"schema": RESULT_SCHEMA, **new, **noise, "command": _command(values), "metrics": metrics}


def _metric(key: str, old: dict[str, Any], protocol: str) -> dict[str, Any]:
    name, _, case = key.partition("@")
    seed = re.fullmatch(r"(frechet_\w+)_seed(\d+)", name)
    if seed is not None:
        name, case = seed[1], f"seed {seed[2]}"
    role = next((role for pattern, role in _ROLES if re.match(pattern, name)), protocol)
    return {
        "name": name,
        "case": case,
        "unit": next((unit for pattern, unit in _UNITS if re.match(pattern, name)), "share"),
        "role": role,
        "direction": "higher" if old.get("higher_is_better", True) else "lower",
        **{field: old.get(field) for field in _KEPT},
    }


def _command(values: dict[str, Any]) -> str:
    """The command with the options of today, and with the number of swaps that went without saying."""
    command = str(values["command"])
    for before, after in _OPTIONS.items():
        command = re.sub(rf"(?<![\w.]){re.escape(before)}(?![\w-])", after, command)
    cases = max((metric.get("n") or 0 for metric in values["metrics"].values()), default=0)
    for protocol, option in (("swap", "--pairs"), ("generation", "--clips"), ("consistency", "--clips"),
                             ("reconstruction", "--clips"), ("speaker", "--clips")):  # fmt: skip
        if values.get("protocol") == protocol and values.get("mode") == "corrected" and cases:
            head, mark, tail = command.rpartition(f"seqdis eval {protocol} ")
            if mark and option not in tail:
                command = f"{head}{mark}{tail.replace(' --out ', f' {option} {cases} --out ', 1)}"
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the files; the exit code is 0, or 2 for a file that is no result of the first schema."""
    parser = argparse.ArgumentParser(
        prog="python -m seqdis.eval.report.convert_results",
        description="Rewrite results of the first schema.",
    )
    parser.add_argument(
        "files", nargs="+", type=Path, help="JSON files; those of the present schema are left alone"
    )
    for path in parser.parse_args(arguments).files:
        try:
            values = read_json(path)
            if isinstance(values, dict) and values.get("schema") == _OLD:
                replace_with_json(path, convert(values))
        except InputError as error:
            print(str(error) if str(path) in str(error) else f"{path}: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
