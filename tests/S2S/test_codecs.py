"""EnCodec, Mimi and HiFi-GAN with tiny random weights, loaded like the real ones."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install -e '.[codec]'")

from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from S2S.codec.base import Codec, Codes
from S2S.codec.causal_layers import CausalLayers
from S2S.codec.encodec import EncodecCodec
from S2S.codec.hifi_gan import HifiGan
from S2S.codec.mimi import MimiCodec
from testing.tiny_codecs import tiny_encodec, tiny_hifi_gan, tiny_mimi
from testing.tiny_models import tiny_chat_model

ROUNDING = 1e-4
"""Largest difference between a stream and the whole, in parts of the RMS; about 1 without state."""

FRAMES = 25
"""Longer than the tiny Mimi's transformers look back, and than EnCodec mirrors."""

OPEN: dict[str, Callable[[Path], Codec]] = {
    "encodec": lambda folder: EncodecCodec("cpu", str(tiny_encodec(folder)), 3.6),
    "mimi": lambda folder: MimiCodec("cpu", str(tiny_mimi(folder))),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("codecs")


@pytest.fixture(scope="module", params=OPEN)
def codec(request: pytest.FixtureRequest, folder: Path) -> Iterator[Codec]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more threads wait for each other on a busy machine
    yield OPEN[request.param](folder / request.param)
    torch.set_num_threads(threads)


def noise(samples: int) -> Samples:
    return 0.3 * np.random.default_rng(0).normal(size=samples).astype(np.float32)


def random_codes(codec: Codec, frames: int) -> Codes:
    size = (codec.info.codebooks, frames)
    return np.random.default_rng(0).integers(0, codec.info.codebook_size, size)


def pieces(whole: Any, size: int) -> Iterator[Any]:
    """Cut along the last axis."""
    for start in range(0, whole.shape[-1], size):
        yield whole[..., start : start + size]


def uneven(whole: Samples) -> Iterator[Samples]:
    """Cut into pieces of random sizes, of which some are empty and some longer than a frame."""
    random, start = np.random.default_rng(1), 0
    while start < whole.shape[-1]:
        end = start + int(random.choice([0, 1, 37, 320, 1919, 1920, 5000]))
        yield whole[..., start:end]
        start = end


def expect_equal(streamed: list[np.ndarray], whole: np.ndarray) -> None:
    joined = np.concatenate(streamed, axis=-1)
    assert joined.shape == whole.shape
    if whole.size:
        np.testing.assert_allclose(
            joined, whole, rtol=0, atol=ROUNDING * np.sqrt(np.square(whole).mean())
        )


def test_figures(codec: Codec) -> None:
    info = codec.info
    expected = {"encodec": (320, 75.0, 3600.0), "mimi": (1920, 12.5, 600.0)}[info.name]
    assert (info.frame_samples, info.frame_rate_hz, info.bitrate_bps) == expected
    assert (info.sample_rate_hz, info.codebooks, info.codebook_size) == (24000, 8, 64)
    assert [info.frames(samples) for samples in (0, 1, info.frame_samples + 1)] == [0, 1, 2]


def test_the_whole_is_that_of_transformers(codec: Codec, folder: Path) -> None:
    import torch
    from transformers import EncodecModel, MimiModel

    samples, codes = noise(FRAMES * codec.info.frame_samples - 5), random_codes(codec, FRAMES)
    audio, given = torch.from_numpy(samples)[None, None], torch.from_numpy(codes)[None]
    with torch.inference_mode():
        if codec.info.name == "encodec":
            model = EncodecModel.from_pretrained(folder / "encodec").eval()
            theirs = model.encode(audio, bandwidth=3.6).audio_codes[0, 0]
            decoded = model.decode(given[None], [None]).audio_values
        else:
            model = MimiModel.from_pretrained(folder / "mimi").eval()
            theirs = model.encode(audio).audio_codes[0]
            decoded = model.decode(given).audio_values
    np.testing.assert_array_equal(codec.encode(samples), theirs.numpy())
    expect_equal([codec.decode(codes)], decoded.numpy()[0, 0])


@pytest.mark.parametrize("left_over", [0, 1, 77])
@pytest.mark.parametrize("frames", [1, 5, FRAMES])
def test_a_stream_of_frames_has_the_latents_of_the_whole(
    codec: Codec, frames: int, left_over: int
) -> None:
    size = codec.info.frame_samples
    samples = noise(FRAMES * size + left_over)
    whole = codec.latents(samples)
    assert whole.std(axis=1).mean() > 0.5, "so steady that every stream would equal it"
    encoder = codec.open_encoder()
    streamed = [encoder.latents(piece) for piece in pieces(samples, frames * size)]
    expect_equal([*streamed, encoder.latents(samples[:0], last=True)], whole)


def test_a_stream_of_uneven_blocks_has_the_latents_of_the_whole(codec: Codec) -> None:
    samples = noise(FRAMES * codec.info.frame_samples + 123)
    encoder = codec.open_encoder()
    streamed = [encoder.latents(piece) for piece in uneven(samples)]
    expect_equal([*streamed, encoder.latents(samples[:0], last=True)], codec.latents(samples))


def test_a_stream_has_the_codes_of_the_whole_and_they_differ_from_each_other(codec: Codec) -> None:
    samples = noise(FRAMES * codec.info.frame_samples + 123)
    whole = codec.encode(samples)
    assert min(len(set(book)) for book in whole) > 3
    encoder = codec.open_encoder()
    streamed = [encoder.feed(piece) for piece in uneven(samples)]
    np.testing.assert_array_equal(np.concatenate([*streamed, encoder.finish()], axis=1), whole)


@pytest.mark.parametrize("frames", [1, 2, 7, FRAMES])
def test_a_stream_of_codes_has_the_audio_of_the_whole(codec: Codec, frames: int) -> None:
    codes = random_codes(codec, FRAMES)
    whole = codec.decode(codes)
    assert whole.std() > 0.1
    decoder = codec.open_decoder()
    streamed = [decoder.feed(piece) for piece in pieces(codes, frames)]
    expect_equal([*streamed, decoder.finish()], whole)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_in_double_precision_the_layers_are_equal(folder: Path, size: int) -> None:
    """What differs in single precision is rounding: here it is a billion times smaller."""
    import torch
    from transformers import EncodecModel, MimiModel

    models = (
        EncodecModel.from_pretrained(tiny_encodec(folder / "double-e")).double().eval(),
        MimiModel.from_pretrained(tiny_mimi(folder / "double-m")).double().decoder.eval(),
    )
    torch.manual_seed(0)
    for layers, channels in (
        (models[0].encoder, 1),
        (models[0].decoder, 16),
        (models[1].decoder_seanet, 32),
    ):
        given, stream = torch.randn(1, channels, 500).double(), CausalLayers(layers.layers)
        with torch.inference_mode():
            whole = layers(given)
            blocks = [stream.feed(block, False) for block in given.split(size, -1)]
            streamed = torch.cat([*blocks, stream.feed(given[..., :0], True)], -1)
        assert streamed.shape == whole.shape
        assert (streamed - whole).abs().max() < 1e-12 * whole.std()


def test_when_a_frame_is_complete(codec: Codec) -> None:
    """EnCodec mirrors the first 7 frames; after that, every frame comes at once, as with Mimi."""
    waits = 7 if codec.info.name == "encodec" else 1
    encoder, decoder = codec.open_encoder(), codec.open_decoder()
    size = codec.info.frame_samples
    samples, codes = noise(FRAMES * size), random_codes(codec, FRAMES)
    encoded = [encoder.feed(piece).shape[1] for piece in pieces(samples, size)]
    decoded = [len(decoder.feed(piece)) // size for piece in pieces(codes, 1)]
    assert encoded == decoded == [0] * (waits - 1) + [waits] + [1] * (FRAMES - waits)


def test_the_state_of_a_stream_does_not_grow(codec: Codec) -> None:
    encoder, decoder = codec.open_encoder(), codec.open_decoder()
    samples, codes = noise(2000), random_codes(codec, 2)
    sizes = []
    for _ in range(60):
        encoder.feed(samples)
        decoder.feed(codes)
        sizes.append(numbers_in(encoder) + numbers_in(decoder))
    assert 1000 < max(sizes[20:40]) == max(sizes[40:])


def numbers_in(stream: Any) -> int:
    """Size of all tensors that an object holds, but for the weights."""
    import torch

    if isinstance(stream, torch.Tensor):
        return int(stream.numel())
    if isinstance(stream, MethodType):
        return numbers_in(stream.__self__)
    if isinstance(stream, (list, tuple)):
        return sum(map(numbers_in, stream))
    if isinstance(stream, (torch.nn.Module, Codec)) or not hasattr(stream, "__dict__"):
        return 0
    return sum(map(numbers_in, vars(stream).values()))


def test_streams_do_not_disturb_each_other(codec: Codec) -> None:
    size = codec.info.frame_samples
    voices = noise(2 * FRAMES * size).reshape(2, -1)
    encoders = [codec.open_encoder() for _ in voices]
    streamed: list[list[np.ndarray]] = [[], []]
    for start in range(0, FRAMES * size, size):
        for voice, encoder, latents in zip(voices, encoders, streamed, strict=True):
            latents.append(encoder.latents(voice[start : start + size]))
    for voice, encoder, latents in zip(voices, encoders, streamed, strict=True):
        expect_equal([*latents, encoder.latents(voice[:0], last=True)], codec.latents(voice))


@pytest.mark.parametrize("samples", [0, 1, 2, 319, 320, 321, 1919, 2240, 2241])
def test_short_audio(codec: Codec, samples: int) -> None:
    audio, encoder, decoder = noise(samples), codec.open_encoder(), codec.open_decoder()
    expect_equal([encoder.latents(audio, last=True)], codec.latents(audio))
    codes = codec.encode(audio)
    assert codes.shape == (8, codec.info.frames(samples))
    decoded = codec.decode(codes)
    assert len(decoded) == codes.shape[1] * codec.info.frame_samples
    expect_equal([decoder.feed(codes), decoder.finish()], decoded)


def test_what_is_not_a_number_counts_as_silence(codec: Codec) -> None:
    broken = noise(4000)
    broken[100:200], broken[300] = np.nan, np.inf
    repaired = np.where(np.isfinite(broken), broken, 0).astype(np.float32)
    np.testing.assert_array_equal(codec.encode(broken), codec.encode(repaired))
    np.testing.assert_array_equal(codec.open_encoder().feed(broken), codec.open_encoder().feed(repaired))


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (np.zeros((3, 5), np.int64), r"expected codes of shape \(8, frames\), got \(3, 5\)"),
        (np.zeros(8, np.int64), r"got \(8,\)"),
        (np.full((8, 2), 64), "expected codes from 0 to 63, got 64 to 64"),
        (np.full((8, 2), -1), "got -1 to -1"),
    ],
)
def test_codes_that_there_are_not(codec: Codec, codes: Codes, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        codec.decode(codes)
    with pytest.raises(EngineError, match=said):
        codec.open_decoder().feed(codes)


def test_fewer_codebooks_are_the_first_of_all(folder: Path) -> None:
    samples = noise(12000)
    for few, all_of_them in (
        (
            EncodecCodec("cpu", str(tiny_encodec(folder / "bandwidth")), 0.9),
            EncodecCodec("cpu", str(folder / "bandwidth"), 3.6),
        ),
        (
            MimiCodec("cpu", str(tiny_mimi(folder / "books")), 2),
            MimiCodec("cpu", str(folder / "books"), 8),
        ),
    ):
        assert few.info.codebooks == 2
        np.testing.assert_array_equal(few.encode(samples), all_of_them.encode(samples)[:2])


def test_models_that_cannot_stream_are_refused(tmp_path: Path) -> None:
    stereo = tiny_encodec(tmp_path / "stereo", audio_channels=2)
    with pytest.raises(UserError, match=r"--model .*expected EnCodec for mono, got .*encodec_48khz"):
        EncodecCodec("cpu", str(stereo), 3.6)
    for settings in ({"use_causal_conv": False}, {"norm_type": "time_group_norm"}):
        whole = tiny_encodec(tmp_path / "whole", **settings)
        with pytest.raises(UserError, match="needs the whole recording"):
            EncodecCodec("cpu", str(whole), 3.6)
    with pytest.raises(UserError, match=r"--model .*expected Mimi, got .*needs the whole recording"):
        MimiCodec("cpu", str(tiny_mimi(tmp_path / "mimi", use_causal_conv=False)))


def test_figures_that_the_model_does_not_have(folder: Path) -> None:
    with pytest.raises(UserError, match=r"--bandwidth: expected one of 0.9, 3.6 \(kbit/s\), got 6"):
        EncodecCodec("cpu", str(tiny_encodec(folder / "encodec")))
    for codebooks in (0, 9):
        with pytest.raises(UserError, match=f"--codebooks: expected 1 to 8, got {codebooks}"):
            MimiCodec("cpu", str(tiny_mimi(folder / "mimi")), codebooks)


MAKERS: dict[Any, Callable[[Path], Path]] = {
    EncodecCodec: tiny_encodec,
    MimiCodec: tiny_mimi,
    HifiGan: tiny_hifi_gan,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_models_of_another_kind_are_refused(kind: Any, tmp_path: Path) -> None:
    for make in {tiny_chat_model, *MAKERS.values()} - {MAKERS[kind]}:
        make(tmp_path / make.__name__)
        with pytest.raises(UserError, match="--model"):
            kind("cpu", str(tmp_path / make.__name__))


@pytest.fixture(scope="module")
def vocoder(folder: Path) -> HifiGan:
    return HifiGan("cpu", str(tiny_hifi_gan(folder / "hifi-gan")))


@pytest.mark.parametrize("samples", [0, 1, 255, 256, 16000])
def test_a_vocoder_makes_audio_of_spectra(vocoder: HifiGan, samples: int) -> None:
    mel = vocoder.encode(noise(samples))
    assert mel.shape == ((1 + samples // 256) if samples else 0, 80)
    audio = vocoder.decode(mel)
    assert samples <= len(audio) == 256 * len(mel)
    assert vocoder.info.bitrate_bps is None


def test_its_spectra_are_those_of_the_audio(vocoder: HifiGan) -> None:
    """A tone of 1 kHz is in one band only; ten times the amplitude is one decade more."""
    tone = 0.05 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    quiet, loud = vocoder.encode(tone)[10:-10], vocoder.encode(10 * tone)[10:-10]
    assert len(set(quiet.argmax(axis=1))) == 1
    np.testing.assert_allclose(loud.max(axis=1) - quiet.max(axis=1), 1, atol=0.01)
    assert (quiet.max(axis=1) - quiet[:, -10:].max(axis=1)).min() > 2
    broken = tone.copy()
    broken[5] = np.nan
    assert np.isfinite(vocoder.encode(broken)).all()


def test_spectra_that_it_does_not_have(vocoder: HifiGan, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"expected spectra of shape \(frames, 80\), got \(80, 5\)"):
        vocoder.decode(np.zeros((80, 5), np.float32))
    with pytest.raises(UserError, match=r"--model .*expected HiFi-GAN for 80 mel bands at 16000 Hz"):
        HifiGan("cpu", str(tiny_hifi_gan(tmp_path, sampling_rate=22050)))
