"""``seqdis doctor``: what is installed and what works here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, distribution, distributions, version
from typing import Any

from packaging.requirements import Requirement

from seqdis.core.cli.list_command import dataset_rows, modality_rows
from seqdis.core.cli.options import Json
from seqdis.core.cli.output import print_json, print_line, print_table

__all__ = ["doctor"]

PACKAGES = ("seqdis-core", "seqdis-video", "seqdis-audio", "seqdis-timeseries", "seqdis-eval")
LIBRARIES = ("torch", "torchaudio", "accelerate", "numpy", "pydantic", "safetensors", "scikit-learn", "typer")


def doctor(as_json: Json = False) -> None:
    """Check the installation: packages, devices, modalities, datasets, kernels, optional extras."""
    report = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in (*PACKAGES, *LIBRARIES)},
        "devices": _devices(),
        "kernels": _kernels(),
        "modalities": {m["name"]: _state(m["summary"]) for m in modality_rows()},
        "datasets": {
            d["name"]: {k: d[k] for k in ("modality", "found", "folder", "source")} for d in dataset_rows()
        },
        "extras": _extras(),
    }
    if as_json:
        print_json(report)
    else:
        _print(report)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _state(summary: str) -> str:
    return summary if summary.startswith("cannot be used") else "ok"


def _devices() -> dict[str, str]:
    import torch

    devices = {"cpu": f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"}
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        devices[f"cuda:{index}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    return devices


def _kernels() -> dict[str, Any]:
    """Which fused operators are built, and what stands in for the others."""
    from seqdis.core.ops._build import KERNEL_DTYPES, cache_folder, kernel_state

    missing = {device: why for device in KERNEL_DTYPES if (why := kernel_state(device)) is not None}
    return {
        "built": [device for device in KERNEL_DTYPES if device not in missing],
        "missing": missing,
        "folder": str(cache_folder()),
    }


def _extras() -> dict[str, dict[str, str | None]]:
    """Every optional extra of the installed seqdis packages, and what is there of its requirements."""
    found: dict[str, dict[str, str | None]] = {}
    names = {d.name for d in distributions() if d.name.startswith("seqdis-")}
    for package in sorted(names):
        requirements = [Requirement(line) for line in distribution(package).requires or []]
        for extra in distribution(package).metadata.get_all("Provides-Extra") or []:
            found[f"{package}[{extra}]"] = {
                r.name: _version(r.name) for r in requirements if _needs(extra, r)
            }
    return found


def _needs(extra: str, requirement: Requirement) -> bool:
    """Whether the extra asks for it on this machine, and the package without the extra does not."""
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _print(report: dict[str, Any]) -> None:
    print_line(f"Python {report['python']} on {report['system']}")
    missing = "not installed"
    print_table("packages", ["name", "version"], [[n, v or missing] for n, v in report["packages"].items()])
    print_table("devices", ["device", "what it is"], list(report["devices"].items()))
    states = [[device, "built"] for device in report["kernels"]["built"]]
    states += [
        [d, f"reference implementation in use: {why}"] for d, why in report["kernels"]["missing"].items()
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
