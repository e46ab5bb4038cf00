"""Parler-TTS: speaks in a voice that is described in words, and streams. Models from the hub."""

import textwrap
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import torch
from parler_tts import ParlerTTSForConditionalGeneration, ParlerTTSStreamer
from transformers import AutoTokenizer, StaticCache

from pipeline.engine_info import SynthesizerInfo
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from TTS.parler_speakers import speakers_of
from utils.pretrained import fetch_pretrained
from utils.voices import expect_known, expect_language, voice_flag

MAX_TEXT = 300
"""Characters that are spoken in one go; some 20 of the 30 s for which the models were trained."""

MIN_PROMPT, MAX_PROMPT = 4, 512
"""Lengths of prompts for which the model is compiled: powers of two, in tokens. `MAX_TEXT` has about
100."""


class ParlerSynthesizer:
    """One sentence at a time, in pieces of `play_steps_s` seconds; stops between two steps.

    `style` is the description: "{voice}" in it stands for the name of the speaker. `compile_mode` is a
    mode of ``torch.compile``, or "none".
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        torch_dtype: str = "auto",
        voice: str | None = None,
        language: str | None = None,
        style: str = "{voice} speaks with clear audio quality.",
        play_steps_s: float = 1.0,
        compile_mode: str = "none",
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        pretrained = fetch_pretrained(model_name, "--tts_model_name", "a Parler-TTS model")
        self._model = model = pretrained.load_model(
            ParlerTTSForConditionalGeneration, device, torch_dtype=torch_dtype
        )
        self._prompts = pretrained.load(AutoTokenizer)
        self._descriptions = self._prompts
        if model.config.vocab_size != model.config.text_encoder.vocab_size:
            self._descriptions = _tokenizer_of_descriptions(model)
        self._speakers = speakers_of(model_name)
        names = (name for speakers in self._speakers.values() for name in speakers)
        self.info = SynthesizerInfo(
            name="parler",
            model=model_name,
            device=device,
            sample_rate_hz=int(model.audio_encoder.config.sampling_rate),
            languages=tuple(self._speakers) or ("any",),
            voices=tuple(dict.fromkeys(names)),
            mixes=True,
        )
        self._voice = self._configured(voice)
        self._language = self._expect_language(language)
        self._style = style
        shortest = model.decoder.num_codebooks + 1  # the streamer keeps back as many steps as codebooks
        self._play_steps = max(round(play_steps_s * model.audio_encoder.config.frame_rate), shortest)
        self._settings = dict(gen_kwargs or {})
        self._compiled = compile_mode != "none"
        # all on one thread: a CUDA graph (reduce-overhead) belongs to the thread that captured it
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parler")
        if self._compiled:
            _name_the_batch_size()
            model.generation_config.cache_implementation = "static"
            model.forward = torch.compile(model.forward, mode=compile_mode)
        self._first_calls = 2 if compile_mode == "reduce-overhead" else 1

    def expect_voice(self, voice: str) -> None:
        """Accept a speaker that the model knows by name, or a whole description that begins with the
        name."""
        expect_known(self.info.voices, voice.partition(" ")[0])

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak `text`; where no voice was chosen, the usual speaker of the language does."""
        if voice is not None:
            self.expect_voice(voice)
        description = self._describe(voice or self._voice, language or self._language)
        for part in textwrap.wrap(text, MAX_TEXT):
            if cancel.cancelled:
                return
            yield from self._speak(self._inputs(part, description), cancel)

    def warm_up(self) -> None:
        """Speak with each length of prompt that is compiled for, the longest first, so that the cache
        that is kept between calls holds every other."""
        lengths = [0]
        if self._compiled:
            powers = range(MIN_PROMPT.bit_length() - 1, MAX_PROMPT.bit_length())
            lengths = [1 << power for power in reversed(powers)]
        description = self._describe(self._voice, self._language)
        for length in lengths:
            for _ in range(self._first_calls):
                for _ in self._speak(self._inputs("A", description, length), CancelToken()):
                    pass

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""
        self._thread.shutdown()

    def _describe(self, voice: str | None, language: str | None) -> str:
        if voice is not None and " " in voice:
            return voice
        known = self._speakers.get(language or "", ())
        speaker = voice or (known[0] if known else "Someone")
        if "{voice}" in self._style or voice is None or voice in self._style:
            return self._style.replace("{voice}", speaker)
        return f"{voice} speaks. {self._style}"

    def _speak(self, inputs: Mapping[str, torch.Tensor], cancel: CancelToken) -> Iterator[AudioChunk]:
        streamer = _Streamer(self._model, self._play_steps, cancel)
        work = self._thread.submit(self._generate, inputs, streamer)
        try:
            for samples in streamer:
                if len(samples):
                    yield AudioChunk(samples, self.info.sample_rate_hz)
            work.result()
        finally:
            streamer.stopped = True
            wait([work])

    def _generate(self, inputs: Mapping[str, torch.Tensor], streamer: "_Streamer") -> None:
        try:
            self._model.generate(**inputs, **self._settings, streamer=streamer)
        except _Stopped:
            pass
        finally:
            streamer.audio_queue.put(streamer.stop_signal)

    def _inputs(self, text: str, description: str, prompt_tokens: int = 0) -> dict[str, torch.Tensor]:
        described = self._tokens(self._descriptions, description)
        prompt = self._tokens(self._prompts, text, prompt_tokens)
        return {
            "input_ids": described.input_ids,
            "attention_mask": described.attention_mask,
            "prompt_input_ids": prompt.input_ids,
            "prompt_attention_mask": prompt.attention_mask,
        }

    def _tokens(self, tokenizer: Any, text: str, length: int = 0) -> Any:
        """Tokens on the device. For compiled code they are padded to the next power of two, or to
        `length`."""
        tokens = tokenizer(text, return_tensors="pt")
        if self._compiled:
            present = max(tokens.input_ids.shape[1], MIN_PROMPT)
            length = max(length, 1 << (present - 1).bit_length())
            tokens = tokenizer(text, return_tensors="pt", padding="max_length", max_length=length)
        return tokens.to(self._model.device)

    def _configured(self, voice: str | None) -> str | None:
        if voice is not None:
            with voice_flag():
                self.expect_voice(voice)
        return voice

    def _expect_language(self, language: str | None) -> str:
        if language is not None and self._speakers:
            expect_language(self.info.languages, language)
        return language or self.info.languages[0]


class _Stopped(Exception):
    """Leaves ``generate``, which would otherwise decode all of the audio once more at its end."""


class _Streamer(ParlerTTSStreamer):  # type: ignore[misc]
    """The streamer of one call. It is called after every step, which is the place to stop."""

    def __init__(self, model: Any, play_steps: int, cancel: CancelToken) -> None:
        super().__init__(model, play_steps=play_steps)
        self.stopped = False
        self._cancel = cancel

    def put(self, value: torch.Tensor) -> None:
        if self.stopped or self._cancel.cancelled:
            raise _Stopped
        super().put(value)

    def end(self) -> None:
        super().end()
        raise _Stopped


def _name_the_batch_size() -> None:
    """Give `StaticCache` the attribute that parler-tts 0.2.3 expects; its version of transformers names
    it otherwise."""
    if not hasattr(StaticCache, "max_batch_size"):
        StaticCache.max_batch_size = property(lambda cache: cache.batch_size)


def _tokenizer_of_descriptions(model: Any) -> Any:
    """The tokenizer of the text encoder, with which some models (Indic Parler-TTS) read descriptions."""
    encoder = model.config.text_encoder._name_or_path
    patterns = ["*token*", "*.model", "config.json"]
    files = fetch_pretrained(encoder, "--tts_model_name", "a tokenizer", files=patterns)
    return files.load(AutoTokenizer)
