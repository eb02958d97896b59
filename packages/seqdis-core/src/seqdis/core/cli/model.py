"""A trained model on a device, as the options of a command ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqdis.core.capabilities import adjust, sampling_of
from seqdis.core.config import read_overrides
from seqdis.core.device_choice import pick_device
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.kind_config import switch_kind
from seqdis.core.pretrained import config_of

__all__ = ["load_model"]


def load_model(
    run: Path,
    *,
    device: str | None = None,
    steps: int | None = None,
    sampler: str | None = None,
    settings: Sequence[str] | None = None,
) -> Disentangler:
    """Load a run's model for inference.

    Args:
        run: Folder of a run or of a checkpoint.
        device: Name of the device, as :func:`pick_device` takes it; the fastest one when omitted.
        steps: Number of noise levels of the sampler; the model's own when omitted.
        sampler: Name of a sampler to use instead of the model's own; settings that both have are kept.
        settings: Settings of the model that may change after training, each ``key=value``; see
            :func:`seqdis.core.capabilities.adjust`.

    Raises:
        InputError: The folder holds no usable model (see :meth:`Disentangler.from_pretrained`), the method has no
            sampler, or there is no such sampler or setting.
    """
    chosen = pick_device(device)
    model = Disentangler.from_pretrained(run, device=chosen)
    adjust(model, read_overrides(settings or []))
    if sampler is None and steps is None:
        return model
    sampling = sampling_of(model)
    if sampling is None:
        option = "--steps" if steps is not None else "--sampler"
        raise InputError(f"{option}: method {config_of(model).method!r} decodes without a sampler")
    settings_now = sampling.config if sampler is None else switch_kind(sampling.config, sampler)
    sampling.use(settings_now if steps is None else settings_now.model_copy(update={"steps": steps}))
    return model
