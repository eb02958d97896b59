"""Utterances made anew, how they are scored, and how they come onto a page."""

from __future__ import annotations

import base64
import io
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.eval.spoken import DATA, SPEAKERS, Spoken, Talk, Voices, as_sound

from seqdis.core.analysis import fixed_pairs
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.eval.metrics.dnsmos import OpinionScore
from seqdis.eval.report.media import Showroom
from seqdis.eval.report.sounds import resynthesis_cards, sound_media
from seqdis.eval.speech.resynthesis import Resynthesis, different_voices, resynthesize
from seqdis.eval.speech.speech_quality import speech_quality, voice_quality
from seqdis.eval.speech.voices import ScriptedVoice, WavLMVoice, judge_of_voices, open_voice


@pytest.fixture
def dataset() -> Spoken:
    return Spoken(24, 0)


@pytest.fixture
def made(dataset: Spoken) -> list[Resynthesis]:
    pairs = different_voices(torch.tensor(dataset.who), fixed_pairs(24), count=10)
    return resynthesize(Voices().eval(), dataset, pairs, modality=Talk(), data=DATA)


def test_a_voice_to_lend_is_another_speakers(dataset: Spoken) -> None:
    who = torch.tensor(dataset.who)
    pairs = different_voices(who, fixed_pairs(24, seed=3), count=10)
    assert len(pairs) == 10
    assert all(who[a] != who[b] for a, b in pairs)
    assert pairs == different_voices(who, fixed_pairs(24, seed=3), count=99)[:10]
    with pytest.raises(InputError, match="5 utterances are of one speaker"):
        different_voices(torch.zeros(5), fixed_pairs(5), count=3)


def test_utterances_are_made_whole(dataset: Spoken, made: list[Resynthesis]) -> None:
    for one in made:
        voice, words = (dataset.frames[number] for number, _ in (one.voice, one.words))
        assert one.words[1] == f"u{one.words[0]}"
        assert one.vocoded.frames is words
        torch.testing.assert_close(one.reconstruction.frames[:, 2:], words[:, 2:])
        torch.testing.assert_close(one.swap.frames[:, 2:], words[:, 2:])
        # Within the noise, the voice of the one that lends it.
        assert (one.swap.frames[:, :2].mean(0) - voice[:, :2].mean(0)).abs().max() < 0.15
        assert one.recorded is not None
        assert torch.equal(one.recorded.samples, as_sound(words).samples)
        assert torch.equal(one.swap.sound.samples, as_sound(one.swap.frames).samples)


def test_what_makes_no_sound_is_refused(dataset: Spoken) -> None:
    class Mute(Talk):
        def to_sound(self, frames: torch.Tensor, data: object) -> None:  # type: ignore[override]
            return None

    with pytest.raises(InputError, match="talk: makes no sound"):
        resynthesize(Voices().eval(), dataset, [(0, 1)], modality=Mute(), data=DATA)


def test_scores_stand_beside_those_of_recordings_vocoder_and_noise(made: list[Resynthesis]) -> None:
    heard: list[Sound] = []

    def score(sound: Sound) -> OpinionScore:
        heard.append(sound)
        level = float(sound.samples.std())
        return OpinionScore(p808=level, signal=1.0, background=2.0, overall=3.0)

    metrics = speech_quality(made, score)
    assert len(heard) == 4 * len(made) + 4
    plain = [name for name in metrics if "@" not in name]
    assert plain == ["dnsmos", "dnsmos_swap", "dnsmos_vocoded", "dnsmos_recorded"]
    assert metrics["dnsmos_recorded"].value == pytest.approx(metrics["dnsmos_vocoded"].value)
    wanted = sum(float(one.reconstruction.sound.samples.std()) for one in made) / len(made)
    assert metrics["dnsmos"].value == pytest.approx(wanted)
    assert metrics["dnsmos"].chance is not None
    assert metrics["p835_overall@noise"].value == metrics["p835_overall@swap"].value == 3


def test_a_swap_has_the_voice_that_was_lent(dataset: Spoken, made: list[Resynthesis]) -> None:
    class Reader:
        name = "channels"

        def __call__(self, frames: torch.Tensor, sound: Sound) -> torch.Tensor:
            return frames[:, :2].mean(0)

    metrics = voice_quality(made, torch.tensor(dataset.who), Reader())
    assert metrics["csim"].value > 0.98
    assert metrics["csim"].chance is not None
    assert metrics["csim"].chance < 0.3
    assert metrics["csim_reconstruction"].value > 0.98
    assert metrics["eer_embedding"].value == 0


def test_a_trained_judges_voice_tells_speakers_apart(tmp_path: Path) -> None:
    train, test = Spoken(120, 0), Spoken(24, 1)
    embed = judge_of_voices(train, test, identity="speaker", path=tmp_path / "voice.safetensors")
    found = torch.stack([embed(frames, as_sound(frames)) for frames in test.frames])
    unit = torch.nn.functional.normalize(found, dim=1)
    same = torch.tensor(test.who)[:, None] == torch.tensor(test.who)
    similarity = unit @ unit.T
    assert float(similarity[same].mean()) > float(similarity[~same].mean()) + 0.5
    again = judge_of_voices(train, test, identity="speaker", path=tmp_path / "voice.safetensors")
    assert torch.equal(again(test.frames[0], as_sound(test.frames[0])), found[0])
    assert len(set(test.who)) == SPEAKERS


class _Level(torch.nn.Module):
    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return torch.stack([samples.mean(1), samples.std(1)], dim=1)


def test_a_script_of_ones_own_embeds_voices(tmp_path: Path) -> None:
    torch.jit.script(_Level()).save(str(tmp_path / "level.pt"))
    sound = Sound(torch.randn(16000), 16000)
    embed = ScriptedVoice(tmp_path / "level.pt")
    wanted = torch.stack([sound.samples.mean(), sound.samples.std()])
    torch.testing.assert_close(embed(torch.zeros(1, 4), sound), wanted)
    with pytest.raises(InputError, match=r"level\.pt: hears 16000 Hz; got 8000 Hz"):
        embed(torch.zeros(1, 4), Sound(sound.samples, 8000))
    with pytest.raises(InputError, match=r"absent\.pt: no such file; needed is a TorchScript module"):
        ScriptedVoice(tmp_path / "absent.pt")
    (tmp_path / "text.pt").write_text("no network")
    with pytest.raises(InputError, match=r"text\.pt: cannot be read as TorchScript"):
        ScriptedVoice(tmp_path / "text.pt")


class _Silent(torch.nn.Module):
    """Hears nothing, or fails."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.abs().sum() == 0):
            raise ValueError("of its own")
        return torch.full([1, 2], float("nan"))


def test_a_script_that_embeds_nothing_is_told_by_its_file(tmp_path: Path) -> None:
    torch.jit.script(_Silent()).save(str(tmp_path / "silent.pt"))
    embed = ScriptedVoice(tmp_path / "silent.pt")
    with pytest.raises(InputError, match=r"silent\.pt: embedding: 2 of 2 values are NaN or Inf"):
        embed(torch.zeros(1, 4), Sound(torch.randn(16000), 16000))
    with pytest.raises(InputError, match=r"silent\.pt: cannot hear 1 s: .*of its own$"):
        embed(torch.zeros(1, 4), Sound(torch.zeros(16000), 16000))


def test_a_sound_on_a_page_is_the_sound() -> None:
    samples = 0.5 * torch.sin(torch.arange(16000) * 0.05)
    media = sound_media(Sound(samples, 8000), "a hum", seconds=1.5)
    assert (media.kind, media.alt) == ("audio", "a hum")
    head, _, content = media.uri.partition(",")
    assert head == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(content))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (8000, 1, 12000)
        read = np.frombuffer(file.readframes(12000), "<i2") / 32767
    np.testing.assert_allclose(read, samples[:12000], atol=2e-5)
    loud = sound_media(Sound(4 * samples, 8000), "a loud hum", seconds=1.5)
    assert len(loud.uri) == len(media.uri)


def test_a_card_has_a_picture_and_five_players(made: list[Resynthesis]) -> None:
    cards = resynthesis_cards(Showroom(Talk(), DATA), made[:2]).cards
    assert [media.kind for _, media in cards[0].items] == ["image"] + 5 * ["audio"]
    assert cards[0].title == f"{made[0].words[1]} in the voice of {made[0].voice[1]}"


def wavlm(folder: Path, *, normalized: bool) -> torch.nn.Module:
    """A tiny network of that kind, in the files that are published."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.WavLMConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=[8, 8],
        conv_stride=[5, 2], conv_kernel=[10, 3], num_feat_extract_layers=2, num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2, tdnn_dim=[8, 8, 8, 8, 12], xvector_output_dim=6, num_buckets=8,
    )  # fmt: skip
    network: torch.nn.Module = transformers.WavLMForXVector(config).eval()
    network.save_pretrained(folder)  # type: ignore[operator]
    transformers.Wav2Vec2FeatureExtractor(do_normalize=normalized).save_pretrained(folder)
    return network


@pytest.mark.parametrize("normalized", [False, True])
def test_wavlm_embeds_voices_as_its_library_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, normalized: bool
) -> None:
    import transformers

    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    network = wavlm(tmp_path / "hub" / "wavlm-base-plus-sv", normalized=normalized)
    sound = Sound(0.3 * torch.randn(4000) + 0.1, 16000)
    extract = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalized)
    given = extract(sound.samples.numpy(), sampling_rate=16000, return_tensors="pt").input_values
    with torch.no_grad():
        expected = network(given).embeddings[0]
    for embed in (open_voice(Path("wavlm")), open_voice(tmp_path / "hub" / "wavlm-base-plus-sv")):
        torch.testing.assert_close(embed(torch.zeros(1), sound), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="hears 16000 Hz; got 8000 Hz"):
        embed(torch.zeros(1), Sound(torch.zeros(4000), 8000))


def test_wavlm_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"no config\.json, .* in .*wavlm-base-plus-sv; get them from https"):
        open_voice(Path("wavlm"))
    folder = tmp_path / "own"
    wavlm(folder, normalized=True)
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot be read as WavLM with x-vectors"):
        WavLMVoice.open(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no model\.safetensors or pytorch_model\.bin in"):
        WavLMVoice.open(folder)
