"""The estimator keeps scikit-learn's contract, and its features tell apart what they should."""

from __future__ import annotations

import copy
import io
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import get_preset
from seqdis.timeseries import DisentanglingTransformer
from seqdis.timeseries.datasets.waves import wave_sequences

SMALL = {"features": 8, "hidden_dim": 8, "static_dim": 3, "dynamic_dim": 2}
SERIES = np.random.default_rng(0).normal(size=(20, 9, 2)).astype(np.float32)

# Checks of scikit-learn that the estimator fails on purpose, each with its reason: none. Two-dimensional data keep
# their width, as everywhere in scikit-learn; series of other lengths come as three dimensions or as a list.
EXPECTED_FAILURES: dict[str, str] = {}
# Checks that scikit-learn itself leaves out where nothing asks for them.
SKIPPED = {"check_array_api_input"}


def small(**changes: Any) -> DisentanglingTransformer:
    return DisentanglingTransformer(
        **{"steps": 3, "overrides": SMALL, "n_segments": 3, "random_state": 0} | changes
    )


def waves(count: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Series ``(N, 48, 6)`` and the classes of each by label."""
    dataset = wave_sequences(DataConfig(dataset="waves", length=48, frame_shape=(6,)), "test", None, 0)
    labels = {name: values.numpy()[:count] for name, values in dataset.all_labels().items()}
    return dataset.fetch(range(count)).x.numpy(), labels


def classify(transformer: Any) -> Pipeline:
    return make_pipeline(transformer, StandardScaler(), LogisticRegression(max_iter=2000))


@pytest.fixture(scope="module")
def fitted() -> DisentanglingTransformer:
    return small().fit(SERIES)


@pytest.mark.parametrize("pooling", ["segments", pytest.param("flatten", marks=pytest.mark.full)])
def test_the_contract_of_scikit_learn(pooling: str) -> None:
    results = check_estimator(
        small(pooling=pooling, steps=1),
        expected_failed_checks=EXPECTED_FAILURES,
        on_fail=None,
        on_skip=None,
    )
    left = {(r["check_name"], r["status"], str(r["exception"])) for r in results if r["status"] != "passed"}
    assert {(name, status) for name, status, _ in left} == {
        *((name, "xfail") for name in EXPECTED_FAILURES),
        *((name, "skipped") for name in SKIPPED),
    }, left
    assert len(results) > 40


def test_a_pipeline_is_cross_validated_beyond_chance() -> None:
    X, labels = waves(150)
    transformer = DisentanglingTransformer(
        preset="diffsda-waves", steps=60, features="static", random_state=0, overrides={"hidden_dim": 32}
    )
    scores = cross_val_score(classify(transformer), X, labels["level"], cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.7  # chance: 0.25


@pytest.mark.full
def test_each_factor_tells_its_own_labels() -> None:
    X, labels = waves(510)
    score: dict[tuple[str, str], float] = {}
    for features in ("static", "dynamic"):
        transformer = DisentanglingTransformer(
            preset="diffsda-waves", steps=300, features=features, random_state=0
        )
        for label, y in labels.items():
            score[features, label] = cross_val_score(classify(transformer), X, y, cv=3).mean()
    assert score["static", "level"] > 0.95
    assert score["static", "wiring"] > 0.9
    assert score["dynamic", "course"] > 0.95
    # chance: 1/4, 1/4, 1/6
    assert score["dynamic", "level"] < 0.5
    assert score["dynamic", "wiring"] < 0.5
    assert score["static", "course"] < 0.5


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.full)])
def test_threads_and_processes_give_the_scores_of_one_after_another(backend: str) -> None:
    y = np.arange(20) % 2
    alone = cross_val_score(classify(small()), SERIES, y, cv=4, error_score="raise")
    with joblib.parallel_config(backend):
        together = cross_val_score(classify(small()), SERIES, y, cv=4, n_jobs=2, error_score="raise")
    np.testing.assert_array_equal(together, alone)


def test_lists_of_unequal_series_are_split_and_searched() -> None:
    unequal = [one[: 3 + i % 5] for i, one in enumerate(SERIES)]
    search = GridSearchCV(
        classify(small()),
        {"disentanglingtransformer__pooling": ["segments", "mean_std", "last"]},
        cv=2,
        error_score="raise",
    )
    search.fit(unequal, np.arange(20) % 2)
    assert search.predict([SERIES[0, :1], SERIES[1]]).shape == (2,)


def test_parameters_survive_clone_and_none_is_touched() -> None:
    overrides = dict(SMALL)
    transformer = small(overrides=overrides, preset=get_preset("dsvae-series"), layout="NFT")
    twin = clone(transformer)
    assert twin.get_params() == transformer.get_params()
    twin.fit(SERIES.swapaxes(1, 2))
    assert twin.get_params() == transformer.get_params()
    assert overrides == SMALL
    assert not hasattr(transformer, "model_")


def test_random_states() -> None:
    first = small().fit_transform(SERIES)
    np.testing.assert_array_equal(small().fit_transform(SERIES), first)
    assert not np.allclose(small(random_state=1).fit_transform(SERIES), first)
    state = np.random.RandomState(0)
    np.testing.assert_array_equal(small(random_state=state).fit_transform(SERIES), first)
    assert not np.allclose(small(random_state=state).fit_transform(SERIES), first)  # it has moved on
    before = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(0)  # noqa: NPY002
        np.testing.assert_array_equal(small(random_state=None).fit_transform(SERIES), first)
    finally:
        np.random.set_state(before)  # noqa: NPY002


def test_copies_by_joblib_and_deepcopy_transform_alike(fitted: DisentanglingTransformer) -> None:
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    expected = fitted.transform(SERIES)
    for twin in (joblib.load(file), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(twin.transform(SERIES), expected)
        assert list(twin.get_feature_names_out()) == list(fitted.get_feature_names_out())


def test_a_trained_one_can_be_frozen_in_a_pipeline(fitted: DisentanglingTransformer) -> None:
    model = fitted.model_
    pipeline = classify(FrozenEstimator(fitted)).fit(SERIES, np.arange(20) % 2)
    assert pipeline[0].estimator.model_ is model


def test_features_and_their_names(fitted: DisentanglingTransformer) -> None:
    both = fitted.transform(SERIES)
    assert both.dtype == np.float32
    names = [f"static_{i}" for i in range(3)]
    names += [f"dynamic_{i}_segment_{k}" for k in range(3) for i in range(2)]
    assert fitted.get_feature_names_out().tolist() == names
    parts = []
    for features in ("static", "dynamic"):
        view = copy.copy(fitted).set_params(features=features)
        parts.append(view.transform(SERIES))
        assert parts[-1].shape[1] == len(view.get_feature_names_out())
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), both)
    flat = copy.copy(fitted).set_params(features="dynamic", pooling="flatten")
    assert flat.get_feature_names_out()[[0, 1, 2, -1]].tolist() == [
        *("dynamic_0_step_0", "dynamic_1_step_0", "dynamic_0_step_1", "dynamic_1_step_8")
    ]
    assert flat.transform(SERIES).shape == (20, 18)


def test_other_lengths_and_padding_change_no_other_row(fitted: DisentanglingTransformer) -> None:
    unequal = [SERIES[0], SERIES[1, :4], np.concatenate([SERIES[2], SERIES[3]])]
    together = fitted.transform(unequal)
    for row, one in zip(together, unequal, strict=True):
        np.testing.assert_allclose(fitted.transform(one[None])[0], row, rtol=1e-4, atol=1e-6)


def test_gaps_are_not_measured(fitted: DisentanglingTransformer) -> None:
    gaps = SERIES.copy()
    gaps[:, 2:5, 1] = np.nan
    features = fitted.transform(gaps)
    assert np.isfinite(features).all()
    assert not np.allclose(features, fitted.transform(SERIES))
    assert np.isfinite(small().fit_transform(gaps)).all()


def test_rows_of_one_channel_keep_their_width() -> None:
    rows = SERIES[:, :, 0]
    transformer = small().fit(rows)
    assert (transformer.n_features_in_, transformer.n_channels_) == (9, 1)
    expected = transformer.transform(rows)
    np.testing.assert_array_equal(transformer.transform(rows[:, :, None]), expected)
    np.testing.assert_allclose(transformer.transform(list(rows)), expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match=r"X has 5 features, but .* is expecting 9 features as input"):
        transformer.transform(rows[:, :5])
    assert transformer.transform(rows[:, :5, None]).shape == expected.shape
    np.testing.assert_array_equal(small().fit(rows[:, :, None]).transform(rows), expected)


def test_a_long_table_gives_a_row_an_identifier_and_sets_the_index() -> None:
    table = pd.DataFrame(SERIES[:6].reshape(-1, 2), columns=["pulse", "pressure"])
    table["patient"] = np.repeat([30, 10, 20, 50, 40, 60], 9)
    table["hour"] = np.tile(np.arange(9), 6)
    transformer = small(id_column="patient", time_column="hour")
    features = transformer.fit(table).transform(table.sort_values("hour", kind="stable"))
    assert (transformer.n_features_in_, list(transformer.feature_names_in_)) == (2, ["pulse", "pressure"])
    np.testing.assert_array_equal(features, small().fit_transform(SERIES[:6]))
    transformer.set_output(transform="pandas")
    framed = transformer.transform(table[["hour", "pressure", "patient", "pulse"]])
    assert framed.index.tolist() == [30, 10, 20, 50, 40, 60]
    assert framed.columns.tolist() == transformer.get_feature_names_out().tolist()
    np.testing.assert_array_equal(framed.to_numpy(), features)
    transformer.set_params(id_column=None, time_column=None)
    assert transformer.transform(SERIES[:6]).index.tolist() == list(range(6))
    parts = [part for _, part in table.groupby("patient", sort=False)]
    transformer.set_params(id_column="patient", time_column="hour").set_output(transform="default")
    np.testing.assert_array_equal(transformer.transform([part.iloc[:, ::-1] for part in parts]), features)
    with pytest.raises(InputError, match=r"unknown column of X 'pressure'"):
        transformer.transform(table.drop(columns="pressure"))


def test_before_fit() -> None:
    for call in (small().transform, small().get_feature_names_out):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call(SERIES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": "all"}, r"unknown features 'all'; allowed: both, dynamic, static"),
        ({"pooling": "segment"}, r"unknown pooling 'segment' \(did you mean 'segments'\?\)"),
        ({"layout": "NCT"}, r"unknown layout 'NCT'"),
        ({"n_segments": 0}, r"n_segments 0; allowed: a whole number from 1"),
        ({"preset": "dsvae-serie"}, r"unknown preset 'dsvae-serie'"),
        ({"preset": 3}, r"preset: int; allowed: the name of a preset, a RunConfig"),
        ({"overrides": {"hiden_dim": 8}}, r"unknown key 'hiden_dim'"),
        ({"steps": 0}, r"steps"),
        ({"device": "tpu"}, r"device 'tpu'"),
        ({"time_column": "hour"}, r"X: time_column is for a table; got ndarray"),
        ({"validation_fraction": 1.0, "n_iter_no_change": 2}, r"val: a share of 1.0; allowed"),
    ],
)
def test_parameters_out_of_range_are_found_by_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        small(**changes).fit(SERIES)
    assert "\n" not in str(caught.value)


def test_a_preset_of_pictures_is_refused() -> None:
    config = get_preset("dsvae-series")
    pictures = config.model_copy(update={"data": config.data.model_copy(update={"frame_shape": (3, 8, 8)})})
    with pytest.raises(InputError, match=r"frames of shape \(3, 8, 8\); allowed: presets of vectors, \(F,\)"):
        small(preset=pictures).fit(SERIES)


def test_what_does_not_suit_a_fitted_one(fitted: DisentanglingTransformer) -> None:
    with pytest.raises(InputError, match=r"X: 9 channels; .* was fitted to 2 \(layout='NTF'\)"):
        fitted.transform(SERIES.swapaxes(1, 2))
    flat = copy.copy(fitted).set_params(pooling="flatten")
    with pytest.raises(InputError, match=r"X: 5 steps make 13 features; the 9 of fit made 21; .*'segments'"):
        flat.transform(SERIES[:, :5])
    with pytest.raises(InputError, match=r"X: sequences of 3 to 9 steps; pooling='flatten'"):
        flat.fit([SERIES[0], SERIES[1, :3]])
    with pytest.raises(InputError, match=r"time_column is for long tables; name their id_column as well"):
        small(time_column="hour").fit(pd.DataFrame(SERIES[:, :, 0]))
    text = pd.DataFrame({"patient": ["a", "b"], "pulse": [1.0, 2.0]})
    with pytest.raises(
        InputError, match=r"could not convert string to float: 'a'; a long table, .* id_column"
    ):
        small().fit(text)


def test_training_ends_where_the_held_out_loss_no_longer_falls() -> None:
    early = small(steps=40, n_iter_no_change=1, overrides=SMALL | {"eval_every": 1, "lr": 1.0})
    late = small(steps=40, overrides=SMALL | {"lr": 1.0})
    assert not np.allclose(early.fit_transform(SERIES), late.fit_transform(SERIES))
