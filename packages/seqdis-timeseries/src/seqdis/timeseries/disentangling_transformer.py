"""A scikit-learn transformer: series in, their static and dynamic factors as features out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, get_args

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from seqdis.core.analysis.encode import encode
from seqdis.core.config import RunConfig, change_config
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.model_files import load_state, state_to_save
from seqdis.core.pretrained import build_model, config_of
from seqdis.core.registry import get_preset
from seqdis.core.training.fit import fit
from seqdis.timeseries.estimator_input import (
    LAYOUTS,
    EstimatorInput,
    Layout,
    holds_rows,
    read_rows,
    read_series_input,
)
from seqdis.timeseries.estimator_output import index_by_identifier
from seqdis.timeseries.pooling import POOLINGS, Pooling, pool_steps, pooled_parts

__all__ = ["DisentanglingTransformer"]

FeatureChoice = Literal["both", "static", "dynamic"]

# A training holds the random state and the devices of its whole process: those of several threads wait for each other.
_TRAINING = threading.Lock()


class DisentanglingTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learns to disentangle series without labels, and gives the factors of each as a row of features.

    ``x^{1:V} -> (s, pool(d^{1:V}))``, for a ``Pipeline`` with any classifier or regressor. It takes

    - arrays ``(N, T, F)``, or ``(N, F, T)`` with ``layout="NFT"``;
    - ``(N, T)``, an array or a table: one series of one channel a row, always of the T steps that it was fitted to;
    - lists of ``(T, F)``, ``(T,)`` or tables, of any lengths;
    - with ``id_column``, a long table, a row a step: as many rows come out as there are identifiers, in the order of
      their first occurrence.

    NaN marks an entry that was not measured.

    Args:
        preset: The name of a preset of time series (``seqdis list``), or a whole configuration.
        steps: Number of optimiser steps; None for the preset's.
        length: Number of steps of the windows to train on, for series that are longer than what a model should see
            at once; whole series when omitted. Whole series are transformed either way.
        overrides: Further values of the configuration, ``{"static_dim": 32, "lr": 1e-3}``.
        features: The factors that become features: ``"both"``, ``"static"`` or ``"dynamic"``.
        pooling: Way in which the dynamic factor ``(V, D)`` becomes a row. ``"segments"``: its mean in each of ``n_segments``
            equal parts of the series, whatever their length (piecewise aggregate approximation); ``"mean_std"``: mean
            and standard deviation over the steps; ``"last"``: the last step; ``"flatten"``: every step, which takes
            series of one length.
        n_segments: Number of parts of ``pooling="segments"``.
        layout: Order of the dimensions of arrays: ``"NTF"``, or ``"NFT"``, which is aeon's.
        id_column: The column (or level of the index) of a long table that names a row's series.
        time_column: The column of a table that holds a row's time; the order of the rows counts when omitted.
        columns: The columns of a table that are channels; all further columns of numbers when omitted.
        n_iter_no_change: Number of validations without a lower loss after which training ends with the best
            weights; the preset's when omitted.
        validation_fraction: Share of the series that is held out for that loss; without ``n_iter_no_change`` all
            of them are learnt from.
        random_state: Seed of the weights, the noise and the order of the training, an instance of numpy's
            ``RandomState``, or None, which draws from numpy's global one. On a CPU an integer fixes the result bit for bit.
        device: The device, as torch names it; the best one available when omitted.
        verbose: Whether to show a progress bar on stderr.

    Attributes:
        model_: The trained model, a :class:`~seqdis.core.disentangler.Disentangler`.
        n_features_in_: Number of columns of two-dimensional data, T; of all other data the number of channels, F.
        feature_names_in_: Names of these columns or channels, where a table named them.
        n_channels_: Number of channels, F.
    """

    feature_names_in_: np.ndarray

    def __init__(
        self,
        *,
        preset: str | RunConfig = "dsvae-series",
        steps: int | None = 1000,
        length: int | None = None,
        overrides: Mapping[str, Any] | None = None,
        features: FeatureChoice = "both",
        pooling: Pooling = "segments",
        n_segments: int = 8,
        layout: Layout = "NTF",
        id_column: str | None = None,
        time_column: str | None = None,
        columns: Sequence[str] | None = None,
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
        device: str | None = None,
        verbose: bool = False,
    ) -> None:
        self.preset = preset
        self.steps = steps
        self.length = length
        self.overrides = overrides
        self.features = features
        self.pooling = pooling
        self.n_segments = n_segments
        self.layout = layout
        self.id_column = id_column
        self.time_column = time_column
        self.columns = columns
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a model on the series.

        Args:
            X: Series of any of the kinds above, N of them.
            y: Ignored: factors are learnt without labels.

        Raises:
            InputError: A parameter is unknown or out of range; the series cannot be read, or do not suit the preset.
        """
        config = self._checked_config()
        given = self._read(X, reset=True)
        if given.sequences.steps < 2:
            raise InputError(
                f"X: series of 1 step (of two-dimensional data, 1 feature(s)); the number of series is {len(given.sequences)}; "
                "allowed: 2 steps or more, for one shows no dynamics"
            )
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        early = self.n_iter_no_change is not None or config.train.patience is not None
        if self.pooling == "flatten" and self.features != "static":
            # Before the training rather than after it.
            lengths = given.sequences.lengths
            pool_steps(np.empty((len(lengths), given.sequences.steps, 1)), _mask(given), pooling="flatten")
        with _TRAINING:
            self.model_ = fit(
                given.sequences,
                preset=config,
                steps=self.steps,
                length=self.length,
                val=self.validation_fraction if early else 0.0,
                early_stopping=self.n_iter_no_change,
                seed=seed,
                device=self.device,
                progress=bool(self.verbose),
            )
        example = encode(self.model_, given.sequences[:1])
        self._static_width, self._dynamic_width = example.static[0].numel(), example.dynamic[0, 0].numel()
        self._steps = given.sequences.steps
        return self

    def transform(self, X: Any) -> Any:
        """Factors of each series as a row of features.

        Args:
            X: Series of any of the kinds above, with as many channels as those of :meth:`fit`; unless they are
                two-dimensional or flattened, of any lengths.

        Returns:
            Features ``(N, P)``, float32, or what ``set_output`` asks for.

        Raises:
            NotFittedError: There was no :meth:`fit`.
            InputError: The series cannot be read, or have other channels or, where it matters, another length.
        """
        check_is_fitted(self, "model_")
        self._check_choices()
        given = self._read(X, reset=False)
        factors = encode(self.model_, given.sequences).numpy()
        parts = []
        if self.features != "dynamic":
            parts.append(factors.static.reshape(len(factors.static), -1))
        if self.features != "static":
            steps = factors.dynamic.reshape(*factors.dynamic.shape[:2], -1)
            pooled = pool_steps(steps, _mask(given), pooling=self.pooling, segments=self.n_segments)
            parts.append(pooled.reshape(len(pooled), -1))
        rows = np.concatenate(parts, axis=1)
        expected = len(self.get_feature_names_out())
        if rows.shape[1] != expected:
            raise InputError(
                f"X: {given.sequences.steps} steps make {rows.shape[1]} features; the {self._steps} of fit made {expected}; "
                "allowed: series of that length, or pooling='segments', 'mean_std' or 'last'"
            )
        return index_by_identifier(self, rows, X, given.ids)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features: ``static_0``, …, ``dynamic_0_segment_0``, ….

        Args:
            input_features: Names of the columns that went in, which are checked and have no further use.

        Raises:
            NotFittedError: There was no :meth:`fit`.
            InputError: These names are not those of :meth:`fit`.
        """
        check_is_fitted(self, "model_")
        if input_features is not None:
            known = getattr(self, "feature_names_in_", None)
            if known is not None and list(known) != list(input_features):
                raise InputError("input_features is not equal to feature_names_in_")
            if len(input_features) != self.n_features_in_:
                raise InputError(
                    f"input_features should have length equal to number of features ({self.n_features_in_}), "
                    f"got {len(input_features)}"
                )
        names = [f"static_{i}" for i in range(self._static_width)] if self.features != "dynamic" else []
        if self.features != "static":
            parts = pooled_parts(self.pooling, steps=self._steps, segments=self.n_segments)
            names += [f"dynamic_{i}_{part}" for part in parts for i in range(self._dynamic_width)]
        return np.array(names, dtype=object)

    def _check_choices(self) -> None:
        for name, allowed in (
            ("features", get_args(FeatureChoice)),
            ("pooling", POOLINGS),
            ("layout", LAYOUTS),
        ):
            if getattr(self, name) not in allowed:
                raise unknown_name(name, str(getattr(self, name)), allowed)
        if not isinstance(self.n_segments, (int, np.integer)) or self.n_segments < 1:
            raise InputError(f"n_segments {self.n_segments!r}; allowed: a whole number from 1")

    def _checked_config(self) -> RunConfig:
        self._check_choices()
        config = get_preset(self.preset) if isinstance(self.preset, str) else self.preset
        if not isinstance(config, RunConfig):
            raise InputError(f"preset: {type(config).__name__}; allowed: the name of a preset, a RunConfig")
        left_open = config.modality == "timeseries" and not config.data.frame_shape
        if len(config.data.frame_shape) != 1 and not left_open:
            raise InputError(
                f"preset {config.preset!r}: frames of shape {config.data.frame_shape}; allowed: presets of vectors, (F,)"
            )
        return change_config(config, dict(self.overrides or {}))

    def _read(self, X: Any, *, reset: bool) -> EstimatorInput:
        """The series, their channels checked against those of fit, or remembered."""
        if holds_rows(X, self.id_column):
            given = read_rows(self._checked_rows(X, reset=reset))
        else:
            given = read_series_input(
                X,
                layout=self.layout,
                id_column=self.id_column,
                time_column=self.time_column,
                columns=self.columns,
                known_columns=None if reset else self._columns,
            )
            if reset:
                self._remember(given)
        channels = given.sequences.x.shape[2]
        if reset:
            self.n_channels_ = channels
        elif channels != self.n_channels_:
            raise InputError(
                f"X: {channels} channels; {type(self).__name__} was fitted to {self.n_channels_} (layout={self.layout!r})"
            )
        return given

    def _remember(self, given: EstimatorInput) -> None:
        self._by_rows, self._columns = False, given.columns or None
        self.n_features_in_ = given.sequences.x.shape[2]
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_  # an earlier fit's
        if given.columns and all(isinstance(name, str) for name in given.columns):
            self.feature_names_in_ = np.array(given.columns, dtype=object)

    def _checked_rows(self, X: Any, *, reset: bool) -> np.ndarray:
        for option, given in (("time_column", self.time_column), ("columns", self.columns)):
            if given is not None:
                raise InputError(f"X: {option} is for long tables; name their id_column as well")
        rules: dict[str, Any] = {"dtype": np.float32, "ensure_all_finite": "allow-nan"}
        try:
            if reset or self._by_rows:
                rows = validate_data(self, X, reset=reset, **rules)
            else:
                rows = check_array(X, input_name="X", **rules)
        except ValueError as error:
            hint = "; a long table, a row a step, needs id_column" if hasattr(X, "columns") else ""
            raise InputError(" ".join(str(error).split()) + hint) from error
        if reset:
            self._by_rows, self._columns = True, None
        return np.asarray(rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        model: Disentangler | None = state.pop("model_", None)
        if model is not None:
            # Arrays and the configuration, so that a copy needs neither this one's device nor torch's own format.
            weights = {name: value.detach().cpu().numpy() for name, value in state_to_save(model).items()}
            state["_saved"] = (config_of(model), weights)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.get("_saved")
        super().__setstate__({name: value for name, value in state.items() if name != "_saved"})
        if saved is not None:
            self.model_ = _restored(*saved)


def _restored(config: RunConfig, weights: Mapping[str, np.ndarray]) -> Disentangler:
    import torch

    model = build_model(config)
    load_state(model, {name: torch.from_numpy(np.array(v)) for name, v in weights.items()}, where="the copy")
    return model.eval()


def _mask(given: EstimatorInput) -> np.ndarray | None:
    mask = given.sequences.mask
    return None if mask is None else mask.numpy()
