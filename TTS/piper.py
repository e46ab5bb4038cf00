"""Piper: small, fast voices in over forty languages (OHF-Voice/piper1-gpl), on a CPU."""

import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sentencex

from TTS.vits import Vits

# isort: split
# after TTS.vits, which sets an environment variable before piper imports onnxruntime
from piper import PiperVoice
from piper.config import PiperConfig

from catalog.weights import FETCH, JOE, JOE_SETTINGS
from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.loudness import MAX_GAIN, SPEECH_RMS, loudness
from pipeline.messages import AudioChunk, Samples
from pipeline.resampler import Resampler
from pipeline.turn import CancelToken
from pipeline.words import parts_to_speak
from TTS.espeak_text import for_espeak
from utils.hub import fetch, unavailable
from utils.threads import engine_threads
from utils.voices import expect_known, expect_language, voice_flag

HUB = "rhasspy/piper-voices"

EMBEDDED_VOICE = JOE.path.stem
"""The built-in English voice (catalog/weights.py)."""

USUAL_VOICE = {
    "ar": "ar_JO-kareem-medium",
    "bg": "bg_BG-dimitar-medium",
    "bn": "bn_BD-google-medium",
    "ca": "ca_ES-upc_ona-medium",
    "cs": "cs_CZ-jirka-medium",
    "cy": "cy_GB-gwryw_gogleddol-medium",
    "da": "da_DK-talesyntese-medium",
    "de": "de_DE-thorsten-medium",
    "el": "el_GR-rapunzelina-medium",
    "en": "en_US-lessac-medium",
    "es": "es_ES-davefx-medium",
    "eu": "eu_ES-maider-medium",
    "fa": "fa_IR-amir-medium",
    "fi": "fi_FI-harri-medium",
    "fr": "fr_FR-siwis-medium",
    "hi": "hi_IN-priyamvada-medium",
    "hu": "hu_HU-anna-medium",
    "id": "id_ID-news_tts-medium",
    "is": "is_IS-bui-medium",
    "it": "it_IT-paola-medium",
    "ka": "ka_GE-natia-medium",
    "kk": "kk_KZ-issai-high",
    "lb": "lb_LU-marylux-medium",
    "lv": "lv_LV-aivars-medium",
    "ml": "ml_IN-meera-medium",
    "mr": "mr_IN-google-medium",
    "ne": "ne_NP-google-medium",
    "nl": "nl_NL-pim-medium",
    "no": "no_NO-talesyntese-medium",
    "pl": "pl_PL-gosia-medium",
    "pt": "pt_BR-faber-medium",
    "ro": "ro_RO-mihai-medium",
    "ru": "ru_RU-irina-medium",
    "sk": "sk_SK-lili-medium",
    "sl": "sl_SI-artur-medium",
    "sq": "sq_AL-edon-medium",
    "sr": "sr_RS-serbski_institut-medium",
    "sv": "sv_SE-nst-medium",
    "sw": "sw_CD-lanfrica-medium",
    "te": "te_IN-padmavathi-medium",
    "tr": "tr_TR-dfki-medium",
    "uk": "uk_UA-ukrainian_tts-medium",
    "ur": "ur_PK-fasih-medium",
    "vi": "vi_VN-vais1000-medium",
    "zh": "zh_CN-huayan-medium",
}
"""The voice of each language where none was chosen; of other languages the first that there is. Each
voice has a license of its own."""

KEPT = 4
"""Voices that stay loaded, about 63 MB each; beyond these, the least recently heard one is unloaded."""

MAX_CHARS = 300
"""A longer sentence is spoken in parts. This is twenty seconds of speech, computed in about one."""

WARM_UP = "I can help you with that, and then we will see what else there is to do."


class PiperSynthesizer:
    """`model_name` is a name on the hub, with voices.json, or a folder with voices (.onnx, .onnx.json);
    None: the built-in voice if that one or none is chosen, the language is English and its files are
    there; else the hub.

    A voice is loaded, and the first time downloaded, when it is first heard, which keeps the others
    waiting; the one of `voice` or `language` at start. Stops in mid-sentence.
    """

    def __init__(
        self,
        model_name: str | None = None,
        voice: str | None = None,
        language: str = "en",
        speed: float = 1.0,
    ) -> None:
        self._voice, self._language = voice, language
        self._speed = speed
        self._model_name = model_name or _usual_source(voice, language)
        files = _catalog(_fetched(self._model_name, asked=model_name is not None))
        self._files = dict(sorted(files.items()))
        languages = tuple(sorted({_language_of(name) for name in self._files}))
        self._loaded = functools.lru_cache(KEPT)(self._load)
        if voice is None:
            expect_language(languages, language)
        with voice_flag():
            chosen = self._choose(None, None)
        try:
            first = self._loaded(chosen)
        except Exception as error:  # onnxruntime's have no common base class
            raise UserError(self._why_not(chosen, error)) from error
        self.info = SynthesizerInfo(
            name="piper",
            model=chosen,
            sample_rate_hz=first.config.sample_rate,
            languages=languages,
            voices=tuple(self._files),
            voice=chosen,
            voice_languages={name: _language_of(name) for name in self._files},
        )

    def warm_up(self) -> None:
        """Speak a sentence of usual length, which measures the loudness of the voice."""
        for _ in self.synthesize(WARM_UP, None, None, CancelToken()):
            pass

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        self._choose(voice, None)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield chunks as they are computed, at the rate of the first voice; others are resampled."""
        chosen = self._choose(voice, language)
        if cancel.cancelled:
            return
        loaded, rate_hz = self._speaker(chosen), self.info.sample_rate_hz
        resampler = Resampler(loaded.config.sample_rate, rate_hz)
        spoken = _language_of(chosen)
        for sentence in sentencex.segment(spoken, for_espeak(text)):
            for part in parts_to_speak(sentence, MAX_CHARS):
                for samples in self._speak(loaded, part, cancel):
                    yield AudioChunk(resampler.feed(samples), rate_hz)
                if cancel.cancelled:
                    return

    def close(self) -> None:
        """Free the voices."""
        self._loaded.cache_clear()

    def _choose(self, voice: str | None, language: str | None) -> str:
        """The voice that was asked for, in this call or at start; otherwise the usual one of the
        language."""
        wanted = language or self._language
        usual = USUAL_VOICE.get(wanted)
        if usual not in self._files:
            usual = next((name for name in self._files if _language_of(name) == wanted), wanted)
        chosen = voice or self._voice or usual
        expect_known(list(self._files), chosen, usual)
        return chosen

    def _speaker(self, name: str) -> "_Voice":
        try:
            return self._loaded(name)
        except Exception as error:
            raise unavailable(f"the voice {name}", error, "no_voice") from error

    def _load(self, name: str) -> "_Voice":
        model = self._files[name]
        folder = fetch(self._model_name, "--tts_voice", files=[model, f"{model}.json"])
        settings = json.loads((folder / f"{model}.json").read_text("utf-8"))
        return _Voice(Vits(folder / model, engine_threads("tts")), PiperConfig.from_dict(settings))

    def _why_not(self, voice: str, error: Exception) -> str:
        embedded = self._model_name == str(JOE.path.parent)
        repair = (
            f"delete {JOE.path.parent} and type: {FETCH}"
            if embedded
            else "choose another with --tts_voice"
        )
        return f"--tts_voice: the voice {voice} does not load ({error}); {repair}"

    def _speak(self, voice: "_Voice", sentence: str, cancel: CancelToken) -> Iterator[Samples]:
        """Speak one sentence without a break: eSpeak would end a sentence after "Mr."."""
        pieces = [phonemes for phonemes in voice.letters.phonemize(sentence) if phonemes]
        if not pieces:
            return
        joined = pieces[0]
        for piece in pieces[1:]:
            joined = [*(joined[:-1] if joined[-1] == "." else joined), " ", *piece]
        ids, config = voice.letters.phonemes_to_ids(joined), voice.config
        scales = [config.noise_scale, config.length_scale / self._speed, config.noise_w_scale]
        inputs = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }
        if config.num_speakers > 1:
            inputs["sid"] = np.array([config.default_speaker_id], np.int64)
        try:
            yield from voice.leveled(voice.vits.speak(inputs, cancel))
        except Exception as error:
            raise unavailable("the voice", error, "no_voice") from error


class _Voice:
    """A loaded voice and its own loudness."""

    def __init__(self, vits: Vits, config: PiperConfig) -> None:
        self.vits, self.config = vits, config
        self.letters = PiperVoice(None, config)  # for phonemes only
        self._said, self._square = 0, 0.0

    def leveled(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        """Adjust a sentence to the loudness of other voices, by that of this one's speech so far. So its
        first sentence comes in one piece."""
        said: list[Samples] = []
        for samples in pieces:
            said.append(samples)
            if self._said:
                yield samples * self._gain
        if not said:
            return
        whole = np.concatenate(said)
        first = not self._said
        self._square += len(whole) * loudness(whole, self.config.sample_rate) ** 2
        self._said += len(whole)
        if first:
            yield whole * self._gain

    @property
    def _gain(self) -> np.float32:
        present = math.sqrt(self._square / self._said)
        return np.float32(min(SPEECH_RMS / present, MAX_GAIN) if present else 1.0)


def _usual_source(voice: str | None, language: str) -> str:
    wanted = language == "en" and voice in (None, EMBEDDED_VOICE)
    return str(JOE.path.parent) if wanted and JOE.there and JOE_SETTINGS.there else HUB


def _fetched(model_name: str, asked: bool) -> Path:
    """The folder of the voices; if they are on the hub, it contains only their list."""
    try:
        return fetch(model_name, "--tts_model_name", files=["voices.json"])
    except UserError as error:
        if asked:
            raise
        raise type(error)(f"{error}; for the built-in English voice type: {FETCH}") from error


def _catalog(folder: Path) -> dict[str, str]:
    """The names of the voices ▶ their .onnx, as seen from the folder. Raises `UserError`."""
    listed = folder / "voices.json"
    if listed.exists():
        voices = json.loads(listed.read_text("utf-8"))
        found = {
            name: file for name in voices for file in voices[name]["files"] if file.endswith(".onnx")
        }
    else:
        found = {file.stem: str(file.relative_to(folder)) for file in sorted(folder.rglob("*.onnx"))}
    if not found:
        raise UserError(f"--tts_model_name {folder}: expected voices.json or .onnx files, got neither")
    return found


def _language_of(voice: str) -> str:
    """The language of a voice: "te" of "te_IN-padmavathi-medium"."""
    return voice.partition("_")[0]
