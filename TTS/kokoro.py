"""Kokoro: 82 million weights, 54 voices in eight languages, as an ONNX file on the CPU.

The hub's onnx-community/Kokoro-82M-v1.0-ONNX and the releases of thewh1teagle/kokoro-onnx have such
files; the phonemes are eSpeak NG's (TTS/kokoro_phonemes.py).
"""

import itertools
import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from TTS.kokoro_phonemes import TOKENS, clauses
from TTS.kokoro_voices import LANGUAGES, usual_voice
from utils.hub import fetch
from utils.onnx_file import open_onnx, run_until_cancelled
from utils.threads import engine_threads
from utils.voices import expect_known, expect_language, voice_flag

RATE_HZ = 24000

MAX_PHONEMES = 510
"""The model takes 512 tokens, of which the first and the last mark the ends; a voice has a style for
each length."""

MIN_PHONEMES = 24
"""Phonemes of the first call, if there are that many: 1.5 s of speech. Shorter calls sound worse, and
the model adds 0.8 s of silence to each call, which takes as long to compute as speech."""

GROWTH = 2
"""Longest call, relative to the one before: it is computed while that one plays if the real-time factor
is at most a half (0.35 to 0.7 on two cores)."""

LEAD_S = 0.04
PAUSE_S = {",": 0.12, ";": 0.15, ":": 0.15, "—": 0.15, ".": 0.3, "!": 0.3, "?": 0.3, "…": 0.3}
"""The silence kept before a call, and after it by its last punctuation mark; the model produces 0.3 s
before and 0.6 to 0.8 s after."""

SILENCE = 0.005
"""Share of the peak (-46 dB) below which is silence; that of the model is below -70 dB."""

_STYLE = (510, 1, 256)
_TYPES = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}  # fmt: skip


class KokoroSynthesizer:
    """`model_name` is a name on the hub, or a folder, with an .onnx file and voices: voices/*.bin
    (float32), or arrays in one file (voices-v1.0.bin, voices*.npz). `onnx` is the name of the .onnx
    file, or a pattern.

    A voice that was chosen speaks its own language, whatever the text is in. One call at a time, since a
    call uses all threads; it stops in mid-call.
    """

    def __init__(
        self,
        model_name: str = "onnx-community/Kokoro-82M-v1.0-ONNX",
        onnx: str = "onnx/model_quantized.onnx",
        voice: str | None = None,
        language: str = "en",
        speed: float = 1.0,
    ) -> None:
        folder = fetch(model_name, "--tts_model_name", files=[onnx, "voices*"])
        model = _find_model(folder, model_name, onnx)
        self._styles = _load_styles(folder, model_name)
        self.info = SynthesizerInfo(
            name="kokoro",
            model=model_name,
            sample_rate_hz=RATE_HZ,
            languages=tuple(sorted({LANGUAGES[name[0]] for name in self._styles})),
            voices=tuple(self._styles),
            voice=voice or usual_voice(self._styles, language),
            voice_languages={name: LANGUAGES[name[0]] for name in self._styles},
        )
        self._voice, self._language = voice, language
        if voice is None:
            expect_language(self.info.languages, language)
        with voice_flag():
            self._choose(None, None)
        try:
            self._session = open_onnx(model, engine_threads("tts"), one_shape=False)
        except Exception as error:  # onnxruntime's have no common base class
            raise UserError(f"--tts_model_name {model_name}: expected Kokoro, got {error}") from error
        types = {given.name: given.type for given in self._session.get_inputs()}
        self._tokens = "input_ids" if "input_ids" in types else "tokens"
        if set(types) != {self._tokens, "style", "speed"} or not set(types.values()) <= set(_TYPES):
            raise UserError(
                f"--tts_model_name {model_name}: expected Kokoro, with the inputs input_ids, style and "
                f"speed, got {', '.join(types)}"
            )
        self._types = {name: _TYPES[kind] for name, kind in types.items()}
        self._speed = np.array([speed], self._types["speed"])
        if self._speed[0] != speed and np.issubdtype(self._types["speed"], np.integer):
            raise UserError(
                f"--tts_speed: expected 1 or 2, as {model.name} takes no others, got {speed}"
            )

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        expect_known(self.info.voices, voice, self.info.voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield a chunk for one or more clauses: the first is short, so that it is heard early."""
        chosen = self._choose(voice, language)
        for phonemes in calls(clauses(text, chosen[0])):
            samples = self._speak(phonemes, self._styles[chosen], cancel)
            if samples is None or cancel.cancelled:
                return
            samples = trim(samples, PAUSE_S.get(phonemes[-1], LEAD_S))
            if len(samples):
                yield AudioChunk(samples, RATE_HZ)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _choose(self, voice: str | None, language: str | None) -> str:
        """The voice that was asked for, in this call or at start; otherwise the usual one of the
        language."""
        chosen = voice or self._voice or usual_voice(self._styles, language or self._language)
        self.expect_voice(chosen)
        return chosen

    def _speak(self, phonemes: str, styles: Samples, cancel: CancelToken) -> Samples | None:
        tokens = [TOKENS[phoneme] for phoneme in phonemes]
        inputs = {
            self._tokens: np.array([[0, *tokens, 0]], self._types[self._tokens]),
            "style": styles[len(tokens) - 1].astype(self._types["style"]),
            "speed": self._speed,
        }
        outputs = run_until_cancelled(self._session, inputs, cancel)
        return None if outputs is None else np.asarray(outputs[0], np.float32).reshape(-1)


def calls(spoken: Iterable[str]) -> list[str]:
    """Join clauses into calls, as phonemes: the first of at least `MIN_PHONEMES`, the others at most
    `GROWTH` times as long as the one before, none longer than `MAX_PHONEMES`. A short rest, which would
    sound worse by itself, belongs to the call before it."""
    joined: list[str] = []
    most = MIN_PHONEMES
    for clause in itertools.chain.from_iterable(map(_cut, spoken)):
        last = len(joined[-1]) if joined else MAX_PHONEMES
        together = last + 1 + len(clause)
        if together <= MAX_PHONEMES and (together <= most or last < MIN_PHONEMES):
            joined[-1] += f" {clause}"
        else:
            most = min(MAX_PHONEMES, GROWTH * last) if joined else MIN_PHONEMES
            joined.append(clause)
    if len(joined) > 1 and len(joined[-1]) < MIN_PHONEMES:
        *joined, before, rest = joined
        joined += _cut(f"{before} {rest}")
    return joined


def _cut(clause: str) -> Iterator[str]:
    """Cut a clause that is too long for one call, between two words if possible."""
    while len(clause) > MAX_PHONEMES:
        cut = clause.rfind(" ", 1, MAX_PHONEMES + 1)
        cut = cut if cut > 0 else MAX_PHONEMES
        yield clause[:cut]
        clause = clause[cut:].lstrip()
    yield clause


def trim(samples: Samples, pause_s: float) -> Samples:
    """Cut the silence before and after speech to `LEAD_S` and `pause_s`; empty if there is nothing but
    silence."""
    peak = np.abs(samples).max(initial=0)
    # NaN must not become silence: playout reports it
    loud = np.flatnonzero(~(np.abs(samples) <= SILENCE * peak))
    if not len(loud):
        return samples[:0]
    start, end = loud[0] - int(LEAD_S * RATE_HZ), loud[-1] + int(pause_s * RATE_HZ)
    return samples[max(0, start) : end]


def _find_model(folder: Path, model_name: str, onnx: str) -> Path:
    """The .onnx file that `--tts_onnx` names, or the only one there is. Raises `UserError`."""
    files = sorted(folder.rglob("*.onnx"))
    named = [file for file in files if fnmatch(file.relative_to(folder).as_posix(), onnx)]
    found = named or files
    if not found:
        raise UserError(
            f"--tts_model_name {model_name}: expected an .onnx file in it, got none; "
            "for a .pth file use --tts kokoro-torch"
        )
    if len(found) > 1:
        names = ", ".join(file.relative_to(folder).as_posix() for file in found)
        raise UserError(f"--tts_onnx: expected the name of one of {names}, got {onnx}")
    return found[0]


def _load_styles(folder: Path, model_name: str) -> dict[str, Samples]:
    """Voice ▶ its styles, of shape (510, 1, 256), 0.5 MB each. Raises `UserError`."""
    styles: dict[str, Samples] = {}
    try:
        for file in sorted((*folder.glob("voices/*.bin"), *folder.glob("voices*.*"))):
            if zipfile.is_zipfile(file):
                with np.load(file) as arrays:
                    for name in arrays.files:
                        styles[name] = np.asarray(arrays[name], np.float32).reshape(_STYLE)
            elif file.parent != folder:
                styles[file.stem] = np.fromfile(file, np.float32).reshape(_STYLE)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"--tts_model_name {model_name}: {file.name} is not a voice of Kokoro: {error}"
        ) from error
    styles = {name: styles[name] for name in sorted(styles) if name[0] in LANGUAGES}
    if not styles:
        raise UserError(
            f"--tts_model_name {model_name}: expected voices in it (voices/*.bin, voices-v1.0.bin or an "
            "npz file), got none"
        )
    return styles
