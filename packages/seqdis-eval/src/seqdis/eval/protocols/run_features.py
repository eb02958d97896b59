"""The feature networks of a run: opened where its frames are pictures, and named on its page."""

from __future__ import annotations

from collections.abc import Sequence

from seqdis.core.errors import InputError
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.features.opened import FeatureNetworks, as_pictures, open_features
from seqdis.eval.report.blocks import Facts, Section

__all__ = ["features_section", "open_run_features"]


def open_run_features(words: Sequence[str], run: OpenRun, *, labelled: bool = True) -> FeatureNetworks:
    """The feature networks that a person asks for.

    Args:
        words: Words of ``--features``, as :func:`~seqdis.eval.features.opened.open_features` takes them.
        run: Run whose clips the networks see.
        labelled: Whether a judge measures as well; without one at least one network is needed.

    Raises:
        InputError: See :func:`~seqdis.eval.features.opened.open_features`; or the frames are no pictures, the clips
            are too short, or there is neither a judge nor a network.
    """
    if not words and not labelled:
        raise InputError(
            f"{run.folder}: its data {run.config.data.dataset!r} carry no labels for a judge to learn; "
            "ask for --features"
        )
    if words:
        as_pictures(run.test_set.fetch([0]).x)
    networks = open_features(words, device=run.model.device)
    steps = run.test_set.shape[0]
    if networks.clips is not None and steps < networks.clips.shortest:
        raise InputError(
            f"fvd: {networks.clips.name} takes clips of {networks.clips.shortest} frames or more; got {steps}"
        )
    return networks


def features_section(networks: FeatureNetworks, run: OpenRun) -> list[Section]:
    """A section that names the feature networks, where there are any, and the pixels that distances are counted in."""
    named = networks.named()
    if not named:
        return []
    height, width = run.test_set.shape[-2:]
    return [Section("Feature networks", [Facts({**named, "frames": f"{height} × {width} pixels"})])]
