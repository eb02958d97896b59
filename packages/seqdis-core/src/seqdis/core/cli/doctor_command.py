"""``seqdis doctor``: what is installed and what works here."""

from __future__ import annotations

from typing import Any

from seqdis.core.cli.options import Json
from seqdis.core.cli.output import print_json, print_line, print_table

__all__ = ["doctor"]


def doctor(as_json: Json = False) -> None:
    """Check the installation: packages, devices, modalities, datasets, kernels, optional extras."""
    from seqdis.core.installed import installation_report

    report = installation_report()
    if as_json:
        print_json(report)
    else:
        _print(report)


def _print(report: dict[str, Any]) -> None:
    print_line(f"Python {report['python']} on {report['system']}")
    missing = "not installed"
    print_table("packages", ["name", "version"], [[n, v or missing] for n, v in report["packages"].items()])
    print_table("devices", ["device", "what it is"], list(report["devices"].items()))
    states = [[device, "built"] for device in report["kernels"]["built"]]
    states += [
        [d, f"reference implementation in use: {reason}"]
        for d, reason in report["kernels"]["missing"].items()
    ]
    print_table(f"kernels in {report['kernels']['folder']}", ["device", "state"], states)
    print_table("modalities", ["name", "state"], list(report["modalities"].items()))
    rows = []
    for name, entry in report["datasets"].items():
        state = entry["found"] or f"absent: put {entry['folder']}/ below the folder that SEQDIS_DATA names"
        rows.append([name, entry["modality"], state, entry["source"]])
    print_table("datasets", ["name", "modality", "found", "source"], rows)
    extras = [[extra, n, v or missing] for extra, parts in report["extras"].items() for n, v in parts.items()]
    print_table("optional extras", ["extra", "needs", "version"], extras)
