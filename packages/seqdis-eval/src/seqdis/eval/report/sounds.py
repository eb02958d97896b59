"""Cards of utterances to listen to: what was recorded, what the vocoder makes of it, what the model makes."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Sequence

import torch

from seqdis.core.data.sound import Sound
from seqdis.core.modality import Panel
from seqdis.eval.report.blocks import Card, Cards
from seqdis.eval.report.media import Media, Showroom
from seqdis.eval.speech.resynthesis import Resynthesis

__all__ = ["resynthesis_cards", "sound_media"]


def sound_media(sound: Sound, alt: str, *, seconds: float | None = None) -> Media:
    """A sound as 16-bit PCM inside the page; what exceeds full scale is scaled down.

    Args:
        sound: Sound of any sampling rate.
        alt: Description in words.
        seconds: Only so much from its beginning.
    """
    samples = sound.samples if seconds is None else sound.samples[: round(seconds * sound.rate)]
    samples = samples.float().cpu() / samples.abs().max().clamp(min=1)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes((samples * 32767).round().to(torch.int16).numpy().astype("<i2").tobytes())
    content = base64.b64encode(written.getvalue()).decode("ascii")
    return Media("audio", f"data:audio/wav;base64,{content}", alt)


def resynthesis_cards(
    show: Showroom, made: Sequence[Resynthesis], *, steps: int = 400, seconds: float = 4.0
) -> Cards:
    """A card an utterance: pictures one above the other, and players below.

    Args:
        show: Showroom of the run's modality.
        made: Utterances that the model makes.
        steps: Drawn from the beginning of each.
        seconds: Seconds of each sound, from its beginning: pages hold everything in them.
    """
    cards = []
    for one in made:
        panels = [
            Panel("voice of", one.voice_vocoded.frames[:steps]),
            Panel("words of", one.vocoded.frames[:steps]),
            Panel("reconstruction of the words", one.reconstruction.frames[:steps]),
            Panel("swap: these words in that voice", one.swap.frames[:steps]),
        ]
        title = f"{one.words[1]} in the voice of {one.voice[1]}"
        picture = show.picture(panels, title)
        items = [("", picture)] if picture else []
        sounds = {
            "voice of: recorded": one.voice_recorded,
            "words of: recorded": one.recorded,
            "words of: vocoded frames": one.vocoded.sound,
            "reconstruction of the words": one.reconstruction.sound,
            "swap: these words in that voice": one.swap.sound,
        }
        items += [
            (name, sound_media(sound, f"{title}: {name}", seconds=seconds))
            for name, sound in sounds.items()
            if sound is not None
        ]
        cards.append(Card(title, items))
    return Cards(cards, "large")
