"""Log-mel frames, the natural unit of audio here, and the way back to sound."""

from __future__ import annotations

import functools
import warnings

import torch
import torchaudio.functional as audio
from torch import Tensor

from seqdis.audio.options import AudioOptions
from seqdis.core.errors import InputError

__all__ = ["LogMel", "log_mel"]

_NNLS_STEPS = 50
# A full-scale sine reaches ln(window / 6), about 4; beyond this a model went astray, and exp stays finite.
_LOUDEST = 12.0


class LogMel:
    """``y_m = ln(max(Σ_f W_mf · |X_f|² / Σ_n w_n², floor))``: natural logarithm of mel power.

    ``X`` is the short-time Fourier transform with the Hann window ``w``, ``W`` torchaudio's filter
    bank on Slaney's mel scale (linear below 1 kHz, where speech needs resolution; peaks of 1). The
    division makes the unit independent of the window: white noise of variance v has ``|X_f|² = v``.
    Frame t is centred on sample ``t · hop``, so N samples give ``1 + N // hop`` frames.

    Args:
        bins: Number of mel bands, which is the size of a frame.
        options: The settings of the analysis.

    Raises:
        InputError: A mel band is narrower than the Fourier transform resolves.
    """

    def __init__(self, bins: int, options: AudioOptions) -> None:
        self.bins, self.options = bins, options
        self._window = torch.hann_window(options.window)
        self._power = float(self._window.square().sum())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty band is an error below, not a warning
            bank = audio.melscale_fbanks(
                options.n_fft // 2 + 1,
                options.f_min,
                options.f_max,
                bins,
                options.sample_rate,
                None,
                "slaney",
            )
        if (empty := int((bank.amax(0) == 0).sum())) > 0:
            raise InputError(
                f"audio options: {empty} of {bins} mel bins hold no frequency of an n_fft of {options.n_fft}; "
                "allowed: a larger n_fft, a wider band, or fewer bins"
            )
        self._bank = bank.T.contiguous()

    @property
    def context(self) -> int:
        """The number of samples on each side of a frame's centre that the frame depends on."""
        return self.options.n_fft // 2

    def __call__(self, wave: Tensor, *, name: str = "sound") -> Tensor:
        """Analyse sound ``(…, N)`` in [-1, 1] as frames ``(…, 1 + N // hop, bins)``; edges are mirrored.

        Raises:
            InputError: N is not above :attr:`context`; ``name`` is what the message calls the sound.
        """
        if wave.shape[-1] <= self.context:
            raise InputError(f"{name}: has {wave.shape[-1]} samples; at least {self.context + 1} are needed")
        flat = wave.reshape(1, -1, wave.shape[-1])
        padded = torch.nn.functional.pad(flat, (self.context, self.context), mode="reflect")
        return self.padded(padded.reshape(*wave.shape[:-1], -1))

    def padded(self, wave: Tensor) -> Tensor:
        """Analyse sound that already has its :attr:`context` on both sides; the first centre is there."""
        o = self.options
        spectrum = audio.spectrogram(
            wave, 0, self._window, o.n_fft, o.hop, o.window, power=2.0, normalized=False, center=False
        )
        mel = self._bank @ spectrum.div_(self._power)
        return mel.clamp_(min=o.floor).log_().transpose(-1, -2).contiguous()

    def to_wave(self, frames: Tensor, *, seed: int = 0) -> Tensor:
        """Sound ``(T - 1) · hop`` samples long whose analysis is close to ``frames (T, bins)``.

        The power spectrum is the non-negative least-squares solution of ``W·P = e^y`` (pseudo-inverse,
        then Lee & Seung's 2001 multiplicative updates); the phase is Griffin & Lim's (1984), as in
        torchaudio, from a start that ``seed`` fixes.

        Raises:
            InputError: The frames are of another shape, not finite, or too few to overlap.
        """
        o = self.options
        fewest = self.context // o.hop + 2
        if frames.ndim != 2 or frames.shape[1] != self.bins or len(frames) < fewest:
            raise InputError(
                f"frames of shape {tuple(frames.shape)}; sound needs (T, {self.bins}) with T ≥ {fewest}"
            )
        if not bool(torch.isfinite(frames).all()):
            raise InputError("frames hold NaN or Inf, which have no sound; only finite values are allowed")
        mel = frames.T.float().cpu().clamp(max=_LOUDEST).exp()
        # torchaudio draws the first phase from the global generator, which others must find unchanged.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return audio.griffinlim(
                self._power * self._spectrum(mel), self._window, o.n_fft, o.hop, o.window, power=2.0,
                n_iter=o.griffin_lim_steps, momentum=0.99, length=None, rand_init=True,
            )  # fmt: skip

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
