"""Log-mel frames, the natural unit of audio here, and the way back to sound."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import torch
import torchaudio.functional as audio
from torch import Tensor

from seqdis.audio.options import AudioOptions
from seqdis.core.errors import InputError

__all__ = ["LogMel", "empty_bins", "log_mel"]

_NNLS_STEPS = 50
_BLOCK = 1024
"""Frames that are analysed at a time."""
# A full-scale sine reaches ln(window / 6), about 4; beyond this a model went astray, and exp stays finite.
_LOUDEST = 12.0


def _bank(bins: int, options: AudioOptions) -> Tensor:
    """The weights of the mel bands, ``(n_fft / 2 + 1, bins)``."""
    # On the CPU whatever the default is: options are also checked where a model is built on no device at all.
    with warnings.catch_warnings(), torch.device("cpu"):
        warnings.simplefilter("ignore")  # whoever asks for an empty band decides what it means
        return audio.melscale_fbanks(
            options.n_fft // 2 + 1, options.f_min, options.f_max, bins, options.sample_rate, None, "slaney"
        )


def empty_bins(bins: int, options: AudioOptions) -> int:
    """The number of mel bands that are narrower than the Fourier transform resolves."""
    return int((_bank(bins, options).amax(0) == 0).sum())


class LogMel:
    """``y_m = ln(max(Σ_f W_mf · |X_f|² / Σ_n w_n², floor))``: natural logarithm of mel power.

    ``X`` is the short-time Fourier transform with the Hann window ``w``, ``W`` torchaudio's filter
    bank on Slaney's mel scale (linear below 1 kHz, where speech needs resolution; peaks of 1). The
    division makes the unit independent of the window: white noise of variance v has ``|X_f|² = v``.
    Frame t is centred on sample ``t · hop``, so N samples give ``1 + N // hop`` frames, at least one. A frame has
    the same value, bit for bit, whatever stretch of the sound is analysed with it.

    Args:
        bins: Number of mel bands, which is the size of a frame.
        options: The settings of the analysis.

    Raises:
        InputError: A mel band is narrower than the Fourier transform resolves.
    """

    def __init__(self, bins: int, options: AudioOptions) -> None:
        self.bins, self.options = bins, options
        self._window = torch.hann_window(options.window, device="cpu")
        self._power = float(self._window.square().sum())
        if empty := empty_bins(bins, options):
            raise InputError(
                f"audio options: {empty} of {bins} mel bins hold no frequency of an n_fft of {options.n_fft}; "
                "allowed: a larger n_fft, a wider band, or fewer bins"
            )
        self._bank = _bank(bins, options).T.contiguous()
        widest = int((self._bank > 0).sum(1).max())
        first = (self._bank > 0).long().argmax(1, keepdim=True).clamp(max=self._bank.shape[1] - widest)
        self._band_frequencies = first + torch.arange(widest, device="cpu")
        self._band_weights = self._bank.gather(1, self._band_frequencies)

    @property
    def context(self) -> int:
        """The number of samples on each side of a frame's centre that the frame depends on."""
        return self.options.n_fft // 2

    def steps(self, samples: int) -> int:
        """The number of frames of a sound of so many samples."""
        return 1 + samples // self.options.hop

    def seconds(self, steps: Tensor) -> np.ndarray:
        """The time of the centre of each of some frames in seconds, ``(K,)`` float64."""
        seconds: np.ndarray = steps.double().numpy() * self.options.hop / self.options.sample_rate
        return seconds

    def __call__(self, wave: Tensor) -> Tensor:
        """Analyse sound ``(…, N)`` in [-1, 1] as frames ``(…, 1 + N // hop, bins)``; edges are mirrored.

        Sound too short to be mirrored, N ≤ :attr:`context`, goes on in silence as far as that needs.
        """
        flat = wave.reshape(1, -1, wave.shape[-1])
        flat = torch.nn.functional.pad(flat, (0, max(0, self.context + 1 - wave.shape[-1])))
        padded = torch.nn.functional.pad(flat, (self.context, self.context), mode="reflect")
        frames = self.padded(padded.reshape(*wave.shape[:-1], -1))
        return frames[..., : self.steps(wave.shape[-1]), :]

    def padded(self, wave: Tensor) -> Tensor:
        """Analyse sound that already has its :attr:`context` on both sides; the first centre is there."""
        o = self.options
        total = 1 + (wave.shape[-1] - 2 * self.context) // o.hop
        if total > _BLOCK:
            # In parts: the spectrum of an hour would take gigabytes.
            parts = []
            for first in range(0, total, _BLOCK):
                last = min(first + _BLOCK, total)
                parts.append(self.padded(wave[..., first * o.hop : (last - 1) * o.hop + 2 * self.context]))
            return torch.cat(parts, dim=-2)
        spectrum = audio.spectrogram(
            wave, 0, self._window, o.n_fft, o.hop, o.window, power=2.0, normalized=False, center=False
        )
        mel = self._bands(spectrum.div_(self._power).transpose(-1, -2))
        return mel.clamp_(min=o.floor).log_()

    def _bands(self, power: Tensor) -> Tensor:
        """The power in each mel band, ``(…, bins)``, of spectra ``(…, n_fft / 2 + 1)``."""
        # Not a matrix product: its rounding depends on how many frames there are.
        return (power[..., self._band_frequencies] * self._band_weights).sum(-1)

    def to_wave(self, frames: Tensor, *, seed: int = 0) -> Tensor:
        """Sound ``(T - 1) · hop`` samples long, at least one hop, whose analysis is close to ``frames (T, bins)``.

        The power spectrum is the non-negative least-squares solution of ``W·P = e^y`` (pseudo-inverse,
        then Lee & Seung's 2001 multiplicative updates); the phase is Griffin & Lim's (1984), as in
        torchaudio, from a start that ``seed`` fixes.

        Raises:
            InputError: The frames are of another shape, or not finite.
        """
        o = self.options
        fewest = self.context // o.hop + 2
        if frames.ndim != 2 or frames.shape[1] != self.bins or not len(frames):
            raise InputError(
                f"frames of shape {tuple(frames.shape)}; sound needs (T, {self.bins}) with T ≥ 1"
            )
        if not bool(torch.isfinite(frames).all()):
            raise InputError("frames hold NaN or Inf, which have no sound; only finite values are allowed")
        samples = max(1, len(frames) - 1) * o.hop
        # Too few to overlap: the last one goes on.
        frames = torch.cat([frames, frames[-1:].expand(max(0, fewest - len(frames)), -1)])
        mel = frames.T.float().cpu().clamp(max=_LOUDEST).exp()
        # torchaudio draws the first phase from the global generator, which others must find unchanged.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            wave: Tensor = audio.griffinlim(
                self._power * self._spectrum(mel), self._window, o.n_fft, o.hop, o.window, power=2.0,
                n_iter=o.griffin_lim_steps, momentum=0.99, length=None, rand_init=True,
            )  # fmt: skip
        return wave[:samples]

    def _spectrum(self, mel: Tensor) -> Tensor:
        bank = self._bank
        power = (torch.linalg.pinv(bank) @ mel).clamp(min=self.options.floor)
        target = bank.T @ mel
        for _ in range(_NNLS_STEPS):
            power = power * target / (bank.T @ (bank @ power)).clamp(min=1e-30)
        return power


@functools.lru_cache(maxsize=16)
def log_mel(bins: int, options: AudioOptions) -> LogMel:
    """The analysis of these options, built once."""
    return LogMel(bins, options)
