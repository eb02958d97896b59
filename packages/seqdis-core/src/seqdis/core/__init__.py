"""Sequential disentanglement: factors, diffusion, training and the seqdis command.

The public names are imported when first used: ``seqdis --help`` must not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.codec import FrameCodec
    from seqdis.core.config import Config, DataConfig, RunConfig, TrainConfig, apply_overrides
    from seqdis.core.data.array_sequences import ArraySequences
    from seqdis.core.data.clip import Clip
    from seqdis.core.data.labels import Label
    from seqdis.core.data.normalize import Normalizer
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.disentangler import Disentangler, LossOutput
    from seqdis.core.errors import InputError
    from seqdis.core.factors import Extra, Factors
    from seqdis.core.modality import DatasetSpec, Modality, Panel
    from seqdis.core.pretrained import build_model
    from seqdis.core.registry import build_dataset, get_method, get_modality, get_preset, list_presets
    from seqdis.core.results import Metric, ResultRecord
    from seqdis.core.sequences import Sequences

__all__ = [
    "ArraySequences",
    "Clip",
    "Config",
    "DataConfig",
    "DatasetSpec",
    "Disentangler",
    "Extra",
    "Factors",
    "FrameCodec",
    "InputError",
    "Label",
    "LossOutput",
    "Metric",
    "Modality",
    "Normalizer",
    "Panel",
    "ResultRecord",
    "RunConfig",
    "SequenceDataset",
    "Sequences",
    "TrainConfig",
    "apply_overrides",
    "build_dataset",
    "build_model",
    "get_method",
    "get_modality",
    "get_preset",
    "list_presets",
]

_HOMES = {
    "codec": ["FrameCodec"],
    "config": ["Config", "DataConfig", "RunConfig", "TrainConfig", "apply_overrides"],
    "data.normalize": ["Normalizer"],
    "data.array_sequences": ["ArraySequences"],
    "data.clip": ["Clip"],
    "data.labels": ["Label"],
    "data.sequence_dataset": ["SequenceDataset"],
    "disentangler": ["Disentangler", "LossOutput"],
    "errors": ["InputError"],
    "factors": ["Extra", "Factors"],
    "modality": ["DatasetSpec", "Modality", "Panel"],
    "pretrained": ["build_model"],
    "registry": ["build_dataset", "get_method", "get_modality", "get_preset", "list_presets"],
    "results": ["Metric", "ResultRecord"],
    "sequences": ["Sequences"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
