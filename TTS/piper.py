"""Piper: small, fast voices in over forty languages (OHF-Voice/piper1-gpl), on a CPU."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path

from piper import PiperVoice, SynthesisConfig

from pipeline.audio import clean, resample
from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from utils.hub import fetch, unavailable
from utils.voices import expect_known, expect_language, voice_flag

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


class PiperSynthesizer:
    """`model_name` is a name on the hub, with voices.json, or a folder with voices (.onnx, .onnx.json).

    A voice is loaded, and the first time downloaded, when it is first heard, which keeps the others
    waiting; the one of `voice` or `language` at start. Stops between two sentences.
    """

    def __init__(
        self,
        model_name: str = "rhasspy/piper-voices",
        voice: str | None = None,
        language: str = "en",
        speed: float = 1.0,
    ) -> None:
        self._model_name, self._voice, self._language = model_name, voice, language
        self._settings = SynthesisConfig(length_scale=1 / speed)
        files = _catalog(fetch(model_name, "--tts_model_name", files=["voices.json"]))
        self._files = dict(sorted(files.items()))
        languages = tuple(sorted({_language_of(name) for name in self._files}))
        self._speaker = functools.lru_cache(KEPT)(self._load)
        if voice is None:
            expect_language(languages, language)
        with voice_flag():
            chosen = self._choose(None, None)
            first = self._speaker(chosen)
        self.info = SynthesizerInfo(
            name="piper",
            about=f"{chosen} on cpu",
            sample_rate_hz=first.config.sample_rate,
            languages=languages,
            voices=tuple(self._files),
        )

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        self._choose(voice, None)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield a chunk for each sentence, at the rate of the first voice; others are resampled."""
        chosen = self._choose(voice, language)
        if cancel.cancelled:
            return
        rate_hz = self.info.sample_rate_hz
        for sentence in self._speaker(chosen).synthesize(text.replace("\0", " "), self._settings):
            samples = resample(sentence.audio_float_array, sentence.sample_rate, rate_hz)
            yield AudioChunk(clean(samples), rate_hz)
            if cancel.cancelled:
                return

    def close(self) -> None:
        """Free the voices."""
        self._speaker.cache_clear()

    def _choose(self, voice: str | None, language: str | None) -> str:
        """The voice that was asked for, in this call or at start; otherwise the usual one of the
        language."""
        wanted = language or self._language
        usual = USUAL_VOICE.get(wanted)
        if usual not in self._files:
            usual = next((name for name in self._files if _language_of(name) == wanted), wanted)
        chosen = voice or self._voice or usual
        expect_known(list(self._files), chosen)
        return chosen

    def _load(self, name: str) -> PiperVoice:
        model = self._files[name]
        try:
            folder = fetch(self._model_name, "--tts_voice", files=[model, f"{model}.json"])
            return PiperVoice.load(folder / model)
        except Exception as error:  # onnxruntime's have no common base class
            raise unavailable(f"the voice {name}", error, "no_voice") from error


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
