"""The measurements of a roundtrip, as lines of text."""

import math
from collections.abc import Iterator
from typing import TypeAlias

from pipeline.messages import Samples
from S2S.codec.base import CodecInfo
from S2S.codec.roundtrip import Roundtrip
from S2S.codec.word_errors import count_errors, load_recognizer, transcribe

Line: TypeAlias = tuple[str, str]
"""A topic, and the text about it."""


def report(info: CodecInfo, samples: Samples, result: Roundtrip, text: str | None) -> Iterator[Line]:
    """The lines about a roundtrip. `samples`: the recording at the rate of the codec; `text`: its words,
    if they are known."""
    duration_s = len(samples) / info.sample_rate_hz
    yield "codec", f"{info.about}; {info.frame_rate_hz:g} frames a second at {info.sample_rate_hz} Hz"
    yield "recording", f"{duration_s:.2f} s, {result.frames} frames"
    yield from _bitrate(info)
    yield from _speed(result, duration_s)
    near = result.distances
    yield (
        "distances",
        f"SI-SDR {_shown(near.si_sdr_db, '.1f', ' dB')}, STOI {_shown(near.stoi, '.3f')}, "
        f"mel spectra {_shown(near.mel_db, '.1f', ' dB')}",
    )
    yield from _words(text, samples, result.decoded, info.sample_rate_hz)


def _bitrate(info: CodecInfo) -> Iterator[Line]:
    if info.bitrate_bps is None:
        yield "bitrate", "none: its frames are numbers, not codes"
        return
    bits = f"{info.codebooks} codes of {math.log2(info.codebook_size):g} bits a frame"
    yield "bitrate", f"{info.bitrate_bps / 1000:g} kbit/s: {bits}"
    pcm_bps = 16 * info.sample_rate_hz
    times = pcm_bps / info.bitrate_bps
    yield "compression", f"{times:.0f} times: 16-bit samples have {pcm_bps / 1000:g} kbit/s"


def _speed(result: Roundtrip, duration_s: float) -> Iterator[Line]:
    """Real-time factors: computing time per second of audio; below 1 keeps up with real time."""
    whole = f"encode {result.encode_s / duration_s:.3f}, decode {result.decode_s / duration_s:.3f}"
    stream = result.streaming
    if stream is None:
        yield "real-time factor", whole
        yield "streaming", "none: it needs the whole recording"
        return
    streamed = f"encode {stream.encode_s / duration_s:.3f}, decode {stream.decode_s / duration_s:.3f}"
    yield "real-time factor", f"{whole}; frame by frame: {streamed}"
    yield (
        "streaming",
        f"{'equals' if stream.equal else 'DIFFERS FROM'} the whole: latents differ by at most "
        f"{stream.latents_off:.0e} of their RMS, audio by {stream.audio_off:.0e}; "
        f"{stream.codes_equal:.2%} of the codes are the same",
    )


def _words(text: str | None, original: Samples, decoded: Samples, rate_hz: int) -> Iterator[Line]:
    """Wrong words before and after the codec, against `text`; without a text, those after it, against
    the words heard before it."""
    recognizer = load_recognizer()
    before, after = (transcribe(recognizer, each, rate_hz) for each in (original, decoded))
    recognizer.close()
    if text is None:
        whose, counted = "those heard before", {"after": count_errors(before, after)}
    else:
        whose = "--text"
        counted = {"before": count_errors(text, before), "after": count_errors(text, after)}
    counts = [f"{when} {errors.wrong} of {errors.of}" for when, errors in counted.items() if errors]
    yield (
        "words wrong",
        f"{', '.join(counts)}, against {whose}" if counts else "unknown: no words to compare",
    )
    yield "heard before", before or "no words"
    yield "heard after", after or "no words"


def _shown(figure: float | None, form: str, unit: str = "") -> str:
    return "undefined" if figure is None else f"{figure:{form}}{unit}"
