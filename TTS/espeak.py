"""eSpeak NG, in-process: a small robot that speaks over a hundred languages and always works.

The library and its data come with the package `espeakng-loader`; the calls are those of
``speak_lib.h`` (espeak-ng/espeak-ng, GPL-3).
"""

import ctypes
import functools
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.audio import from_pcm16
from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk, WordTime
from pipeline.turn import CancelToken
from utils.voices import unknown_voice

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_ENDPAUSE = 0x1000
_IPA_WITH_TIES = 0x82 | ord("^") << 8
_RATE, _PITCH = 1, 3
_BUFFER_MS = 60
_STOP, _GO_ON = 1, 0

_NO_MORE_EVENTS, _WORD_BEGINS = 0, 1

_USUAL_VOICE = {"en": "en-us", "fr": "fr-fr", "zh": "cmn"}
"""Voices for languages whose code is not the name of a voice in eSpeak, or of an unexpected one."""


class _Voice(ctypes.Structure):
    """``espeak_VOICE``; `languages` is a priority byte and a name, repeated."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class _Event(ctypes.Structure):
    """``espeak_EVENT``; positions in the text are counted from 1, in characters."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class EspeakLibrary:
    """The C library. Its state is global to the process, so there is one of it, with one lock."""

    def __init__(self) -> None:
        import espeakng_loader

        self.lock = threading.Lock()
        self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
        self._data: str = espeakng_loader.get_data_path()
        self.sample_rate_hz: int = self._espeak.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, self._data.encode(), _INITIALIZE_DONT_EXIT
        )
        if self.sample_rate_hz <= 0:
            raise UserError(f"eSpeak NG did not start: expected its data in {self._data}")
        self._espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._espeak.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._blocks: list[bytes] = []
        self._words: list[WordTime] = []
        self._cancel: CancelToken | None = None
        self._callback = _Callback(self._on_audio)  # kept, or it would be collected while C holds it
        self._espeak.espeak_SetSynthCallback(self._callback)

    @functools.cached_property
    def voices(self) -> dict[str, str]:
        """Name of a voice ("en-gb") ▶ the identifier by which it can always be set ("gmw/en")."""
        listed = self._espeak.espeak_ListVoices(None)
        voices: dict[str, str] = {}
        index = 0
        while listed[index]:
            voice = listed[index].contents
            identifier = voice.identifier.decode()
            if self._has_dictionary(identifier):
                voices.setdefault(voice.languages[1:].decode(), identifier)
            index += 1
        return voices

    def variants(self) -> set[str]:
        """Variants that may follow a voice after a "+": other speakers of every voice."""
        return {file.name for file in (Path(self._data) / "voices" / "!v").iterdir()}

    def set_voice(self, identifier: str) -> bool:
        """Choose a voice. Returns True if it exists, with its dictionary."""
        return bool(self._espeak.espeak_SetVoiceByName(identifier.encode()) == 0)

    def speak(self, text: str, rate_wpm: int, pitch: int, cancel: CancelToken) -> AudioChunk:
        """The whole text as audio; the part that was made, when cancelled."""
        self._blocks.clear()
        self._words.clear()
        self._cancel = cancel
        self._espeak.espeak_SetParameter(_RATE, rate_wpm, 0)
        self._espeak.espeak_SetParameter(_PITCH, pitch, 0)
        data = text.encode("utf-8", "replace")  # a server may cut an emoji in two
        self._espeak.espeak_Synth(
            data, ctypes.c_size_t(len(data) + 1), 0, 0, 0, _CHARS_UTF8 | _ENDPAUSE, None, None
        )
        audio = from_pcm16(b"".join(self._blocks))
        return AudioChunk(audio, self.sample_rate_hz, tuple(self._words))

    def phonemes(self, text: str, voice: str, ipa: bool) -> list[tuple[str, str]]:
        """The clauses of a text, each as its characters and its phonemes. The characters include the
        first one of the next clause, since eSpeak looks ahead.

        With `ipa` the phonemes are those of the International Phonetic Alphabet, with "^" between two
        letters that are one sound ("t^ʃ"); otherwise eSpeak's own, which keep the tones of Chinese.
        `voice` is one of `voices`. Takes the lock.
        """
        data = text.replace("\0", " ").encode("utf-8", "replace")
        buffer = ctypes.create_string_buffer(data)
        place = ctypes.c_void_p(ctypes.addressof(buffer))
        read = 0
        clauses = []
        with self.lock:
            if not self.set_voice(self.voices[voice]):
                raise EngineError(f"eSpeak cannot load its voice {voice}", code="unknown_voice")
            while place.value is not None:
                spoken = self._espeak.espeak_TextToPhonemes(
                    ctypes.byref(place), _CHARS_UTF8, _IPA_WITH_TIES if ipa else 0
                )
                end = len(data) if place.value is None else place.value - ctypes.addressof(buffer)
                clauses.append((data[read:end].decode("utf-8", "replace"), spoken.decode("utf-8")))
                read = end
        return clauses

    def _has_dictionary(self, identifier: str) -> bool:
        """True if the package has the dictionary of a voice. Without one (Faroese) the voice would be
        mute."""
        about = (Path(self._data) / "lang" / identifier).read_text("utf-8")
        named = re.search(r"^dictionary\s+(\S+)", about, re.MULTILINE)
        name = named[1] if named else identifier.rpartition("/")[2].partition("-")[0]
        return (Path(self._data) / f"{name}_dict").exists()

    def _on_audio(
        self,
        samples: "ctypes._Pointer[ctypes.c_short]",
        count: int,
        events: "ctypes._Pointer[_Event]",
    ) -> int:
        index = 0
        while events and events[index].type != _NO_MORE_EVENTS:
            if events[index].type == _WORD_BEGINS:
                sample = events[index].audio_position_ms * self.sample_rate_hz // 1000
                self._words.append(WordTime(events[index].text_position - 1, sample))
            index += 1
        if samples and count > 0:
            self._blocks.append(ctypes.string_at(samples, 2 * count))
        return _STOP if self._cancel is not None and self._cancel.cancelled else _GO_ON


@functools.cache
def espeak_library() -> EspeakLibrary:
    """The library, loaded at the first call in this process."""
    return EspeakLibrary()


class EspeakSynthesizer:
    """Computes a sentence in 0.001 to 0.01 of its length, as a whole, so the library is free for the
    next caller at once.

    `voice` is a name as ``espeak-ng --voices`` lists them, with a variant if you like ("en-gb+f3"),
    `rate` is in words a minute, `pitch` from 0 to 99.
    """

    def __init__(
        self, voice: str | None = None, language: str = "en", rate: int = 170, pitch: int = 50
    ) -> None:
        self._library = espeak_library()
        self._voices = self._library.voices
        self._variants = self._library.variants()
        voices = tuple(sorted(self._voices))
        spoken = {name.partition("-")[0] for name in voices} | set(_USUAL_VOICE)
        self.info = SynthesizerInfo(
            name="espeak",
            sample_rate_hz=self._library.sample_rate_hz,
            languages=tuple(sorted(code for code in spoken if self._usual_voice(code))),
            voices=voices,
            voice=voice or _USUAL_VOICE.get(language, language),
            voice_languages={name: name for name in voices},
            spelled={"ja": "CJK", "ko": "CJK"},
        )
        self._voice = voice
        self._language = language
        self._rate = rate
        self._pitch = pitch
        try:
            self._identifier(None, None)
        except EngineError as error:
            flag = "--tts_language" if voice is None else "--tts_voice"
            raise UserError(f"{flag}: {error}; a variant may follow the name, as in en-gb+f3") from error

    def expect_voice(self, voice: str) -> None:
        """Accept a voice, with or without a variant ("en-gb+f3")."""
        self._identifier(voice, None)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak `text`; an unknown voice is an `EngineError`."""
        identifier = self._identifier(voice, language)
        with self._library.lock:
            if not self._library.set_voice(identifier):
                raise EngineError(f"eSpeak cannot load its voice {identifier}", code="unknown_voice")
            chunk = self._library.speak(text, self._rate, self._pitch, cancel)
        if np.any(chunk.samples):
            yield chunk

    def close(self) -> None:
        """Nothing to free: the library belongs to the process."""

    def _usual_voice(self, language: str) -> str | None:
        return self._voices.get(_USUAL_VOICE.get(language, language))

    def _identifier(self, voice: str | None, language: str | None) -> str:
        """The identifier of the voice that was asked for, in this call or at start; otherwise of a voice
        that speaks the language."""
        wanted = voice or self._voice or language or self._language
        name, _, variant = wanted.partition("+")
        identifier = self._usual_voice(name)
        if identifier is None:
            raise unknown_voice(self.info.voices, wanted, _USUAL_VOICE["en"])
        if variant and variant not in self._variants:
            raise unknown_voice([f"{name}+{known}" for known in sorted(self._variants)], wanted)
        return f"{identifier}+{variant}" if variant else identifier
