"""The presets for video, a file a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seqdis.core.config import RunConfig
from seqdis.video.presets import bcd, diffsda, divid, dsvae, s3vae, vdsm

__all__ = ["PRESETS"]

PRESETS: Mapping[str, Callable[[], RunConfig]] = MappingProxyType(
    {
        "diffsda-mug": diffsda.diffsda_mug,
        "diffsda-taichi": diffsda.diffsda_taichi,
        "diffsda-voxceleb": diffsda.diffsda_voxceleb,
        "diffsda-celebvhq": diffsda.diffsda_celebvhq,
        "diffsda-sprites": diffsda.diffsda_sprites,
        "diffsda-sprites32": diffsda.diffsda_sprites32,
        "diffsda-sprites32-paper": diffsda.diffsda_sprites32_paper,
        "diffsda-shapes": diffsda.diffsda_shapes,
        "diffsda-video": diffsda.diffsda_video,
        "bcd-lrs3": bcd.bcd_lrs3,
        "bcd-sprites": bcd.bcd_sprites,
        "bcd-sprites32": bcd.bcd_sprites32,
        "bcd-shapes": bcd.bcd_shapes,
        "dsvae-sprites": dsvae.dsvae_sprites,
        "dsvae-sprites32": dsvae.dsvae_sprites32,
        "dsvae-shapes": dsvae.dsvae_shapes,
        "s3vae-smmnist": s3vae.s3vae_smmnist,
        "s3vae-sprites": s3vae.s3vae_sprites,
        "s3vae-mug": s3vae.s3vae_mug,
        "s3vae-sprites32": s3vae.s3vae_sprites32,
        "s3vae-sprites32-paper": s3vae.s3vae_sprites32_paper,
        "s3vae-shapes": s3vae.s3vae_shapes,
        "vdsm-mug": vdsm.vdsm_mug,
        "vdsm-sprites": vdsm.vdsm_sprites,
        "vdsm-moving-mnist": vdsm.vdsm_moving_mnist,
        "vdsm-pendulum": vdsm.vdsm_pendulum,
        "vdsm-sprites32": vdsm.vdsm_sprites32,
        "vdsm-sprites32-paper": vdsm.vdsm_sprites32_paper,
        "vdsm-pendulum16": vdsm.vdsm_pendulum16,
        "divid-mhad": divid.divid_mhad,
        "divid-mead": divid.divid_mead,
        "divid-sprites": divid.divid_sprites,
        "divid-sprites32": divid.divid_sprites32,
        "divid-shapes": divid.divid_shapes,
    }
)
"""What builds each preset, by the preset's name."""
