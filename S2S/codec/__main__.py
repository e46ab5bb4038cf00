"""`python -m S2S.codec roundtrip`: encodes a recording, decodes it again, and prints measurements."""

from utils.launch import end, prepare_launch
from utils.threads import apply_thread_limits

if __name__ == "__main__":
    prepare_launch("S2S.codec")
    apply_thread_limits()

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import soundfile

from pipeline.audio import NOT_READABLE, READABLE, clean, resample, to_mono
from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from S2S.codec.choice import CODERS, expect_installed, open_coder
from utils.device import find_device
from utils.environment import apply_model_cache_dir
from utils.streams import prepare_streams

MAX_S = 120
"""Longest recording. It is also encoded in one piece, with the output of every layer in memory: 6 MB for
each second in Mimi's first layer."""


def main(argv: Sequence[str]) -> int:
    """Exit code 1: the stream differs from the whole; 2: a mistake in the command, explained."""
    prepare_streams()
    apply_model_cache_dir()
    # or its warnings would precede our error messages
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    arguments = _parser().parse_args(argv)
    try:
        return _roundtrip(arguments)
    except (UserError, EngineError) as error:
        print(f"S2S.codec: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m S2S.codec", description="Try neural audio codecs.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    command = commands.add_parser(
        "roundtrip",
        help="encode a recording and decode it again",
        description="Encode a recording, decode it again, and print the bitrate, the speed, the "
        "distances, and words that a recognizer no longer understands.",
    )
    add = command.add_argument
    add("input", metavar="IN", type=Path, help=f"a recording of at most {MAX_S} s")
    add(
        "output",
        metavar="OUT",
        type=Path,
        help="the result, such as out.wav; the spectrograms go to out.html",
    )
    add("--codec", choices=sorted(CODERS), required=True)
    add("--model", metavar="NAME", help="a folder, or a name on the hub; default: the codec's own")
    add(
        "--bandwidth",
        metavar="KBPS",
        type=float,
        help="EnCodec only, in kbit/s: 1.5, 3, 6, 12 or 24; default: 6",
    )
    add("--codebooks", metavar="N", type=int, help="Mimi only: 1 to 32; default: 8")
    add("--device", metavar="NAME", default="auto", help="auto (default), cpu, cuda or mps")
    add(
        "--text",
        metavar="WORDS",
        help="the words of the recording; default: those that the recognizer hears",
    )
    add("--download", action="store_true", help="fetch the model and exit")
    return parser


def _roundtrip(arguments: argparse.Namespace) -> int:
    expect_installed()
    page = arguments.output.with_suffix(".html")
    original, rate_hz = _read(arguments.input)
    _expect_writable(arguments.output, page)
    coder = open_coder(
        arguments.codec,
        find_device(arguments.device),
        model_name=arguments.model,
        bandwidth_kbps=arguments.bandwidth,
        codebooks=arguments.codebooks,
    )
    if arguments.download:
        print(f"{coder.info.about} is ready")
        return 0
    from S2S.codec.report import report
    from S2S.codec.roundtrip import roundtrip
    from S2S.codec.spectrograms import draw_spectrograms

    codec_hz = coder.info.sample_rate_hz
    samples = resample(original, rate_hz, codec_hz)
    result = roundtrip(coder, samples)
    for topic, text in report(coder.info, samples, result, arguments.text):
        print(f"{topic:<17}{text}", flush=True)
    _write(arguments.output, result.decoded, codec_hz)
    draw_spectrograms(samples, result.decoded, codec_hz, coder.info.about, page)
    print(f"{'written':<17}{arguments.output} ({codec_hz} Hz), {page} (spectrograms)")
    return 1 if result.streaming and not result.streaming.equal else 0


def _read(path: Path) -> tuple[Samples, int]:
    """Read a recording as mono samples; returns them with their rate. Raises `UserError`."""
    if not path.is_file():
        raise UserError(f"{path}: {'that is not a file' if path.exists() else 'there is no such file'}")
    try:
        with soundfile.SoundFile(path) as recording:
            rate_hz, duration_s = recording.samplerate, recording.frames / recording.samplerate
            if duration_s > MAX_S:
                raise UserError(
                    f"{path}: expected at most {MAX_S} s, got {duration_s:.0f} s; cut a part out"
                )
            samples = to_mono(recording.read(dtype="float32"))
    except (soundfile.LibsndfileError, TypeError) as error:
        raise UserError(f"{path}: expected sound as {READABLE}, got {NOT_READABLE}") from error
    if not len(samples):
        raise UserError(f"{path}: expected a recording, got one without any audio")
    return clean(samples), rate_hz


def _expect_writable(output: Path, page: Path) -> None:
    """Raise `UserError`, before anything is computed, if the results cannot be written."""
    if output.suffix[1:].upper() not in soundfile.available_formats():
        raise UserError(f"{output}: expected the name of a sound file, such as out.wav")
    for path in (output, page):
        existed = path.exists()
        try:
            path.open("ab").close()
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}") from error
        if not existed:
            path.unlink()


def _write(path: Path, samples: Samples, rate_hz: int) -> None:
    try:
        soundfile.write(path, clean(samples), rate_hz)
    except (soundfile.LibsndfileError, TypeError) as error:
        reason = getattr(error, "error_string", error)
        raise UserError(f"{path} cannot be written: {reason}") from error


if __name__ == "__main__":
    end(main(sys.argv[1:]))
