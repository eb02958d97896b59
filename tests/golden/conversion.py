"""From the recorded form of configurations and weights to today's, and which records have changed since.

The part of ``adapter.py`` that knows what things were called when the data of ``data/`` were made.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from seqdis.core.registry import get_sampler

TARGETS = {"individual": "identity"}
"""Names of targets that have changed since."""

CHANGED: frozenset[str] = frozenset(
    # Noise was inverted from whatever stood in a gap or in padding.
    [
        *(f"diffsda/{call}_{kind}" for call in ("reconstruct", "invert") for kind in ("padded", "gaps")),
        *(
            f"{name}/{call}"
            for name in ("diffsda_bidirectional", "diffsda_series")
            for call in (
                "reconstruct_padded",
                "invert_padded",
                "reconstruct_gaps",
                "invert_gaps",
                "swap_gaps",
                "swap_pairs_gaps",
            )
        ),
        # The poses of padded steps were inferred from whatever stood there.
        "vdsm/reconstruct_padded",
    ]
)
"""``file/record`` of numbers that were wrong where data are missing, and have changed since; only records that
are marked ``may_change`` can be named here."""

CHANGED_IN_PADDING = frozenset({"vdsm/encode_padded"})
"""``file/record`` of dynamic factors that differ in padded steps alone: these were read, and no longer are."""

ADDED = re.compile(r"terms/information_share|(leakage_from_\w+(@draw)?|probe_\w+@draw)/.*")
"""Paths of figures that are told beside those that were recorded."""


def convert_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded ``config.json`` in today's form."""
    today = copy.deepcopy(dict(values))
    today["format"] = 2
    if "individuals" in today["data"]:
        today["data"]["identities"] = today["data"].pop("individuals")
    for was, is_now in (("rate_memory", "ema_decay"), ("revive", "reset_dead_codes")):
        if was in today["model"]:
            today["model"][is_now] = today["model"].pop(was)
    if "sampler" in today["model"]:
        today["model"]["sampler"] = convert_sampler(today["model"]["sampler"])
    return today


def convert_sampler(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a recorded sampler that its kind has; the others had no effect on it."""
    fields = get_sampler(values.get("kind", "edm")).config_class.model_fields
    return {"kind": "edm", "levels": "karras"} | {
        name: value for name, value in values.items() if name in fields
    }


def convert_state(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Recorded weights of a model under today's names; ``config`` is the recorded one."""
    if config["method"] != "diffsda":
        return dict(state)
    return {name.replace("factor_lstm.", "sequence_encoder."): value for name, value in state.items()}


def convert_prior_state(state: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """Recorded weights of a prior of a kind under today's names."""
    return dict(state)


# Building.
