"""Sequential disentanglement: factors, diffusion, training and the seqdis command.

The public names are imported when first used: ``seqdis --help`` must not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.analysis.encode import encode
    from seqdis.core.analysis.probe import probe
    from seqdis.core.analysis.swap import swap
    from seqdis.core.analysis.traverse import traverse
    from seqdis.core.codec import FrameCodec
    from seqdis.core.coercion import as_sequences
    from seqdis.core.config import Config, DataConfig, RunConfig, TrainConfig, apply_overrides
    from seqdis.core.data.array_sequences import ArraySequences
    from seqdis.core.data.clip import Clip
    from seqdis.core.data.labels import Label
    from seqdis.core.data.normalize import Normalizer
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.diffusion import samplers
    from seqdis.core.disentangler import Disentangler, LossOutput
    from seqdis.core.errors import InputError
    from seqdis.core.factors import Extra, Factors
    from seqdis.core.methods.bcd.method import BCD
    from seqdis.core.methods.diffsda.method import DiffSDA
    from seqdis.core.methods.divid.method import DiViD
    from seqdis.core.methods.dsvae.method import DSVAE
    from seqdis.core.methods.s3vae.method import S3VAE
    from seqdis.core.methods.vdsm.method import VDSM
    from seqdis.core.metric import Metric
    from seqdis.core.modality import DatasetSpec, Modality, Panel
    from seqdis.core.pretrained import build_model, load
    from seqdis.core.priors.prior import Prior
    from seqdis.core.registry import build_dataset, get_method, get_modality, get_preset, list_presets
    from seqdis.core.results import ResultRecord
    from seqdis.core.sequences import Sequences
    from seqdis.core.training.fit import fit
    from seqdis.core.training.run import train

__all__ = [
    "BCD",
    "DSVAE",
    "S3VAE",
    "VDSM",
    "ArraySequences",
    "Clip",
    "Config",
    "DataConfig",
    "DatasetSpec",
    "DiViD",
    "DiffSDA",
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
    "Prior",
    "ResultRecord",
    "RunConfig",
    "SequenceDataset",
    "Sequences",
    "TrainConfig",
    "apply_overrides",
    "as_sequences",
    "build_dataset",
    "build_model",
    "encode",
    "fit",
    "get_method",
    "get_modality",
    "get_preset",
    "list_presets",
    "load",
    "probe",
    "samplers",
    "swap",
    "train",
    "traverse",
]

_HOMES = {
    "analysis.encode": ["encode"],
    "analysis.probe": ["probe"],
    "analysis.swap": ["swap"],
    "analysis.traverse": ["traverse"],
    "codec": ["FrameCodec"],
    "coercion": ["as_sequences"],
    "config": ["Config", "DataConfig", "RunConfig", "TrainConfig", "apply_overrides"],
    "data.array_sequences": ["ArraySequences"],
    "data.clip": ["Clip"],
    "data.labels": ["Label"],
    "data.normalize": ["Normalizer"],
    "data.sequence_dataset": ["SequenceDataset"],
    "diffusion": ["samplers"],
    "disentangler": ["Disentangler", "LossOutput"],
    "errors": ["InputError"],
    "factors": ["Extra", "Factors"],
    "methods.bcd.method": ["BCD"],
    "methods.diffsda.method": ["DiffSDA"],
    "methods.divid.method": ["DiViD"],
    "methods.dsvae.method": ["DSVAE"],
    "methods.s3vae.method": ["S3VAE"],
    "methods.vdsm.method": ["VDSM"],
    "modality": ["DatasetSpec", "Modality", "Panel"],
    "pretrained": ["build_model", "load"],
    "priors.prior": ["Prior"],
    "registry": ["build_dataset", "get_method", "get_modality", "get_preset", "list_presets"],
    "metric": ["Metric"],
    "results": ["ResultRecord"],
    "sequences": ["Sequences"],
    "training.fit": ["fit"],
    "training.run": ["train"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
