"""Metrics in short: ``{"mse@edm 4": Estimate(…)}`` with the case after the @."""

from __future__ import annotations

from collections.abc import Mapping

from seqdis.core.metric import Estimate, Metric, Metrics

__all__ = ["named"]

ROLES = {"judge_accuracy": "judge", "probe_a_from_static": "probe", "entropy_bits": "codes"}


def named(estimates: Mapping[str, Estimate]) -> Metrics:
    """The estimates as metrics; those that are neither a judge's nor a probe's nor of codes are of swaps."""

    def one(key: str, estimate: Estimate) -> Metric:
        name, _, case = key.partition("@")
        return estimate.named(name, role=ROLES.get(name, "swap"), case=case)

    return Metrics(one(key, estimate) for key, estimate in estimates.items())
