from __future__ import annotations

import pytest
from pydantic import ValidationError

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig, apply_overrides, parse_config
from seqdis.core.errors import InputError
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.registry import get_preset


@pytest.fixture
def preset() -> RunConfig:
    return get_preset("toy")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.steps=7", "train.steps", 7),
        ("lr=3e-4", "train.lr", 3e-4),
        ("lr=.5", "train.lr", 0.5),
        ("train.epochs=none", "train.epochs", None),
        ("compile=True", "train.compile", True),
        ("precision=bf16", "train.precision", "bf16"),
        ("betas=0.8,0.9", "train.betas", (0.8, 0.9)),
        ("encoder.multipliers=[1,2,4]", "model.encoder.multipliers", (1, 2, 4)),
        ("encoder.multipliers=3,", "model.encoder.multipliers", (3,)),
        ("sampler.steps=5", "model.sampler.steps", 5),
        ('data.options={"rate": 8}', "data.options", {"rate": 8}),
        ("codec.path=a=b", "codec.path", "a=b"),
    ],
)
def test_an_override_changes_the_key_that_it_names(
    preset: RunConfig, override: str, path: str, value: object
) -> None:
    changed = apply_overrides(preset, [override])
    place: object = changed
    for part in path.split("."):
        place = getattr(place, part)
    assert place == value
    assert apply_overrides(preset, []) == preset


def test_only_the_named_key_changes_and_the_last_word_counts(preset: RunConfig) -> None:
    changed = apply_overrides(preset, ["train.seed=3", "train.seed=4"])
    assert changed == preset.model_copy(update={"train": preset.train.model_copy(update={"seed": 4})})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps", "override 'steps' is not of the form key=value"),
        ("stepz=1", r"unknown key 'stepz' \(did you mean 'steps'\?\); allowed: .*train\.lr"),
        ("steps=3", r"key 'steps' is ambiguous; allowed: model\.sampler\.steps, train\.steps"),
        ("channels=3", r"ambiguous; allowed: model\.encoder\.channels, model\.denoiser\.channels"),
        ("lr=-1", r"key 'train\.lr' is -1, but: Input should be greater than 0"),
        ("lr=NaN", r"key 'train\.lr' is nan, but: Input should be a finite number"),
        ("lr=fast", r"key 'train\.lr' is 'fast', but: Input should be a valid number"),
        ("schedule=step", r"key 'train\.schedule' is 'step', but: Input should be 'cosine' or 'constant'"),
        ("static_dim=0", r"model: key 'static_dim' is 0"),
        ("frame_shape=0", r"key 'data\.frame_shape' is 0"),
        ("frame_shape=3,0", "every dimension of a frame must be at least 1"),
        ("method=other", "unknown key 'method'"),
    ],
)
def test_a_wrong_override_is_refused_in_one_line(preset: RunConfig, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        apply_overrides(preset, [override])
    assert "\n" not in str(caught.value)


def test_a_configuration_survives_json(preset: RunConfig) -> None:
    values = preset.model_dump(mode="json")
    model = parse_config(DiffSDAConfig, values["model"], where="here")
    assert parse_config(RunConfig, values | {"model": model}, where="here") == preset
    assert "static_dim" in values["model"]


def test_unknown_and_missing_keys_are_named_with_their_neighbours() -> None:
    with pytest.raises(
        InputError, match=r"a\.json: unknown key 'lengthh' \(did you mean 'length'\?\); allowed: dataset,"
    ):
        parse_config(
            DataConfig, {"dataset": "x", "length": 3, "frame_shape": [1], "lengthh": 2}, where="a.json"
        )
    with pytest.raises(InputError, match=r"a\.json: key 'length' is missing"):
        parse_config(DataConfig, {"dataset": "x", "frame_shape": [1]}, where="a.json")


def test_configurations_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        TrainConfig().lr = 1.0  # type: ignore[misc]


def test_a_priors_settings_are_named_by_their_full_path() -> None:
    preset = get_preset("toy").model_copy(update={"prior": PriorConfig(options={"lr": 1e-3, "epochs": 5})})
    changed = apply_overrides(preset, ["lr=0.5", "prior.options.lr=0.25"])
    assert (changed.train.lr, changed.prior.options["lr"], changed.prior.options["epochs"]) == (0.5, 0.25, 5)


def test_a_preset_is_changed_by_keywords() -> None:
    changed = RunConfig.from_preset("toy", static_dim=5, lr=0.5, **{"train.steps": 7, "sampler.steps": 3})
    words = ["static_dim=5", "lr=0.5", "train.steps=7", "sampler.steps=3"]
    assert changed == apply_overrides(get_preset("toy"), words)
    assert RunConfig.from_preset("toy") == get_preset("toy")


def test_keywords_are_values_and_not_words_to_be_read() -> None:
    assert RunConfig.from_preset("toy", path="none", betas=(0.8, 0.9)).codec.path == "none"
    assert RunConfig.from_preset("toy", name="autoencoder").codec.name == "autoencoder"
    with pytest.raises(InputError, match=r"key 'train\.lr' is None, but: Input should be a valid number"):
        RunConfig.from_preset("toy", lr=None)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("tyo", {}, r"unknown preset 'tyo' \(did you mean 'toy'\?\); allowed: .*toy-folder"),
        (
            "toy",
            {"statik_dim": 3},
            r"unknown key 'statik_dim' \(did you mean 'static_dim'\?\); allowed: .*train",
        ),
        ("toy", {"steps": 3}, r"key 'steps' is ambiguous; allowed: model\.sampler\.steps, train\.steps"),
        (
            "toy",
            {"static_dim": 0},
            r"model: key 'static_dim' is 0, but: Input should be greater than or equal to 1",
        ),
        (
            "toy",
            {"train.steps": 0},
            r"key 'train\.steps' is 0, but: Input should be greater than or equal to 1",
        ),
    ],
)
def test_a_wrong_keyword_is_refused_in_one_line(name: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        RunConfig.from_preset(name, **changes)
    assert "\n" not in str(caught.value)
