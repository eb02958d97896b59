"""The feature networks that a person asks for by name: ``fid``, ``fvd``, ``akd=face``, ``aed=FILE``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.errors import InputError, unknown_name
from seqdis.eval.features.bodies import BodyJoints
from seqdis.eval.features.faces import FaceIdentity, FaceLandmarks
from seqdis.eval.features.inception import Inception
from seqdis.eval.features.networks import ClipFeatures, FrameFeatures, Identity, Keypoints
from seqdis.eval.features.torchscript import I3D, ScriptedIdentity, ScriptedKeypoints

__all__ = ["NO_FEATURES", "FeatureNetworks", "as_pictures", "open_features"]

_NAMES = ("fid", "fvd", "akd", "aed")


@dataclass(frozen=True)
class FeatureNetworks:
    """The networks that were asked for.

    Attributes:
        frames: Network for FID.
        clips: Network for FVD.
        keypoints: Network for AKD.
        identity: Network for AED, CSIM and verification accuracy.
    """

    frames: FrameFeatures | None = None
    clips: ClipFeatures | None = None
    keypoints: Keypoints | None = None
    identity: Identity | None = None

    def named(self) -> dict[str, str]:
        """Description of each network for a report: ``{"fid": "Inception-v3, …"}``."""
        parts = zip(_NAMES, (self.frames, self.clips, self.keypoints, self.identity), strict=True)
        return {name: network.name for name, network in parts if network is not None}


NO_FEATURES = FeatureNetworks()
"""None at all."""


def open_features(words: Sequence[str], *, device: torch.device | str = "cpu") -> FeatureNetworks:
    """Load feature networks.

    Args:
        words: ``fid`` and ``fvd``, each also with ``=FILE`` for its weights; ``akd=face`` (68 landmarks),
            ``akd=body`` (18 joints) or ``akd=FILE`` (TorchScript); ``aed=face`` (VGGFace2), ``aed=FILE``
            (TorchScript) or ``aed=person:FILE`` (the same, for person re-identification, whose distances
            published code squares).
        device: Device on which the networks run.

    Raises:
        InputError: A word is unknown or comes twice, or a library or a file is absent.
    """
    paths_by_name: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in _NAMES:
            raise unknown_name("feature network", name, _NAMES)
        if name in paths_by_name:
            raise InputError(f"feature network {name!r}: given twice")
        if name in ("akd", "aed") and not value:
            allowed = "face, body or FILE" if name == "akd" else "face, FILE or person:FILE"
            raise InputError(f"feature network {name!r}: say which: {name}={allowed.replace(' or ', ', ')}")
        paths_by_name[name] = value
    given = {name: Path(value) if value else None for name, value in paths_by_name.items()}
    return FeatureNetworks(
        frames=Inception.open(given["fid"], device=device) if "fid" in paths_by_name else None,
        clips=I3D(given["fvd"], device=device) if "fvd" in paths_by_name else None,
        keypoints=_keypoints(paths_by_name["akd"], device) if "akd" in paths_by_name else None,
        identity=_identity(paths_by_name["aed"], device) if "aed" in paths_by_name else None,
    )


def _keypoints(value: str, device: torch.device | str) -> Keypoints:
    if value == "face":
        return FaceLandmarks.open(device=device)
    return (
        BodyJoints.open(device=device) if value == "body" else ScriptedKeypoints(Path(value), device=device)
    )


def _identity(value: str, device: torch.device | str) -> Identity:
    if value == "face":
        return FaceIdentity.open(device=device)
    kind, _, path = value.partition(":")
    if kind == "person":
        return ScriptedIdentity(Path(path), squared=True, device=device)
    return ScriptedIdentity(Path(value), device=device)


def as_pictures(clips: Tensor) -> Tensor:
    """Clips ``(N, V, C, H, W)`` in [0, 1] as RGB, ``(N, V, 3, H, W)``; grey ones with three equal channels.

    Raises:
        InputError: The frames are no pictures.
    """
    if clips.ndim != 5 or clips.shape[2] not in (1, 3):
        raise InputError(
            f"feature networks look at pictures (C, H, W) with 1 or 3 channels; got frames {tuple(clips.shape[2:])}"
        )
    return clips.float().cpu().clamp(0, 1).expand(-1, -1, 3, -1, -1)
