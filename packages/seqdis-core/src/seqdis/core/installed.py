"""Lists of the installed parts and whether they work on this machine, as plain values to print or to check."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, distribution, distributions, version
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from seqdis.core import registry
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.base_config import Config
    from seqdis.core.modality import Modality

__all__ = [
    "dataset_rows",
    "executor_rows",
    "installation_report",
    "method_rows",
    "modality_rows",
    "preset_rows",
    "prior_rows",
    "sampler_rows",
    "usable_modalities",
]

PACKAGES = ("seqdis-core", "seqdis-video", "seqdis-audio", "seqdis-timeseries", "seqdis-eval")
LIBRARIES = ("torch", "torchaudio", "accelerate", "numpy", "pydantic", "safetensors", "scikit-learn", "typer")


def usable_modalities() -> tuple[list[Modality], dict[str, str]]:
    """The modalities that load, and by name the reason why another does not."""
    usable, broken = [], {}
    for name in registry.list_modalities():
        try:
            usable.append(registry.get_modality(name))
        except InputError as error:
            broken[name] = str(error)
    return usable, broken


def modality_rows() -> list[dict[str, Any]]:
    """Every modality; the summary of one that cannot be used gives the reason."""
    usable, broken = usable_modalities()
    rows: list[dict[str, Any]] = [
        {
            "name": m.name,
            "summary": m.summary,
            "reads": ["folder of images" if kind == "/" else kind for kind in m.reads],
            "writes": [*m.writes],
            "pictures": [*m.pictures],
            "demo": m.demo(),
        }
        for m in usable
    ]
    empty: dict[str, Any] = {"reads": [], "writes": [], "pictures": [], "demo": None}
    return rows + [
        {"name": name, "summary": f"cannot be used: {reason}", **empty} for name, reason in broken.items()
    ]


def method_rows() -> list[dict[str, Any]]:
    """Every method; the summary of one that cannot be used gives the reason."""
    return _plugin_rows("methods")


def prior_rows() -> list[dict[str, Any]]:
    """Every kind of prior; the summary of one that cannot be used gives the reason."""
    return _plugin_rows("priors")


def sampler_rows() -> list[dict[str, Any]]:
    """Every sampler and the settings that only it has; the summary of one that cannot be used gives the reason."""
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig

    return _with_settings("samplers", SamplerConfig)


def executor_rows() -> list[dict[str, Any]]:
    """Every executor and the settings that only it has; the summary of one that cannot be used gives the reason."""
    from seqdis.core.executors.executor import ExecutorConfig

    return _with_settings("executors", ExecutorConfig)


def _with_settings(group: str, shared: type[Config]) -> list[dict[str, Any]]:
    """The plugins of a group with the settings that each has beside the shared ones."""
    rows = _plugin_rows(group)
    for row in rows:
        try:
            fields = registry.get_plugin(group, row["name"]).config_class.model_fields
        except InputError:
            fields = {}
        row["settings"] = [name for name in fields if name not in shared.model_fields]
    return rows


def _plugin_rows(group: str) -> list[dict[str, Any]]:
    """The name of each plugin of a group and the first line of its docstring."""
    rows = []
    for name in registry.list_plugins(group):
        try:
            summary = (registry.get_plugin(group, name).__doc__ or "").strip().split("\n")[0]
        except InputError as error:
            summary = f"cannot be used: {error}"
        rows.append({"name": name, "summary": summary})
    return rows


def preset_rows() -> list[dict[str, Any]]:
    """Every preset of the modalities that load."""
    return [
        {
            "name": name,
            "modality": preset.modality,
            "method": preset.method,
            "dataset": preset.data.dataset,
            "steps": preset.data.length,
            "frame": [*preset.data.frame_shape],
        }
        for modality in usable_modalities()[0]
        for name, build in modality.presets().items()
        for preset in [build()]
    ]


def dataset_rows() -> list[dict[str, Any]]:
    """Every named dataset; ``found`` is its folder here, ``"generated"``, or None where it is absent."""
    base = os.environ.get("SEQDIS_DATA")
    rows = []
    for modality in usable_modalities()[0]:
        for name, spec in modality.datasets().items():
            if spec.folder is None:
                location = "generated"
            elif base and os.path.isdir(os.path.join(base, spec.folder)):
                location = os.path.join(base, spec.folder)
            else:
                location = None
            labels = {
                side: [n for n, x in spec.labels.items() if x.factor == side]
                for side in ("static", "dynamic")
            }
            rows.append(
                {
                    "name": name,
                    "modality": modality.name,
                    "summary": spec.summary,
                    **labels,
                    "folder": spec.folder,
                    "found": location,
                    "source": spec.source,
                    "licence": spec.licence,
                }
            )
    return rows


def installation_report() -> dict[str, Any]:
    """Versions, devices, kernels, modalities, datasets and optional extras, as ``seqdis doctor`` shows them."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in (*PACKAGES, *LIBRARIES)},
        "devices": _devices(),
        "kernels": _kernels(),
        "modalities": {
            m["name"]: m["summary"] if m["summary"].startswith("cannot be used") else "ok"
            for m in modality_rows()
        },
        "datasets": {
            d["name"]: {k: d[k] for k in ("modality", "found", "folder", "source")} for d in dataset_rows()
        },
        "extras": _extras(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


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
    """The state of each fused operator: built, or the reason why not."""
    from seqdis.core.ops._build import KERNEL_DTYPES, cache_folder, kernel_state

    missing = {device: reason for device in KERNEL_DTYPES if (reason := kernel_state(device)) is not None}
    return {
        "built": [device for device in KERNEL_DTYPES if device not in missing],
        "missing": missing,
        "folder": str(cache_folder()),
    }


def _extras() -> dict[str, dict[str, str | None]]:
    """Every optional extra of the installed seqdis packages, with the version of each of its requirements."""
    extras: dict[str, dict[str, str | None]] = {}
    names = {d.name for d in distributions() if d.name.startswith("seqdis-")}
    for package in sorted(names):
        requirements = [Requirement(line) for line in distribution(package).requires or []]
        for extra in distribution(package).metadata.get_all("Provides-Extra") or []:
            extras[f"{package}[{extra}]"] = {
                r.name: _version(r.name) for r in requirements if _needs(extra, r)
            }
    return extras


def _needs(extra: str, requirement: Requirement) -> bool:
    """Whether the extra needs the requirement on this machine, and the package without the extra does not."""
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})
