"""Generation: one factor of a real clip stays, the other is drawn from the prior, and a judge looks at the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.analysis import evaluating, generate, row_sources
from seqdis.core.base_config import LONGEST
from seqdis.core.capabilities import decoded_part, invert
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Side
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.modality import Panel
from seqdis.core.priors.prior import Prior
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorStack, mix_seed
from seqdis.core.sequences import Sequences, check_whole
from seqdis.core.starting_noise import choose_noise
from seqdis.eval.engine.batches import chosen_clips
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.progress import stage
from seqdis.eval.engine.seeds import over_seeds
from seqdis.eval.features.opened import NO_FEATURES, FeatureNetworks
from seqdis.eval.features.scores import FrechetScores, IdentityScores, MotionScores, who_of
from seqdis.eval.judge.interface import GradedJudge
from seqdis.eval.metrics.inception_score import inception_score
from seqdis.eval.metrics.inter_entropy import inter_entropy
from seqdis.eval.metrics.intra_entropy import intra_entropy
from seqdis.eval.metrics.judge_divergence import judge_divergence
from seqdis.eval.metrics.predictions import balanced
from seqdis.eval.metrics.swap_accuracy import agreement
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import (
    BatchOption,
    ClipsOption,
    FeaturesOption,
    JudgeOption,
    ModeOption,
    SamplerOptions,
    SeedsOption,
)
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.protocols.run_features import features_section, open_run_features
from seqdis.eval.report.blocks import Card, Cards, Section
from seqdis.eval.report.clips import drawn_card

__all__ = ["PUBLISHED_BATCH", "PUBLISHED_REPEATS", "Generation", "drawn_clips", "generation_protocol"]

PUBLISHED_BATCH = 128
"""Clips in a batch of published code, which drops the last one where it is not full."""
PUBLISHED_REPEATS = 5
"""How often published code draws anew; its figures are means."""

_SIDES: tuple[Side, Side] = ("dynamic", "static")
_PRINTED = {"is": inception_score, "h_y": inter_entropy, "h_y_given_x": intra_entropy}


def generation_protocol(
    model: Disentangler,
    prior: Prior,
    judge: GradedJudge | None,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    mode: Mode = "corrected",
    clips: int | None = None,
    features: FeatureNetworks = NO_FEATURES,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Metrics:
    """Fixed action, fixed content, and, where feature networks are given, unconditional clips (S3VAE, Tab. 1).

    *Fixed dynamics*: ``decode(ŝ, d^{1:V})`` with ``d`` encoded and ``ŝ ~ p(s)``: the judge's dynamic labels must be
    the source's. *Fixed static*: ``decode(s, d̂^{1:V})``, ``d̂ ~ p(d^{1:V})``: its static labels must be.

    ``"corrected"``: all test clips, or so many that the seed chooses; entropies of the labels of the *drawn* factor,
    beside those of real clips: is what is drawn as clear and as diverse as the data?
    ``"published"``: as many clips of each action as of the rarest, in the order of the split, the last batch of
    :data:`PUBLISHED_BATCH` dropped unless full; entropies of the action head on clips whose action is *fixed*, which
    say that the kept action is seen clearly and nothing of diversity; all is the mean of
    :data:`PUBLISHED_REPEATS` draws. FID and FVD compare as many generated clips as there are test clips: balancing and
    the dropped batch are the judge's.

    Args:
        model: A model of any method.
        prior: Fitted to its factors, or its own.
        judge: Trained on real clips; None where the data carry no labels.
        train_set: Training split, with which real clips are compared in feature space.
        test_set: Clips that nobody has learnt from.
        seed: Seed of the choice and of all draws.
        mode: Mode of the protocol, as described above.
        clips: So many at most; all when omitted.
        features: ``frames`` and ``clips`` compare as many unconditional clips with real ones (FID, FVD);
            ``identity`` compares clips of fixed static factor, and ``keypoints`` clips of fixed dynamics, with
            their source (AED, AKD).
        batch_size: Clips a pass; it does not change the result.
        progress: Called as the work advances.

    Returns:
        ``accuracy``, the mean over sides of the mean over their labels; ``fixed_static_accuracy`` and
        ``fixed_dynamic_accuracy`` (all labels of the side right), ``fixed_<label>_accuracy``, ``kl``. Corrected:
        ``is``, ``h_y`` and ``h_y_given_x`` ``@drawn <label>`` and ``@real <label>``; published: ``is``, ``h_y``,
        ``h_y_given_x``. With feature networks ``fid``, ``fid_real``, ``fvd``, ``fvd_real``, ``aed``, ``csim``,
        ``akd`` and what belongs to them.

    Raises:
        InputError: There is neither a judge nor a feature network, or too few clips.
    """
    if judge is None and not features.named():
        raise InputError(
            "generation: without labels there is no judge; ask for feature networks, or take labelled data"
        )
    chosen = _chosen(test_set, mode, clips, seed, with_judge=judge is not None)
    compared = chosen if mode == "corrected" else list(range(_count(test_set, clips)))
    setting = _Setting(model, prior, judge, train_set, test_set, chosen, compared, mode, features, batch_size)
    if mode == "corrected":
        return _once(setting, seed, progress)
    part = 1 / PUBLISHED_REPEATS
    return over_seeds(
        lambda i: _once(setting, mix_seed(seed, i), stage(progress, i * part, (i + 1) * part)),
        range(PUBLISHED_REPEATS),
    )


@dataclass(frozen=True)
class _Setting:
    model: Disentangler
    prior: Prior
    judge: GradedJudge | None
    train_set: SequenceDataset
    test_set: SequenceDataset
    chosen: list[int]
    compared: list[int]
    mode: Mode
    features: FeatureNetworks
    batch_size: int


def _count(test_set: SequenceDataset, clips: int | None) -> int:
    count = len(test_set) if clips is None else min(clips, len(test_set))
    if count < 2:
        raise InputError(f"generation: at least 2 clips are needed; got {count}")
    return count


def _chosen(
    test_set: SequenceDataset, mode: Mode, clips: int | None, seed: int, *, with_judge: bool
) -> list[int]:
    """Test clips of which a factor is kept."""
    count = _count(test_set, clips)
    if mode == "corrected":
        order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(seed))
        return sorted(order[:count].tolist())
    if not with_judge:
        return list(range(count))
    truth = test_set.all_labels()[_head(test_set.labels)]
    kept = balanced(truth).tolist()
    if count < len(kept):
        kept = _fewer(kept, truth, count, seed)
    whole = len(kept) // PUBLISHED_BATCH * PUBLISHED_BATCH
    if not whole:
        raise InputError(
            f"generation: {len(kept)} clips of balanced classes; allowed: {PUBLISHED_BATCH} or more, or --mode corrected"
        )
    return kept[:whole]


def _fewer(kept: list[int], truth: Tensor, count: int, seed: int) -> list[int]:
    """Balanced clips are equally many of each class, chosen by the seed, ``count`` in all at most."""
    order = torch.randperm(len(kept), generator=torch.Generator().manual_seed(seed)).tolist()
    places: dict[int, list[int]] = {}
    for index in order:
        places.setdefault(int(truth[kept[index]]), []).append(kept[index])
    each = max(1, count // len(places))
    return sorted(index for some in places.values() for index in some[:each])


def _head(labels: Mapping[str, Label]) -> str:
    """The label whose entropies published code prints: the action, else the first there is."""
    return next((name for name, label in labels.items() if label.factor == "dynamic"), next(iter(labels)))


def drawn_clips(
    model: Disentangler, prior: Prior, batch: Sequences, kept: Side, generator: GeneratorStack
) -> Tensor:
    """Clips of a batch with one factor kept and the other drawn, ``(B, V, *frame)``.

    As in :func:`~seqdis.core.analysis.swap_drawn` the noise, where a method inverts, is the source's where its
    dynamics are kept. The drawn factor is half of a joint draw: ``p(s)``, not ``p(s | d^{1:V})``, so that it knows
    nothing of the factor that stays.

    Args:
        model: The model in evaluation mode.
        prior: Fitted to its factors, or its own.
        batch: Sequences on the model's device.
        kept: The side that stays.
        generator: A row a clip.
    """
    factors = model.encode(batch)
    draw = prior.sample_static if kept == "dynamic" else prior.sample_dynamic
    drawn = draw(decoded_part(model, factors), generator=generator, independent=True)
    inverted = invert(model, batch, factors) if kept == "dynamic" else None
    start = choose_noise("dynamic", static=None, dynamic=inverted)
    return model.decode(drawn.to(model.device), noise=start, generator=generator)


def _once(setting: _Setting, seed: int, progress: Progress | None) -> Metrics:
    judge, labels, chosen = setting.judge, setting.test_set.labels, setting.chosen
    identity = IdentityScores(setting.features.identity)
    motion = MotionScores(setting.features.keypoints)
    frechet = FrechetScores(setting.features)
    views: tuple[Side | None, ...] = (*_SIDES, *([None] if frechet.wanted else []))
    seen: dict[str, list[Mapping[str, Tensor]]] = {"real": [], "dynamic": [], "static": []}
    with evaluating(setting.model):
        for number, kept in enumerate(views):
            report = stage(progress, number / len(views), (number + 1) / len(views))
            if kept is None:
                _unconditional(setting, frechet, seed, report)
                continue
            for start in range(0, len(chosen), setting.batch_size):
                rows = chosen[start : start + setting.batch_size]
                batch = setting.test_set.fetch(rows).to(setting.model.device)
                made = drawn_clips(
                    setting.model, setting.prior, batch, kept, row_sources(mix_seed(seed, number), rows)
                )
                if judge is not None:
                    seen[kept].append(judge.probabilities(made, batch.mask))
                    if kept == "dynamic":
                        seen["real"].append(judge.probabilities(batch.x, batch.mask))
                if setting.features.identity is not None or setting.features.keypoints is not None:
                    check_whole("a feature network", batch)
                if kept == "dynamic":
                    motion.add(made, batch.x)
                else:
                    identity.add(made, batch.x, who_of(batch, labels))
                if report is not None:
                    report(start + len(rows), len(chosen))
    metrics = Metrics()
    if judge is not None:
        truth = {name: value[chosen] for name, value in setting.test_set.all_labels().items()}
        p = {
            view: {name: torch.cat([part[name] for part in parts]) for name in labels}
            for view, parts in seen.items()
        }
        metrics |= _judge_metrics(labels, truth, p, setting.mode, seed)
    estimates = identity.metrics(mode=setting.mode, seed=seed) | motion.metrics(mode=setting.mode, seed=seed)
    return metrics | Metrics.of(estimates | frechet.metrics(), role="generation")


def _unconditional(setting: _Setting, frechet: FrechetScores, seed: int, progress: Progress | None) -> None:
    """As many drawn clips, held-out ones, and training ones."""
    count = len(setting.compared)
    drawn = generate(
        setting.model, setting.prior, count, generator=torch.Generator().manual_seed(mix_seed(seed, 2)),
        batch_size=setting.batch_size, progress=progress,
    )  # fmt: skip
    order = torch.randperm(len(setting.train_set), generator=torch.Generator().manual_seed(seed))
    for which, dataset, rows in (
        ("real", setting.test_set, setting.compared),
        ("train", setting.train_set, order[:count].tolist()),
    ):
        for start in range(0, len(rows), setting.batch_size):
            frechet.add(which, dataset.fetch(rows[start : start + setting.batch_size]).x)
    frechet.add("generated", drawn.frames)


def _judge_metrics(
    labels: Mapping[str, Label],
    truth: Mapping[str, Tensor],
    p: Mapping[str, Mapping[str, Tensor]],
    mode: Mode,
    seed: int,
) -> Metrics:
    """Metrics of the judge's probabilities; ``p["dynamic"]`` is of clips whose dynamics were kept."""
    by_label: dict[str, Estimate] = {}
    by_side: dict[str, Estimate] = {}
    divergences, averages = [], []
    generator = torch.Generator().manual_seed(seed)
    for side in _SIDES:
        own = {name: truth[name] for name, label in labels.items() if label.factor == side}
        if not own:
            continue
        predicted = {name: p[side][name].argmax(1) for name in own}
        by_side[f"fixed_{side}_accuracy"] = agreement(predicted, own)
        estimates = {f"fixed_{name}_accuracy": agreement(predicted, {name: own[name]}) for name in own}
        by_label |= estimates
        averages.append(_mean(list(estimates.values())))
        divergences += [judge_divergence(p[side][n], p["real"][n], generator=generator) for n in own]
    whole = {"accuracy": _mean(averages), **by_side, **by_label, "kl": _mean(divergences)}
    metrics = Metrics.of(whole, role="generation")
    if mode == "published":
        head = _head(labels)
        kept = p[labels[head].factor][head]
        printed = {name: figure(kept, generator=generator) for name, figure in _PRINTED.items()}
        return metrics | Metrics.of(printed, role="generation")
    for name, label in labels.items():
        # Where the static factor is kept the dynamics are drawn, and the other way round.
        drawn = "static" if label.factor == "dynamic" else "dynamic"
        for case, view in (("drawn", drawn), ("real", "real")):
            printed = {n: figure(p[view][name], generator=generator) for n, figure in _PRINTED.items()}
            metrics |= Metrics.of(printed, role="generation", case=f"{case} {name}")
    return metrics


def _mean(metrics: Sequence[Estimate]) -> Estimate:
    """The mean of several figures of the same clips; the interval's ends are means as well."""
    chances = [m.chance for m in metrics if m.chance is not None]
    intervals = [m.ci95 for m in metrics if m.ci95 is not None]
    return Estimate(
        unit=metrics[0].unit,
        value=sum(m.value for m in metrics) / len(metrics),
        chance=sum(chances) / len(chances) if len(chances) == len(metrics) else None,
        ci95=(
            sum(low for low, _ in intervals) / len(intervals),
            sum(high for _, high in intervals) / len(intervals),
        )
        if len(intervals) == len(metrics)
        else None,
        n=metrics[0].n,
        direction=metrics[0].direction,
    )


class Generation(Protocol):
    """Keep one factor of held-out clips, draw the other from the prior, and ask a judge (S3VAE, Tab. 1).

    Accuracy of what is kept, Inception score and entropies of what is drawn; FID, FVD, AED, CSIM and AKD with
    --features. The judge is kept in the run's folder; a method without a prior of its own needs `seqdis prior fit`.
    """

    name = "generation"
    requires = "labels for a judge to learn, or --features"
    draws_from_prior = True
    noise = "dynamic"
    headline = ("accuracy", "fixed_static_accuracy", "fixed_dynamic_accuracy", "fvd", "fid")

    class Options(
        BatchOption, JudgeOption, SamplerOptions, FeaturesOption, ClipsOption, SeedsOption, ModeOption
    ):
        """The clips that are drawn, what judges them, and feature networks."""

        seeds: int = Field(
            3, ge=1, le=LONGEST, description="repetitions of each run's measurement, from --seed on"
        )

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its frames are pictures, for feature networks, or its data carry labels."""
        return bool(run.test_set.labels) or len(run.test_set.shape) == 4

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options, labelled = context.options, bool(context.first.test_set.labels)
        self._networks = open_run_features(options.features, context.first, labelled=labelled)
        self._priors = [context.prior(run) for run in context.runs]
        judges = context.judges

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            estimates = generation_protocol(
                run.model, self._priors[number], judges[number].judge if judges else None, run.train_set,
                run.test_set, seed=seed, mode=options.mode, clips=context.clips, features=self._networks,
                batch_size=options.batch_size, progress=progress,
            )  # fmt: skip
            return judges[number].metrics | estimates if judges else estimates

        return context.repeat(measure, what="drawing")

    def sections(self, context: Context) -> list[Section]:
        """A few clips, each with one factor drawn anew, and then the other."""
        run, show, seed = context.first, context.showroom, context.seed
        rows = chosen_clips(len(run.test_set), 4, seed=seed)
        batch = run.test_set.fetch(rows)
        views: dict[str, Tensor] = {"source": batch.x}
        titles: dict[Side, str] = {"dynamic": "static drawn", "static": "dynamics drawn"}
        with evaluating(run.model):
            for side, title in titles.items():
                there = batch.to(run.model.device)
                views[title] = drawn_clips(
                    run.model, self._priors[0], there, side, row_sources(seed, rows)
                ).cpu()
        cards = []
        for row, key in enumerate(batch.keys):
            if show.moves:
                items = [(title, show.clip(x[row], f"{title}, {key}")) for title, x in views.items()]
                cards.append(Card(str(key), items))
            else:
                cards.append(drawn_card(show, str(key), [Panel(title, x[row]) for title, x in views.items()]))
        note = "Test clips that the seed alone chooses: their dynamics with another static factor, and the reverse."
        block = Cards(cards, "small" if show.moves else "large")
        return [Section("Drawn clips", [block], note), *features_section(self._networks, run)]
