"""ChatTTS: made for dialogue, Chinese and English; every number is another speaker (2noise)."""

import logging
import random
import re
from collections.abc import Iterator
from typing import Any

import ChatTTS
import numpy as np
import torch

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import parts_to_speak
from utils.hub import fetch
from utils.voices import voice_flag

MAX_CHARS = 200
"""Longer text is spoken in parts: the model stops after 2048 tokens, 43 s."""

TOKENS_A_LETTER = 8
"""Limit of tokens for each letter, twice the need of speech (47 tokens, some 12 letters a second), for a
part whose end the model misses."""

_TOKENS_FOR_A_WORD = 48
"""Added to the limit: a second, so that a short word is not cut off."""


class ChatTtsSynthesizer:
    """A voice is "speaker-" and a number, from which the speaker is drawn: the same one each time.
    Without `voice` the number is drawn once, when the program starts, and shown in `about`; so all
    sentences of all sessions have one speaker, and a user who likes it can have it again.

    One call at a time: the library has one flag that stops it, within a token.
    """

    def __init__(
        self,
        device: str,
        model_name: str = "2Noise/ChatTTS",
        voice: str | None = None,
        stream: bool = True,
        chunk_size: int = 512,
        temperature: float = 0.3,
    ) -> None:
        folder = fetch(model_name, "--tts_model_name", files=["asset/*"])
        self._voice = voice or f"speaker-{random.randrange(10000)}"
        self._stream, self._chunk_size, self._temperature = stream, chunk_size, temperature
        self._chat: Any = ChatTTS.Chat(logging.getLogger("ChatTTS"))
        try:
            loaded = self._chat.load(
                source="custom", custom_path=str(folder), device=torch.device(device)
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UserError(f"--tts_model_name {model_name}: expected ChatTTS, got {error}") from error
        if not loaded:
            raise UserError(
                f"--tts_model_name {model_name}: expected the files of ChatTTS in {folder}; by "
                "their checksums, some are missing or different"
            )
        self.info = SynthesizerInfo(
            name="chattts",
            model=model_name,
            device=device,
            sample_rate_hz=24000,
            languages=("en", "zh"),
            voices=(self._voice,),
            mixes=True,
        )
        with voice_flag():
            self._speaker(self._voice)

    def expect_voice(self, voice: str) -> None:
        """Accept "speaker-" and any number."""
        if re.fullmatch(r"speaker-\d{1,9}", voice) is None:
            sentence = (
                f"expected a voice such as {self.info.voices[0]}, with any number, got {voice!r:.100}"
            )
            raise EngineError(sentence, code="unknown_voice")

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Pieces of `chunk_size` samples; with `stream` the first of them comes in mid-sentence."""
        speaker = self._speaker(voice or self._voice)
        for part in parts_to_speak(text, MAX_CHARS):
            yield from self._speak(part, speaker, cancel)
            if cancel.cancelled:
                return

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _speak(self, text: str, speaker: str, cancel: CancelToken) -> Iterator[AudioChunk]:
        settings = ChatTTS.Chat.InferCodeParams(
            spk_emb=speaker,
            temperature=self._temperature,
            max_new_token=min(2048, int(TOKENS_A_LETTER * len(text)) + _TOKENS_FOR_A_WORD),
            show_tqdm=False,
        )
        with cancel.on_cancel(self._chat.interrupt):
            results = self._chat.infer(
                [text],
                stream=self._stream,
                skip_refine_text=True,  # it would put in laughs and pauses, for as much time again
                split_text=False,
                params_infer_code=settings,
            )
            if cancel.cancelled:  # `infer` clears the flag when it begins
                return
            try:
                for result in results:
                    samples = np.asarray(result, np.float32).reshape(-1)
                    for start in range(0, len(samples), self._chunk_size):
                        yield AudioChunk(
                            samples[start : start + self._chunk_size], self.info.sample_rate_hz
                        )
            except Exception:
                if not cancel.cancelled:  # else it was stopped before there was anything to decode
                    raise

    def _speaker(self, voice: str) -> str:
        """Draw the speaker from the number in its name."""
        self.expect_voice(voice)
        with torch.random.fork_rng():
            torch.manual_seed(int(voice.partition("-")[2]))
            speaker: str = self._chat.sample_random_speaker()
        return speaker
