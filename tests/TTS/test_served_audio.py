"""Answers of speech servers that are asked for pcm: each is heard, or refused with a reason."""

import io
import itertools
import struct
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from pipeline.audio import from_pcm16
from pipeline.errors import EngineError
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from testing.speech_server import Answer, SpeechServer
from TTS.openai_speech import OpenAISynthesizer
from TTS.served_audio import NotDecodable, decoded, is_noise

LEVEL = 0.3
RATE_HZ = 22050


def tone(rate_hz: int = RATE_HZ, channels: int = 1) -> Samples:
    """A second of 440 Hz, shape (samples, channels)."""
    mono = LEVEL * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    return np.repeat(mono.astype(np.float32)[:, np.newaxis], channels, axis=1)


def file(
    kind: str,
    coding: str,
    rate_hz: int = RATE_HZ,
    channels: int = 1,
    gain: float = 1,
    endian: str = "FILE",
) -> bytes:
    written = io.BytesIO()
    sound = gain * tone(rate_hz, channels)
    soundfile.write(written, sound, rate_hz, format=kind, subtype=coding, endian=endian)
    return written.getvalue()


def pcm(dtype: str, rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    full_scale = 1 if "f" in dtype else 2 ** (8 * int(dtype[-1]) - 1) - 1
    return (tone(rate_hz, channels) * full_scale).astype(dtype).tobytes()


WAVE = file("WAV", "PCM_16")


def streamed(riff_bytes: int, data_bytes: int, wav: bytes = WAVE) -> bytes:
    """A WAV file whose writer did not know its length."""
    at = wav.index(b"data") + 4
    size, data = struct.pack("<I", riff_bytes), struct.pack("<I", data_bytes)
    return wav[:4] + size + wav[8:at] + data + wav[at + 4 :]


def with_tags(wav: bytes) -> bytes:
    """A WAV file with a chunk of odd length before the audio, and one after it."""
    at = wav.index(b"data")
    return wav[:at] + b"LIST\x05\0\0\0INFOx\0" + wav[at:] + b"LIST\x04\0\0\0INFO"


def aac() -> bytes:
    """Frames of ADTS with nothing in them."""
    return (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 400


@pytest.fixture(scope="module")
def running() -> Iterator[SpeechServer]:
    with SpeechServer() as server:
        yield server


@pytest.fixture
def server(running: SpeechServer) -> SpeechServer:
    running.requests.clear()
    running.sound = None
    return running


@pytest.fixture
def engine(server: SpeechServer) -> Iterator[OpenAISynthesizer]:
    synthesizer = OpenAISynthesizer("m", base_url=server.base_url, sample_rate_hz=RATE_HZ)
    yield synthesizer
    synthesizer.close()


def speak(engine: OpenAISynthesizer, text: str = "Hello.") -> list[AudioChunk]:
    return list(engine.synthesize(text, None, None, CancelToken()))


def joined(chunks: list[AudioChunk]) -> tuple[Samples, int]:
    (rate_hz,) = {chunk.sample_rate_hz for chunk in chunks}
    return np.concatenate([chunk.samples for chunk in chunks]), rate_hz


def expect_tone(chunks: list[AudioChunk], rate_hz: int = RATE_HZ, seconds: float = 1.0) -> None:
    audio, audio_hz = joined(chunks)
    assert audio_hz == rate_hz
    assert audio.dtype == np.float32
    assert len(audio) / rate_hz == pytest.approx(seconds, abs=0.06)
    power = np.square(np.abs(np.fft.rfft(audio * np.hanning(len(audio)))))
    hz = np.fft.rfftfreq(len(audio), 1 / rate_hz)
    assert hz[power.argmax()] == pytest.approx(440, abs=2)
    assert power[np.abs(hz - 440) < 15].sum() > 0.98 * power.sum(), "nothing but the tone"
    middle = audio[len(audio) // 10 : -len(audio) // 10]
    assert np.sqrt(np.mean(np.square(middle))) == pytest.approx(LEVEL / np.sqrt(2), rel=0.05)
    assert np.abs(audio).max() < 1.2 * LEVEL, "no crack at the beginning or the end"


HEARD = {
    "pcm": (pcm("<i2"), "audio/pcm"),
    "pcm without a content type": (pcm("<i2"), ""),
    "pcm as octets": (pcm("<i2"), "application/octet-stream"),
    "pcm called mpeg": (pcm("<i2"), "audio/mpeg"),
    "pcm that begins like MP3": (b"\xff\xfb" + pcm("<i2"), "audio/pcm"),
    "pcm that begins like AAC": (b"\xff\xf1" + pcm("<i2"), "audio/pcm"),
    "pcm with an odd byte at its end": (pcm("<i2") + b"\0", "audio/pcm"),
    "wav, 16 bits": (WAVE, "audio/wav"),
    "wav called pcm": (WAVE, "audio/pcm"),
    "wav as octets": (WAVE, "application/octet-stream"),
    "wav called text": (WAVE, "text/plain"),
    "wav, 8 bits": (file("WAV", "PCM_U8"), "audio/wav"),
    "wav, 24 bits": (file("WAV", "PCM_24"), "audio/x-wav"),
    "wav, 32 bits": (file("WAV", "PCM_32"), "audio/wav"),
    "wav, float32": (file("WAV", "FLOAT"), "audio/wav"),
    "wav, float64": (file("WAV", "DOUBLE"), "audio/wav"),
    "wav, extensible": (file("WAVEX", "PCM_16"), "audio/wav"),
    "wav, stereo": (file("WAV", "PCM_16", channels=2), "audio/wav"),
    "wav, mu-law": (file("WAV", "ULAW"), "audio/wav"),
    "wav, ADPCM": (file("WAV", "IMA_ADPCM"), "audio/wav"),
    "wav, sizes 0": (streamed(0, 0), "audio/wav"),
    "wav, sizes 0xFFFFFFFF": (streamed(0xFFFFFFFF, 0xFFFFFFFF), "audio/wav"),
    "wav, sizes 0x7FFFFFFF": (streamed(0x7FFFFFFF, 0x7FFFFFFF - 36), "audio/wav"),
    "wav, size of its first piece": (streamed(4036, 4000), "audio/wav"),
    "wav, longer in its header than it is": (streamed(88236, 88200), "audio/wav"),
    "wav with tags": (with_tags(WAVE), "audio/wav"),
    "wav, big-endian": (file("WAV", "PCM_16", endian="BIG"), "audio/wav"),
    "flac": (file("FLAC", "PCM_16"), "audio/flac"),
    "vorbis": (file("OGG", "VORBIS"), "audio/ogg"),
    "vorbis called pcm": (file("OGG", "VORBIS"), "audio/pcm"),
    "mp3": (file("MP3", "MPEG_LAYER_III"), "audio/mpeg"),
    "mp3 called pcm": (file("MP3", "MPEG_LAYER_III"), "audio/pcm"),
    "mp3 with tags": (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + file("MP3", "MPEG_LAYER_III"), "audio/pcm"),
    "aiff": (file("AIFF", "PCM_16"), "audio/aiff"),
    "au": (file("AU", "PCM_16"), "audio/basic"),
}


@pytest.mark.parametrize("name", HEARD)
def test_a_tone_is_the_same_tone_in_every_format(
    server: SpeechServer, engine: OpenAISynthesizer, name: str
) -> None:
    server.sound = Answer(*HEARD[name])
    expect_tone(speak(engine))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "rate_hz"),
    [
        (pcm("<i2", 16000), "audio/pcm;rate=16000", 16000),
        (pcm("<i2", 44100), 'audio/PCM; codec=pcm; Sample-Rate="44100"', 44100),
        (pcm("<i2", 24000, 2), "audio/pcm;rate=24000;channels=2", 24000),
        (pcm(">i2", 8000), "audio/L16;rate=8000", 8000),
        (pcm(">i2", 16000, 2), "audio/l16; rate=16000; channels=2", 16000),
        (file("WAV", "PCM_16", 8000), "audio/wav", 8000),
        (file("WAV", "FLOAT", 48000, 2), "audio/wav", 48000),
        (file("WAV", "PCM_16", 44100), "audio/pcm;rate=16000", 44100),
        (file("OGG", "OPUS", 48000), "audio/ogg; codecs=opus", 48000),
        (file("OGG", "OPUS", 24000), "audio/opus", 24000),
        (file("MP3", "MPEG_LAYER_III", 44100, 2), "audio/mpeg", 44100),
        (file("MP3", "MPEG_LAYER_III", 16000), "audio/mp3", 16000),
        (file("FLAC", "PCM_24", 96000), "audio/flac", 96000),
    ],
)
def test_the_rate_is_that_of_the_sound(
    server: SpeechServer, engine: OpenAISynthesizer, body: bytes, content_type: str, rate_hz: int
) -> None:
    server.sound = Answer(body, content_type)
    expect_tone(speak(engine), rate_hz)


PAGE = b"<html><body>Not here</body></html>"
NOISE = np.random.default_rng(0).bytes(20000)

REFUSED = {
    "a page called pcm": (PAGE * 100, "audio/pcm", "sent text where audio was expected"),
    "a page": (b"\n" + PAGE, "text/html; charset=utf-8", "sent text where audio was expected"),
    "json": (b'{"detail": "busy"}', "application/json", "sent text where audio was expected"),
    "json called wav": (b'{"audio": "UklGRg=="}', "audio/wav", "sent text where audio was expected"),
    "other letters": ("Не найдено".encode() * 50, "audio/mpeg", "sent text where audio was expected"),
    "a word": (b"OK", "audio/pcm", "sent text where audio was expected"),
    "nothing": (b"", "audio/pcm", "sent no audio; choose another model or voice: --tts_model_name"),
    "a header": (WAVE[:44], "audio/wav", "sent no audio"),
    "aac": (aac(), "audio/aac", "sent AAC audio; let the server send pcm, wav"),
    "aac called pcm": (aac(), "audio/pcm", "sent AAC audio"),
    "m4a": (b"\0\0\0\x20ftypM4A " + NOISE, "audio/mp4", "sent MP4 audio"),
    "webm": (b"\x1aE\xdf\xa3" + NOISE, "audio/webm", "sent WebM audio"),
    "amr": (b"#!AMR\n" + NOISE, "audio/pcm", "sent AMR audio"),
    "mu-law": (NOISE, "audio/PCMU;rate=8000", "sent audio in an unknown format"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + NOISE, "image/png", "sent audio in an unknown format"),
    "floats without a header": (pcm("<f4"), "audio/pcm", "sent audio in an unknown format"),
    "big-endian without a name": (pcm(">i2"), "audio/pcm", "sent audio in an unknown format"),
    "encrypted": (NOISE, "audio/pcm", "sent audio in an unknown format"),
    "encrypted, later": (pcm("<i2")[:4800] + NOISE, "audio/pcm", "sent audio in an unknown format"),
    "a rate of 0": (pcm("<i2"), "audio/pcm;rate=0", "sent PCM that cannot be decoded"),
    "a rate in words": (pcm("<i2"), "audio/pcm;rate=high", "sent PCM that cannot be decoded"),
    "flac, broken": (b"fLaC" + NOISE, "audio/flac", "sent FLAC that cannot be decoded"),
    "ogg, broken": (b"OggS" + NOISE, "audio/ogg", "sent Ogg that cannot be decoded"),
    "wav without a format": (b"RIFF\0\0\0\0WAVEdata\0\0\0\0" + pcm("<i2"), "audio/wav", "sent WAV that"),
    "wav, rate 0": (WAVE[:24] + bytes(4) + WAVE[28:], "audio/wav", "sent WAV that cannot be decoded"),
    "wav, broken": (WAVE[:12] + NOISE, "audio/wav", "sent WAV that cannot be decoded"),
    "wav, floats as large as integers": (
        file("WAV", "FLOAT", gain=32767), "audio/wav", "sent WAV that cannot be decoded",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_is_an_error_and_no_noise(
    server: SpeechServer, engine: OpenAISynthesizer, name: str
) -> None:
    body, content_type, sentence = REFUSED[name]
    server.sound = Answer(body, content_type)
    heard: list[AudioChunk] = []
    with pytest.raises(EngineError, match=rf"http://127.0.0.1:\d+ {sentence}"):
        heard.extend(engine.synthesize("Hello.", None, None, CancelToken()))
    assert max((np.abs(chunk.samples).max() for chunk in heard), default=0) <= 1.01 * LEVEL
    assert len(server.requests) == 1
    server.sound = None
    assert joined(speak(engine))[1] == RATE_HZ, "and the next answer is heard"


def test_nothing_for_a_text_without_words_is_no_error(
    server: SpeechServer, engine: OpenAISynthesizer
) -> None:
    server.sound = Answer(b"", "audio/pcm")
    assert speak(engine, "…!") == []


def test_each_answer_is_read_anew(server: SpeechServer, engine: OpenAISynthesizer) -> None:
    for name in ("wav, float32", "pcm", "mp3", "pcm", "wav, 16 bits"):
        server.sound = Answer(*HEARD[name])
        expect_tone(speak(engine))
    assert {request["response_format"] for request in server.requests} == {"pcm"}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("name", [name for name in HEARD if name.startswith(("pcm", "wav"))])
def test_a_sound_may_be_cut_anywhere(name: str, size: int) -> None:
    body, content_type = HEARD[name]
    body = body[:20000]
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    (whole, _), (cut, _) = (
        joined(list(decoded(iter(blocks), content_type, RATE_HZ))) for blocks in ([body], pieces)
    )
    assert np.array_equal(whole, cut)


@pytest.mark.parametrize(
    "name", ["pcm", "wav, 16 bits", "wav, float32", "wav, sizes 0", "wav with tags"]
)
def test_pcm_and_wav_are_heard_as_they_come(name: str) -> None:
    body, content_type = HEARD[name]
    came = itertools.count()
    blocks = (body[at : at + 1000] for at in range(0, len(body), 1000) if next(came) >= 0)
    first = next(decoded(blocks, content_type, RATE_HZ))
    assert len(first.samples) > 200
    assert next(came) == 1, "the first audio needs the first block only"


@pytest.mark.parametrize(
    "name", ["wav, 16 bits", "wav with tags", "flac", "vorbis", "mp3", "mp3 with tags"]
)
def test_one_file_for_each_sentence_is_one_sound(name: str) -> None:
    body, content_type = HEARD[name]
    audio, rate_hz = joined(list(decoded(iter([body + body]), content_type, 24000)))
    assert rate_hz == RATE_HZ
    assert len(audio) / rate_hz == pytest.approx(2.0, abs=0.06)
    assert np.sqrt(np.mean(np.square(audio[-RATE_HZ // 2 :]))) > 0.9 * LEVEL / np.sqrt(2)


@pytest.mark.parametrize("name", ["pcm", "wav, sizes 0"])
def test_a_sound_without_end_is_cut_off(name: str) -> None:
    body, content_type = HEARD[name]
    blocks = itertools.chain([body], itertools.repeat(pcm("<i2")))
    with pytest.raises(NotDecodable, match="more than 600 s"):
        joined(list(decoded(blocks, content_type, RATE_HZ)))


def test_loud_hisses_are_no_noise() -> None:
    """The loudest "s" of a voice at full scale."""
    hiss = np.diff(np.random.default_rng(0).normal(0, 0.1, 2000)).astype(np.float32)
    assert not is_noise(hiss)
    assert is_noise(from_pcm16(NOISE))
