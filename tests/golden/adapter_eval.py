"""The part of ``adapter.py`` for metrics and protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from adapter import Inputs, batch_of, factors_of, seeded
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from seqdis.core.analysis import probe_outcomes
from seqdis.core.capabilities import learned_prior
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.disentangler import Disentangler
from seqdis.core.metric import Estimate
from seqdis.core.priors.factorised import FactorisedPrior
from seqdis.eval.metrics.absolute_error import mean_absolute_error
from seqdis.eval.metrics.accuracy import accuracy
from seqdis.eval.metrics.aed import average_euclidean_distance
from seqdis.eval.metrics.akd import average_keypoint_distance
from seqdis.eval.metrics.auprc import area_under_precision_recall
from seqdis.eval.metrics.auroc import area_under_roc
from seqdis.eval.metrics.csim import cosine_similarity
from seqdis.eval.metrics.dci import dci
from seqdis.eval.metrics.eer import equal_error_rate, speaker_eer
from seqdis.eval.metrics.factor_leakage import leakage
from seqdis.eval.metrics.frechet import frechet_distance, frechet_score
from seqdis.eval.metrics.inception_score import inception_score
from seqdis.eval.metrics.inter_entropy import inter_entropy
from seqdis.eval.metrics.intra_entropy import intra_entropy
from seqdis.eval.metrics.judge_consistency import consistency
from seqdis.eval.metrics.judge_divergence import judge_divergence
from seqdis.eval.metrics.mig import mutual_information_gap
from seqdis.eval.metrics.sap import separated_attribute_predictability
from seqdis.eval.metrics.speaker_verification import speaker_verification
from seqdis.eval.metrics.squared_error import clip_errors, mean_squared_error
from seqdis.eval.metrics.swap_accuracy import swap_metrics
from seqdis.eval.metrics.token_error_rate import token_error_rate
from seqdis.eval.metrics.verification import verification_accuracy, verification_threshold
from seqdis.eval.metrics.voice_similarity import voice_similarity
from seqdis.eval.prediction.outcome import outcome_protocol
from seqdis.eval.prediction.quantity import WindowValues, quantity_protocol
from seqdis.eval.prediction.splits import Splits
from seqdis.eval.protocols.bitrate import bitrate_protocol
from seqdis.eval.protocols.classification import classification_protocol
from seqdis.eval.protocols.consistency import consistency_protocol
from seqdis.eval.protocols.generation import generation_protocol
from seqdis.eval.protocols.leakage import leakage_protocol
from seqdis.eval.protocols.reconstruction import reconstruction_protocol
from seqdis.eval.protocols.speaker import speaker_protocol
from seqdis.eval.protocols.swap import swap_protocol
from seqdis.eval.protocols.traversal import traversal_directions, traversal_protocol

LABELS = {
    "level": Label(("low", "high"), "static"),
    "tilt": Label(("left", "middle", "right"), "static"),
    "path": Label(("rise", "fall"), "dynamic"),
}


def _figures(found: Any) -> Any:
    if isinstance(found, Estimate):
        values = found.model_dump(mode="json")
        kept = {k: values[k] for k in ("value", "chance", "ci95", "n")}
        direction = {"higher_is_better": found.direction == "higher"}
        return {**kept, **direction, **{k: values[k] for k in ("std", "seeds")}}
    if isinstance(found, Mapping):
        return {name: _figures(value) for name, value in found.items()}
    return found


def _with_generator(function: Any, *names: str) -> Any:
    def call(inputs: Inputs, seed: int = 0, **options: Any) -> Any:
        rest = {k: v for k, v in inputs.items() if k not in names}
        return function(*(inputs[name] for name in names), **rest, generator=seeded(seed), **options)

    return call


def _plainly(function: Any, *names: str) -> Any:
    def call(inputs: Inputs, **options: Any) -> Any:
        return function(*(inputs[name] for name in names), **options)

    return call


def _leakage(inputs: Inputs, seed: int = 0, **options: Any) -> Any:
    probes = probe_outcomes(
        factors_of(inputs["train_factors"]),
        inputs["train_labels"],
        factors_of(inputs["factors"]),
        inputs["labels"],
    )
    found = {name: outcome.estimate() for name, outcome in probes.items()}
    return {**found, "leakage": leakage(probes, LABELS, generator=seeded(seed), **options)}


def _speakers(inputs: Inputs, **options: Any) -> Any:
    found = speaker_verification(inputs["static"], inputs["dynamic"], inputs["speakers"], **options)
    return {"static": found.static, "dynamic": found.dynamic, "gap": found.gap}


def _squared_error(inputs: Inputs, seed: int = 0) -> Any:
    batch = batch_of(inputs)
    errors = clip_errors(batch, inputs["guess"])
    return {
        "errors": errors,
        "mse": mean_squared_error(errors, clip_errors(batch, inputs["trivial"]), generator=seeded(seed)),
    }


def _tokens(inputs: Inputs, truth: list[list[int]], guess: list[list[int]], constant: list[int]) -> Any:
    rate = token_error_rate(truth, guess, constant=constant, generator=seeded(0))
    return {"distance": Levenshtein.distance(truth[0], guess[0]), "rate": rate}


_METRICS = {
    "mae": _with_generator(mean_absolute_error, "predicted", "truth"),
    "accuracy": _with_generator(accuracy, "predicted", "truth"),
    "aed": _with_generator(average_euclidean_distance, "found", "expected"),
    "akd": _with_generator(average_keypoint_distance, "found", "expected"),
    "auprc": _with_generator(area_under_precision_recall, "scores", "truth"),
    "auroc": _with_generator(area_under_roc, "scores", "truth"),
    "consistency": _with_generator(consistency, "real", "generated"),
    "csim": _with_generator(cosine_similarity, "found", "expected"),
    "dci": _plainly(dci, "train_codes", "train_labels", "codes", "labels"),
    "equal_error_rate": _plainly(equal_error_rate, "target", "other"),
    "speaker_eer": _with_generator(speaker_eer, "embeddings", "speakers"),
    "frechet_distance": _plainly(frechet_distance, "first", "second"),
    "frechet_score": _with_generator(frechet_score, "first", "second"),
    "inception_score": _with_generator(inception_score, "probabilities"),
    "inter_entropy": _with_generator(inter_entropy, "probabilities"),
    "intra_entropy": _with_generator(intra_entropy, "probabilities"),
    "judge_divergence": _with_generator(judge_divergence, "generated", "real"),
    "leakage": _leakage,
    "mig": _plainly(mutual_information_gap, "codes", "labels"),
    "sap": _plainly(separated_attribute_predictability, "train_codes", "train_labels", "codes", "labels"),
    "speaker_verification": _speakers,
    "mse": _squared_error,
    "swap_metrics": lambda inputs: swap_metrics(LABELS, inputs["predicted"], inputs["truth"]),
    "token_error_rate": _tokens,
    "verification_accuracy": _with_generator(verification_accuracy, "found", "expected"),
    "verification_threshold": _plainly(verification_threshold, "embeddings", "identities"),
    "voice_similarity": _with_generator(voice_similarity, "made", "wanted"),
}


def metric(inputs: Inputs, *, name: str, **options: Any) -> dict[str, Any]:
    """A metric of ``_METRICS`` by its name there; a figure is its value, chance, interval and count."""
    return {name: _figures(_METRICS[name](inputs, **options))}


class FixedJudge:
    """Reads labels off the sign and the size of a sequence's numbers; sure of what is far from the border."""

    labels = LABELS

    def probabilities(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        flat = x.double().flatten(2)
        level, slope = flat.mean((1, 2)), (flat[:, -1] - flat[:, 0]).mean(1)
        tilt = torch.stack([flat[:, :, 0].mean(1), level, flat[:, :, -1].mean(1)], dim=1)
        two = {"level": torch.stack([-level, level], 1), "path": torch.stack([slope, -slope], 1)}
        return {"tilt": tilt.softmax(1), **{name: (2 * value).softmax(1) for name, value in two.items()}}

    def predict(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        return {name: value.argmax(1) for name, value in self.probabilities(x, mask).items()}


def _dataset(inputs: Mapping[str, Any]) -> ArraySequences:
    labels = inputs.get("labels", {})
    return ArraySequences(inputs["x"], labels={name: LABELS[name] for name in labels}, label_values=labels)


def protocol(model: Disentangler, inputs: Inputs, *, name: str, **options: Any) -> dict[str, Any]:
    """A protocol on a model, sequences ``train``, ``val`` and ``test``, and the fixed judge."""
    judge = FixedJudge()
    train_set, val_set, test_set = (_dataset(inputs[split]) for split in ("train", "val", "test"))
    splits = Splits(train_set, val_set, test_set)
    found: Mapping[str, Any]
    if name == "swap":
        found = swap_protocol(model, train_set, test_set, judge=judge, **options)
    elif name == "leakage":
        found = leakage_protocol(model, train_set, test_set, **options)
    elif name == "generation":
        prior = learned_prior(model)
        assert isinstance(prior, FactorisedPrior)
        found = generation_protocol(model, prior, judge, train_set, test_set, **options)
    elif name == "reconstruction":
        found = reconstruction_protocol(model, train_set, test_set, **options)
    elif name == "consistency":
        found = consistency_protocol(model, judge, test_set, **options)
    elif name == "traversal":
        prior = learned_prior(model)
        assert prior is not None
        directions = traversal_directions(prior, components=2, draws=64)
        found = traversal_protocol(model, directions, judge, test_set, **options)
    elif name == "classification":
        found = classification_protocol(model, splits, **options)
    elif name == "outcome":
        found = outcome_protocol(model, splits, **options)
    elif name == "quantity":
        values = WindowValues(*(inputs["values"][split] for split in ("train", "val", "test")))
        found = quantity_protocol(model, splits, values, **options)
    elif name == "speaker":
        found = speaker_protocol(model, train_set, test_set, **options)
    elif name == "bitrate":
        found = bitrate_protocol(model, train_set, test_set)
    else:
        raise ValueError(name)
    return {key: _figures(value) for key, value in found.items()}
